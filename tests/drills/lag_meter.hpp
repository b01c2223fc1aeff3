// SPDX-License-Identifier: MIT
// How late the machine lets threads run.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace fusebox::test {

/// A thread that sleeps for a moment again and again, and notes how late it woke.
class LagMeter {
public:
    using Clock = std::chrono::steady_clock;

    /// The longest lag that was noticed since then, or is just going on.
    [[nodiscard]] std::chrono::nanoseconds worstSince(Clock::time_point since) const {
        const std::lock_guard lock{mutex_};
        std::chrono::nanoseconds worst = Clock::now() - due_;
        for (const Lag& lag : lags_) {
            if (lag.noticed >= since) worst = std::max(worst, lag.length);
        }
        return std::max(worst, std::chrono::nanoseconds{0});
    }

private:
    static constexpr std::chrono::milliseconds kNap{2};

    struct Lag {
        Clock::time_point noticed;
        std::chrono::nanoseconds length;
    };

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::this_thread::sleep_until(due_);
            const auto now = Clock::now();
            const std::lock_guard lock{mutex_};
            if (now - due_ > kNap) lags_.push_back({now, now - due_});
            due_ = now + kNap;
        }
    }

    mutable std::mutex mutex_;
    Clock::time_point due_ = Clock::now() + kNap;  // Written by the thread, under the mutex.
    std::vector<Lag> lags_;
    std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

}  // namespace fusebox::test
