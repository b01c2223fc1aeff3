// SPDX-License-Identifier: MIT
// Numbers, durations and foreign texts as text, with the standard library alone.
#pragma once

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

[[nodiscard]] constexpr bool isControl(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20U || c == '\x7f';
}

/// Control characters, and those of `also`, as %XX; the rest, UTF-8 too, as it is.
[[nodiscard]] inline std::string escaped(std::string_view text, std::string_view also = {}) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string line;
    line.reserve(text.size());
    for (const char c : text) {
        if (!isControl(c) && also.find(c) == std::string_view::npos) {
            line += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            line.append({'%', kDigits[byte >> 4U], kDigits[byte & 0xfU]});
        }
    }
    return line;
}

/// The shortest text that reads back as the same number.
[[nodiscard]] inline std::string toText(double number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "infinity" : "-infinity";
    std::array<char, 32> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
    return {buffer.data(), end};
}

/// A duration in the largest unit that keeps it above one: "30 s", "2.5 ms", "never".
[[nodiscard]] inline std::string toText(std::chrono::nanoseconds duration) {
    struct Unit {
        std::chrono::nanoseconds length;
        std::string_view suffix;
    };
    // No literals such as 1h: each of them is a template.
    constexpr Unit kUnits[] = {{std::chrono::hours{1}, " h"},
                               {std::chrono::minutes{1}, " min"},
                               {std::chrono::seconds{1}, " s"},
                               {std::chrono::milliseconds{1}, " ms"},
                               {std::chrono::microseconds{1}, " us"}};
    if (duration == kForever) return "never";
    for (const auto& [unit, suffix] : kUnits) {
        const bool readable = unit <= std::chrono::seconds{1} || duration % unit == duration.zero();
        if (readable && (duration >= unit || duration <= -unit)) {
            const double amount =
                static_cast<double>(duration.count()) / static_cast<double>(unit.count());
            return toText(amount).append(suffix);
        }
    }
    return std::to_string(duration.count()) + " ns";
}

/// A count and what is counted: "1 failure", "5 failures".
template <std::integral Count>
[[nodiscard]] std::string toText(Count count, std::string_view noun) {
    std::string text = std::to_string(count) + " ";
    text += noun;
    if (count != 1) text += 's';
    return text;
}

/// A fraction as a percentage: "50 %".
[[nodiscard]] inline std::string toPercent(double fraction) {
    // Rounded to a millionth of a percent, so that 0.07 reads "7 %" and not "7.000000000000001 %".
    return toText(std::round(fraction * 1e8) / 1e6) + " %";
}

}  // namespace fusebox::detail
