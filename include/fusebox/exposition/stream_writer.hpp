// SPDX-License-Identifier: MIT
// Writing to a stream that may fail.
#pragma once

#include <ios>
#include <ostream>
#include <stdexcept>
#include <string_view>

#include "fusebox/vocabulary/errors.hpp"

namespace fusebox::detail {

/// Writes and flushes. A stream that failed earlier is tried again.
/// @throws std::runtime_error if the stream does not take it.
inline void writeTo(std::ostream& stream, std::string_view text) {
    stream.clear();
    stream.write(text.data(), static_cast<std::streamsize>(text.size()));
    stream.flush();
    if (!stream) raise(std::runtime_error{"the stream does not take the metrics"});
}

}  // namespace fusebox::detail
