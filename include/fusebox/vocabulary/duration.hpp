// SPDX-License-Identifier: MIT
// Time arithmetic that saturates: `nanoseconds::max()` means "never" and overflows nowhere.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <ratio>

namespace fusebox {

/// Longer than anything: an instant that never comes, a wait that never ends.
inline constexpr std::chrono::nanoseconds kForever = std::chrono::nanoseconds::max();

/// `a + b`, held at the ends of the range instead of overflowing; "never" plus anything is never.
[[nodiscard]] constexpr std::chrono::nanoseconds saturatingAdd(
    std::chrono::nanoseconds a, std::chrono::nanoseconds b) noexcept {
    using Nanoseconds = std::chrono::nanoseconds;
    if (a == kForever || b == kForever) return kForever;
    if (b.count() > 0 && a > Nanoseconds::max() - b) return Nanoseconds::max();
    if (b.count() < 0 && a < Nanoseconds::min() - b) return Nanoseconds::min();
    return a + b;
}

/// Whether a wait until `until` is over at `now`; one without an end never is.
[[nodiscard]] constexpr bool isOver(std::chrono::nanoseconds until,
                                    std::chrono::nanoseconds now) noexcept {
    return until != kForever && now >= until;
}

/// `a - b`, held at the ends of the range instead of overflowing.
[[nodiscard]] constexpr std::chrono::nanoseconds saturatingSubtract(
    std::chrono::nanoseconds a, std::chrono::nanoseconds b) noexcept {
    using Nanoseconds = std::chrono::nanoseconds;
    if (b.count() < 0 && a > Nanoseconds::max() + b) return Nanoseconds::max();
    if (b.count() > 0 && a < Nanoseconds::min() + b) return Nanoseconds::min();
    return a - b;
}

/// `a - b` where it fits; else what is left of it, which is of no use, but no overflow either.
[[nodiscard]] constexpr std::chrono::nanoseconds wrappingSubtract(
    std::chrono::nanoseconds a, std::chrono::nanoseconds b) noexcept {
    const auto bits = static_cast<std::uint64_t>(a.count()) - static_cast<std::uint64_t>(b.count());
    return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(bits)};
}

/// `factor` times `duration`, at most "never".
/// @pre `duration >= 0` and `factor >= 0`, neither NaN.
[[nodiscard]] constexpr std::chrono::nanoseconds saturatingMultiply(
    std::chrono::nanoseconds duration, double factor) noexcept {
    // 2^63 as a double is exact; anything at or above it does not fit.
    constexpr double kTooLarge = 9223372036854775808.0;
    if (factor == 1.0) return duration;
    const double product = static_cast<double>(duration.count()) * factor;
    if (!(product < kTooLarge)) return kForever;
    return std::chrono::nanoseconds{static_cast<std::chrono::nanoseconds::rep>(product)};
}

/// A count of nanoseconds, held at the end of the range instead of turning negative.
[[nodiscard]] constexpr std::chrono::nanoseconds saturatingCount(std::uint64_t count) noexcept {
    const auto most = static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count());
    return std::chrono::nanoseconds{
        static_cast<std::chrono::nanoseconds::rep>(count < most ? count : most)};
}

/// Any duration as nanoseconds, held at the ends of the range instead of overflowing; a NaN is 0.
template <class Rep, class Period>
[[nodiscard]] constexpr std::chrono::nanoseconds saturatingNanoseconds(
    std::chrono::duration<Rep, Period> duration) noexcept {
    using Nanoseconds = std::chrono::nanoseconds;
    if constexpr (std::same_as<std::chrono::duration<Rep, Period>, Nanoseconds>) {
        return duration;
    } else {
        using Wide = std::chrono::duration<long double, std::nano>;
        const Wide wide = std::chrono::duration_cast<Wide>(duration);
        if (wide != wide) return Nanoseconds::zero();
        if (wide >= Wide{Nanoseconds::max()}) return Nanoseconds::max();
        if (wide <= Wide{Nanoseconds::min()}) return Nanoseconds::min();
        return std::chrono::duration_cast<Nanoseconds>(duration);
    }
}

}  // namespace fusebox
