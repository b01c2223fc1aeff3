// SPDX-License-Identifier: MIT
// Clocks that no machine has.
#pragma once

#include <chrono>
#include <memory>

#include "fusebox/vocabulary/clock.hpp"

namespace fusebox::test {

/// A clock that a test moves anywhere, whatever it says of itself.
template <bool kSteady>
struct WildClock {
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<WildClock, duration>;
    static constexpr bool is_steady = kSteady;
    std::shared_ptr<duration> at = std::make_shared<duration>(std::chrono::seconds{1000});

    [[nodiscard]] time_point now() const { return time_point{*at}; }
};

/// A clock that counts how often it is read, and says so.
struct CountingClock {
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<CountingClock, duration>;
    [[maybe_unused]] static constexpr bool is_steady = true;
    std::shared_ptr<int> reads = std::make_shared<int>(0);

    [[nodiscard]] time_point now() const { return time_point{duration{++*reads}}; }
};

/// A clock whose cheaper twin lags by 5 ms.
struct LaggingClock {
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<LaggingClock, duration>;
    static constexpr bool is_steady = true;
    std::shared_ptr<duration> at = std::make_shared<duration>(std::chrono::seconds{1000});

    [[nodiscard]] time_point now() const { return time_point{*at}; }
};

}  // namespace fusebox::test

// What is left out means what it means for any clock.
template <>
struct fusebox::ClockTraits<fusebox::test::LaggingClock> {
    static constexpr bool neverStepsBack = true;
    [[nodiscard]] static test::LaggingClock::time_point coarseNow(
        const test::LaggingClock& clock) noexcept {
        return clock.now() - std::chrono::milliseconds{5};
    }
};
