// SPDX-License-Identifier: MIT
// Numbers from the command line, or a sentence that says what was wrong with them.
#pragma once

#include <charconv>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace flaky {

/// What the user typed does not fit; the message says which argument and what is allowed.
class BadArgument : public std::invalid_argument {
public:
    using std::invalid_argument::invalid_argument;
};

/// The number that `text` spells. `what` names the argument in the message.
[[nodiscard]] inline int parseNumber(std::string_view what, std::string_view text, int low,
                                     int high) {
    int number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    const bool whole = parsed.ec == std::errc{} && parsed.ptr == end;
    if (!whole || number < low || number > high) {
        throw BadArgument{
            fmt::format("{}: '{}' is not a whole number from {} to {}", what, text, low, high)};
    }
    return number;
}

}  // namespace flaky
