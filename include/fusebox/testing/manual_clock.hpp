// SPDX-License-Identifier: MIT
// A clock that only a test moves.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::test {

/// Stands still until `advance()`. Copies share one time, so a test keeps one and gives a copy to
/// the breaker. **Threads.** Everything may be called concurrently.
class ManualClock {
public:
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<ManualClock, duration>;
    static constexpr bool is_steady = true;

    ManualClock() = default;
    /// A clock that begins at an instant of its own.
    explicit ManualClock(time_point start) { set(start); }

    [[nodiscard]] time_point now() const noexcept {
        // acquire, with the release of `set` and `advance`: what was done before the time moved is
        // seen by who sees the new time.
        return time_point{duration{now_->load(std::memory_order_acquire)}};
    }

    /// Moves the time on, at most to the end of its range. A negative step moves it back: for tests
    /// of what a broken clock does.
    void advance(duration step) noexcept {
        rep seen = now_->load(std::memory_order_relaxed);
        while (!now_->compare_exchange_weak(seen, saturatingAdd(duration{seen}, step).count(),
                                            std::memory_order_acq_rel, std::memory_order_relaxed)) {
        }
    }

    /// Moves the time to an instant, earlier or later.
    void set(time_point instant) noexcept {
        now_->store(instant.time_since_epoch().count(), std::memory_order_release);
    }

private:
    std::shared_ptr<std::atomic<rep>> now_ = std::make_shared<std::atomic<rep>>(0);
};

}  // namespace fusebox::test
