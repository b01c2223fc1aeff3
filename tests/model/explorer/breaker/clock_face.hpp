// SPDX-License-Identifier: MIT
// The time of an explored breaker: two clocks that everybody sees at once.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "engine/platform.hpp"

namespace fusebox::model {

using Nanoseconds = std::chrono::nanoseconds;

/// The precise clock, and the coarse one, which lags behind it for a moment.
class ClockFace {
public:
    [[nodiscard]] Nanoseconds precise() const { return Nanoseconds{precise_.glance()}; }
    [[nodiscard]] Nanoseconds coarse() {
        return lastCoarse_[execution().thread()] = Nanoseconds{coarse_.glance()};
    }
    /// What the present thread saw last.
    [[nodiscard]] Nanoseconds lastCoarse() const noexcept {
        return lastCoarse_[execution().thread()];
    }
    void set(Nanoseconds time) {
        precise_.store(time.count(), std::memory_order_relaxed);
        coarse_.store(time.count(), std::memory_order_relaxed);
    }

    static constexpr Nanoseconds kBegin{1000};

private:
    Atomic<std::int64_t> precise_{kBegin.count()};
    Atomic<std::int64_t> coarse_{kBegin.count()};
    std::array<Nanoseconds, kThreads> lastCoarse_{};
};

/// What the state machine takes for its clock.
class ModelTime {
public:
    explicit ModelTime(ClockFace* face) noexcept : face_(face) {}

    [[nodiscard]] Nanoseconds now() const noexcept { return face_->precise(); }
    [[nodiscard]] Nanoseconds coarseNow() const noexcept { return face_->coarse(); }

private:
    ClockFace* face_;
};

}  // namespace fusebox::model
