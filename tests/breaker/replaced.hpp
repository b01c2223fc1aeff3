// SPDX-License-Identifier: MIT
// Saved states as they should not be.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "support/catch.hpp"

namespace fusebox::test {

/// With the first `from` replaced, which must be there.
[[nodiscard]] inline std::string replaced(std::string text, std::string_view from,
                                          std::string_view to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

}  // namespace fusebox::test
