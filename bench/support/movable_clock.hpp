// SPDX-License-Identifier: MIT
// A clock that costs what the steady clock costs, and need not be waited for.
#pragma once

#include <chrono>
#include <memory>

#include "fusebox/vocabulary/clock.hpp"

namespace bench {

/// The steady clock, which can be moved on: a wait is over at once. Copies of it move together.
class MovableClock {
public:
    using Steady = std::chrono::steady_clock;
    using duration = Steady::duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = Steady::time_point;
    static constexpr bool is_steady = true;

    [[nodiscard]] time_point now() const noexcept { return Steady::now() + *ahead_; }
    [[nodiscard]] time_point coarseNow() const noexcept {
        return fusebox::ClockTraits<Steady>::coarseNow() + *ahead_;
    }
    /// By one thread, between its calls.
    void moveOn(duration by) noexcept { *ahead_ += by; }

private:
    std::shared_ptr<duration> ahead_ = std::make_shared<duration>(0);
};

}  // namespace bench

template <>
struct fusebox::ClockTraits<bench::MovableClock> {
    static constexpr bool neverStepsBack = true;
    static constexpr std::chrono::nanoseconds coarseLag =
        ClockTraits<std::chrono::steady_clock>::coarseLag;
    static bench::MovableClock::time_point coarseNow(const bench::MovableClock& clock) noexcept {
        return clock.coarseNow();
    }
};
