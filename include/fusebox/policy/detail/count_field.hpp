// SPDX-License-Identifier: MIT
// The fields that count calls or failures, and their bounds.
#pragma once

#include <algorithm>
#include <limits>
#include <string_view>

#include "fusebox/vocabulary/validation.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox::detail {

/// The largest number of failures that a policy may remember.
inline constexpr int kMaxThreshold = 1'000'000;

/// A count of at least 1 and at most `most`, and no more than the calls that `window` can hold.
[[nodiscard]] inline Complaint requireThreshold(std::string_view field, int value,
                                                const Window& window,
                                                int most = std::numeric_limits<int>::max()) {
    // A window below 1 is refused for itself.
    const bool bounded = !window.isTime() && window.calls() >= 1;
    return requireCount(field, value, 1, bounded ? std::min(window.calls(), most) : most);
}

}  // namespace fusebox::detail
