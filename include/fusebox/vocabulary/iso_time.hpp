// SPDX-License-Identifier: MIT
// Wall-clock times as text that sorts and that everything reads: ISO 8601, UTC, milliseconds.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>

namespace fusebox {

/// "2026-11-21T19:47:09.123Z", rounded down. Years outside 0 to 9999 are held at their ends.
template <class Duration = std::chrono::system_clock::duration>
[[nodiscard]] std::string isoTime(std::chrono::sys_time<Duration> time) {
    using namespace std::chrono;
    constexpr sys_time<milliseconds> kFirst = sys_days{year{0} / January / 1};
    constexpr sys_time<milliseconds> kLast = sys_days{year{10000} / January / 1} - milliseconds{1};
    const auto held = std::clamp(floor<milliseconds>(time), sys_time<milliseconds>{kFirst}, kLast);
    const auto day = floor<days>(held);
    const year_month_day date{day};
    const hh_mm_ss clock{held - day};
    std::array<char, 96> text{};
    const int size = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
        static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
        static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()),
        static_cast<int>(clock.subseconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace fusebox
