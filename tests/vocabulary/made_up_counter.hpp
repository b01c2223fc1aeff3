// SPDX-License-Identifier: MIT
// A counter and a steady clock that a test moves, and what the clock made of both tells.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>

#include "fusebox/vocabulary/detail/tick_calibration.hpp"
#include "fusebox/vocabulary/detail/tick_steering.hpp"
#include "fusebox/vocabulary/detail/tick_timeline.hpp"

namespace fusebox::test {

/// A machine whose steady clock tells the truth and whose counter need not. Copies share it.
class MadeUpCounter {
public:
    struct Machine {
        std::chrono::nanoseconds steady{std::chrono::hours{1}};
        long double ticks = 0;
        long double ticksPerNanosecond = 2.5L;
        /// Where the counter began: it wraps over soon if this is close to 2^64.
        std::uint64_t origin = 0;
        /// How long it takes to read the counter, and the steady clock.
        std::chrono::nanoseconds reading{20};
        /// What happens to the thread after each reading of the steady clock.
        std::chrono::nanoseconds interruption{0};
    };

    [[nodiscard]] std::uint64_t ticks() const {
        pass(machine_->reading);
        return machine_->origin +
               static_cast<std::uint64_t>(static_cast<std::int64_t>(machine_->ticks));
    }
    [[nodiscard]] std::int64_t steady() const {
        pass(machine_->reading);
        const auto now = machine_->steady;
        pass(machine_->interruption);
        return now.count();
    }

    /// Lets time pass.
    void pass(std::chrono::nanoseconds duration) const {
        machine_->steady += duration;
        machine_->ticks +=
            static_cast<long double>(duration.count()) * machine_->ticksPerNanosecond;
    }
    [[nodiscard]] Machine& machine() { return *machine_; }

private:
    std::shared_ptr<Machine> machine_ = std::make_shared<Machine>();
};

/// A timeline on such a machine.
class MadeUpTime {
public:
    explicit MadeUpTime(const MadeUpCounter& counter = {})
        : counter_(counter), timeline_(counter, steeringOf(counter)) {}

    [[nodiscard]] std::chrono::nanoseconds now() {
        return std::chrono::nanoseconds{timeline_.at(counter_.ticks())};
    }
    /// How far a reading is ahead of the steady clock, which goes on meanwhile.
    [[nodiscard]] std::chrono::nanoseconds deviation() {
        const std::chrono::nanoseconds before = machine().steady;
        const std::chrono::nanoseconds reading = now();
        if (reading < before) return reading - before;
        return std::max(reading - machine().steady, std::chrono::nanoseconds::zero());
    }
    void pass(std::chrono::nanoseconds duration) { counter_.pass(duration); }
    [[nodiscard]] MadeUpCounter::Machine& machine() { return counter_.machine(); }

private:
    [[nodiscard]] static detail::TickSteering steeringOf(const MadeUpCounter& counter) {
        const detail::TickCalibration pace = detail::calibrate(counter);
        return {pace.first, pace.last};
    }

    MadeUpCounter counter_;
    detail::TickTimeline<MadeUpCounter> timeline_;
};

}  // namespace fusebox::test
