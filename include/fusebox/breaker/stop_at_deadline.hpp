// SPDX-License-Identifier: MIT
// A stop token of one call, stopped at its deadline.
#pragma once

#include <chrono>
#include <utility>

#include "fusebox/breaker/deadline_timer.hpp"
#include "fusebox/vocabulary/platform.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>

namespace fusebox::detail {

/// Lives in the frame of a call. Does nothing, and costs as much, until a token is asked for.
/// **Threads.** `token` may be called concurrently, as long as the object lives.
class StopAtDeadline : private Deadline {
public:
    StopAtDeadline() noexcept : Deadline(&stop) {}
    ~StopAtDeadline() {
        if (armed_) deadlineTimer().disarm(*this);
    }

    /// @param time since the epoch of the steady clock; the same each time.
    [[nodiscard]] std::stop_token token(std::chrono::nanoseconds time) noexcept {
        DeadlineTimer& timer = deadlineTimer();
        if (const auto locked = timer.lock(); source_.stop_possible()) return source_.get_token();
        std::stop_source fresh = makeSource();
        const auto locked = timer.lock();
        if (!source_.stop_possible() && fresh.stop_possible()) {
            source_.swap(fresh);
            armed_ = timer.arm(locked, *this, time);
        }
        return source_.get_token();
    }

private:
    /// One that stops nothing if there is no memory: a call must not fail for want of a token.
    [[nodiscard]] static std::stop_source makeSource() noexcept {
#if defined(__cpp_exceptions)
        try {
            return std::stop_source{};
        } catch (...) {
            return std::stop_source{std::nostopstate};
        }
#else
        return std::stop_source{};
#endif
    }

    static void stop(Deadline& deadline, Lock& lock) noexcept {
        // The call may end at any moment, and so may its frame: this copy is the timer's own.
        std::stop_source source = static_cast<StopAtDeadline&>(deadline).source_;
        lock.unlock();
        source.request_stop();
    }

    std::stop_source source_{std::nostopstate};
    bool armed_ = false;
};

}  // namespace fusebox::detail

#endif
