// SPDX-License-Identifier: MIT
// Time as a function of a counter's ticks: a line with one bend.
#pragma once

#include <cstdint>

#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// A straight piece of time.
struct TickPiece {
    std::int64_t base;   ///< Nanoseconds at its beginning.
    std::uint64_t rate;  ///< Nanoseconds a tick, times 2^32.

    /// The time so many ticks after its beginning, rounded down: one multiplication, one shift.
    /// @pre that is less than 4 s later, so that 64 bits hold the product.
    [[nodiscard]] FUSEBOX_HOT constexpr std::int64_t after(std::uint64_t ticks) const noexcept {
        return base + static_cast<std::int64_t>(ticks * rate >> 32);
    }
};

/// Two pieces of the same length, one behind the other. Where they meet time may leap forward;
/// nowhere does it go back.
///
/// A line is followed by one whose first piece is this one's second, so whoever still has the older
/// line reads the same from it. After its end it says nothing.
struct TickLine {
    std::uint64_t begin;   ///< The counter at the beginning of the first piece.
    std::uint64_t length;  ///< Of each piece, in ticks.
    TickPiece first;
    TickPiece second;

    /// Ticks since the beginning, also over the end of the counter; huge before the beginning.
    [[nodiscard]] FUSEBOX_HOT constexpr std::uint64_t age(std::uint64_t ticks) const noexcept {
        return ticks - begin;
    }
    /// Whether the line tells the time at that age and it is too early to think of the next.
    [[nodiscard]] FUSEBOX_HOT constexpr bool isYoung(std::uint64_t age) const noexcept {
        return age < length + length / 2;
    }
    /// Whether it is time to think of the next: in the second half of the second piece.
    [[nodiscard]] constexpr bool isOld(std::uint64_t age) const noexcept {
        return !isYoung(age) && age < 2 * length;
    }
    /// Whether the line tells the time at that age. It does so for half a piece before its
    /// beginning, too: such a reading of the counter was overtaken by the line.
    [[nodiscard]] constexpr bool covers(std::uint64_t age) const noexcept {
        return age + length / 2 < 2 * length + length / 2;
    }
    /// The time at that age.
    /// @pre covers(age)
    [[nodiscard]] FUSEBOX_HOT constexpr std::int64_t at(std::uint64_t age) const noexcept {
        if (age < length) return first.after(age);
        if (age < 2 * length) [[likely]]
            return second.after(age - length);
        return first.base;
    }
    /// The time at its end: no reading of the line is later.
    [[nodiscard]] constexpr std::int64_t end() const noexcept { return second.after(length); }
};

}  // namespace fusebox::detail
