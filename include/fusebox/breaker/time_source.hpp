// SPDX-License-Identifier: MIT
// A clock as the breaker reads it: nanoseconds that never go back.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <type_traits>
#include <utility>

#include "fusebox/vocabulary/clock.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// Readings since the clock's own epoch. A clock that may step back is read through a high-water
/// mark, so that it seems to stand still until it has caught up.
template <class C, class Platform = StdPlatform>
class TimeSource {
public:
    /// Whether deadlines on this clock mean something to std::chrono::steady_clock.
    static constexpr bool onSteadyTimeLine =
        std::same_as<typename C::time_point, std::chrono::steady_clock::time_point>;

    explicit TimeSource(C clock) : clock_(std::move(clock)) {}

    /// The precise time.
    [[nodiscard]] std::chrono::nanoseconds now() const noexcept {
        return standStill(saturatingNanoseconds(clock_.now().time_since_epoch()));
    }

    /// A time for deadlines: never ahead of `now()`, a tick behind at most, and cheaper.
    [[nodiscard]] std::chrono::nanoseconds coarseNow() const noexcept {
        return standStill(
            saturatingNanoseconds(CompleteClockTraits<C>::coarseNow(clock_).time_since_epoch()));
    }

private:
    using Rep = std::chrono::nanoseconds::rep;
    struct Nothing {
        explicit constexpr Nothing(Rep) noexcept {}
    };
    static constexpr bool kTrusted = CompleteClockTraits<C>::neverStepsBack;

    [[nodiscard]] std::chrono::nanoseconds standStill(
        std::chrono::nanoseconds reading) const noexcept {
        if constexpr (kTrusted) {
            return reading;
        } else {
            // relaxed: the mark publishes nothing but itself.
            Rep highest = highest_.load(std::memory_order_relaxed);
            while (reading.count() > highest &&
                   !highest_.compare_exchange_weak(highest, reading.count(),
                                                   std::memory_order_relaxed,
                                                   std::memory_order_relaxed)) {
            }
            return std::chrono::nanoseconds{reading.count() > highest ? reading.count() : highest};
        }
    }

    C clock_;
    [[no_unique_address]] mutable std::conditional_t<kTrusted, Nothing,
                                                     typename Platform::template Atomic<Rep>>
        highest_{std::chrono::nanoseconds::min().count()};
};

}  // namespace fusebox::detail
