// SPDX-License-Identifier: MIT
// What a clock is, and the cheaper twin that some clocks have for deadlines.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>

#if defined(__linux__)
#include <time.h>
#endif

#include "fusebox/vocabulary/duration.hpp"

namespace fusebox {

/// A source of time: `time_point`, `duration`, `is_steady`, and a `now()` callable on a const
/// instance. `std::chrono::steady_clock` is one, and so are clocks with state.
/// `now()` runs on the call path: it should be cheap, and it must not throw.
template <class C>
concept Clock = std::move_constructible<C> && requires(const C& clock) {
    typename C::time_point;
    typename C::duration;
    { C::is_steady } -> std::convertible_to<bool>;
    { clock.now() } -> std::same_as<typename C::time_point>;
};

/// What the breaker knows of a clock beyond `now()`. Specialise it for a clock of your own that has
/// a cheaper twin on the same time line; members left out mean what they mean here.
template <class C>
struct ClockTraits {
    /// Whether readings never go back, on any thread. Other clocks are read through a high-water
    /// mark, so that one that steps back seems to stand still.
    static constexpr bool neverStepsBack = false;

    /// How far `coarseNow()` may lag behind `now()`.
    static constexpr std::chrono::nanoseconds coarseLag{0};

    /// A reading for deadlines and window slices: never ahead of `now()`, at most `coarseLag`
    /// behind.
    [[nodiscard]] static typename C::time_point coarseNow(const C& clock) noexcept {
        return clock.now();
    }
};

#if defined(__linux__) && defined(CLOCK_MONOTONIC_COARSE)

/// `steady_clock` on Linux: `CLOCK_MONOTONIC_COARSE` is the same time line as of the last timer
/// tick, read without asking the hardware (clock_gettime(2)).
template <>
struct ClockTraits<std::chrono::steady_clock> {
    static constexpr bool neverStepsBack = true;
    // A tick is 1/CONFIG_HZ; the slowest common setting is 100 Hz.
    static constexpr std::chrono::nanoseconds coarseLag = std::chrono::milliseconds{10};

    [[nodiscard]] static std::chrono::steady_clock::time_point coarseNow(
        const std::chrono::steady_clock& = {}) noexcept {
        // Not initialised: filled in any case, since it fails for unknown clocks only.
        ::timespec reading;
        ::clock_gettime(CLOCK_MONOTONIC_COARSE, &reading);
        return std::chrono::steady_clock::time_point{std::chrono::seconds{reading.tv_sec} +
                                                     std::chrono::nanoseconds{reading.tv_nsec}};
    }
};

#else

template <>
struct ClockTraits<std::chrono::steady_clock> {
    static constexpr bool neverStepsBack = true;
    static constexpr std::chrono::nanoseconds coarseLag{0};

    [[nodiscard]] static std::chrono::steady_clock::time_point coarseNow(
        const std::chrono::steady_clock& = {}) noexcept {
        return std::chrono::steady_clock::now();
    }
};

#endif

namespace detail {

/// A number for the timer tick that it is by the wall clock: at a fraction of what that costs on
/// Linux, elsewhere each of its readings is one.
[[nodiscard]] inline std::int64_t wallTick() noexcept {
#if defined(__linux__) && defined(CLOCK_REALTIME_COARSE)
    ::timespec reading{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &reading);
    return std::int64_t{reading.tv_sec} * 1'000'000'000 + reading.tv_nsec;
#else
    return std::chrono::system_clock::now().time_since_epoch().count();
#endif
}

/// The traits of a clock, with the defaults for what a specialisation leaves out.
template <class C>
struct CompleteClockTraits {
    static constexpr bool neverStepsBack = [] {
        if constexpr (requires { ClockTraits<C>::neverStepsBack; }) {
            return ClockTraits<C>::neverStepsBack;
        } else {
            return false;
        }
    }();

    static constexpr std::chrono::nanoseconds coarseLag = [] {
        if constexpr (requires { ClockTraits<C>::coarseLag; }) {
            return ClockTraits<C>::coarseLag;
        } else {
            return std::chrono::nanoseconds::zero();
        }
    }();

    [[nodiscard]] static typename C::time_point coarseNow(const C& clock) noexcept {
        if constexpr (requires { ClockTraits<C>::coarseNow(clock); }) {
            return ClockTraits<C>::coarseNow(clock);
        } else if constexpr (requires { ClockTraits<C>::coarseNow(); }) {
            return ClockTraits<C>::coarseNow();
        } else {
            return clock.now();
        }
    }
};

}  // namespace detail

/// The steady time line as of the last timer tick: milliseconds of resolution, a fraction of the
/// cost. For breakers whose latencies need no microseconds.
struct CoarseSteadyClock {
    using duration = std::chrono::steady_clock::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::steady_clock::time_point;
    static constexpr bool is_steady = true;

    [[nodiscard]] static time_point now() noexcept {
        return ClockTraits<std::chrono::steady_clock>::coarseNow({});
    }
};

template <>
struct ClockTraits<CoarseSteadyClock> {
    static constexpr bool neverStepsBack = true;
    static constexpr std::chrono::nanoseconds coarseLag{0};

    [[nodiscard]] static CoarseSteadyClock::time_point coarseNow(
        const CoarseSteadyClock& = {}) noexcept {
        return CoarseSteadyClock::now();
    }
};

}  // namespace fusebox
