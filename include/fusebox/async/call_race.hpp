// SPDX-License-Identifier: MIT
// Who ends a call that runs in an executor: itself, the executor, or its deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

enum class Ending : std::uint8_t {
    None,       ///< It has not ended.
    Returned,   ///< It returned or threw.
    Dropped,    ///< The executor let go of it before it ran.
    Abandoned,  ///< Nobody waits for it any more: the deadline passed, or it was withdrawn.
};

/// The first end of a call is the only one. Until then the breaker is there, and its clock may be
/// read through this; after it, this does not touch the breaker.
template <class Core>
class CallRace {
public:
    using Nanoseconds = std::chrono::nanoseconds;
    static constexpr bool onSteadyTimeLine = Core::Time::onSteadyTimeLine;
    /// A clock off the steady time line tells nobody when it moves: it is looked at this often.
    static constexpr std::chrono::milliseconds kLookEvery{10};

    CallRace(const Core& core, Nanoseconds deadline) noexcept : core_(core), deadline_(deadline) {}

    [[nodiscard]] Nanoseconds deadline() const noexcept { return deadline_; }

    /// The breaker's time; of a call that has ended, its deadline: nothing remains.
    [[nodiscard]] Nanoseconds now() const noexcept {
        const std::lock_guard lock{mutex_};
        return ending_ == Ending::None ? breakersTime() : deadline_;
    }

    [[nodiscard]] bool ended() const noexcept {
        const std::lock_guard lock{mutex_};
        return ending_ != Ending::None;
    }

    /// Ends the call; false: it has ended already.
    [[nodiscard]] bool end(Ending how) noexcept {
        const std::lock_guard lock{mutex_};
        if (ending_ != Ending::None) return false;
        ending_ = how;
        ended_.notify_one();
        return true;
    }

    /// Waits until the call has ended, and no longer than until the deadline; says how it ended.
    [[nodiscard]] Ending await() noexcept {
        std::unique_lock lock{mutex_};
        const auto ended = [&] { return ending_ != Ending::None; };
        if (deadline_ == kForever) {
            ended_.wait(lock, ended);
        } else if constexpr (onSteadyTimeLine) {
            using Steady = std::chrono::steady_clock;
            ended_.wait_until(
                lock, Steady::time_point{std::chrono::duration_cast<Steady::duration>(deadline_)},
                ended);
        } else {
            while (!ended() && !isOver(deadline_, breakersTime())) {
                ended_.wait_for(lock, kLookEvery, ended);
            }
        }
        if (!ended()) ending_ = Ending::Abandoned;
        return ending_;
    }

    /// Runs `action` unless the call has ended, and lets nobody end it meanwhile.
    /// @param action is told whether the deadline has passed.
    template <class Action>
    void whileRunning(Action&& action) noexcept {
        const std::lock_guard lock{mutex_};
        if (ending_ == Ending::None) action(isOver(deadline_, breakersTime()));
    }

private:
    [[nodiscard]] Nanoseconds breakersTime() const noexcept { return core_.machine().time().now(); }

    const Core& core_;
    const Nanoseconds deadline_;
    mutable std::mutex mutex_;
    std::condition_variable ended_;
    Ending ending_ = Ending::None;
};

}  // namespace fusebox::detail
