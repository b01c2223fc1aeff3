// SPDX-License-Identifier: MIT
// Clocks that no machine has.
#pragma once

#include <chrono>
#include <memory>

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

}  // namespace fusebox::test
