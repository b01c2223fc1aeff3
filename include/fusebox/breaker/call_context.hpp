// SPDX-License-Identifier: MIT
// What a call knows about its own deadline.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/stop_at_deadline.hpp"
#include "fusebox/breaker/time_source.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace fusebox {

/// Given to an `fn` that takes it; valid while that call runs. Hand `remaining()` to whatever
/// waits: a socket, libcurl, gRPC.
class CallContext {
public:
    /// @param clock a detail::TimeSource, or what can be read like one, that outlives the call.
    template <class Time>
    CallContext(const Time& clock, std::chrono::nanoseconds start,
                std::chrono::nanoseconds timeout) noexcept
        : clock_(&clock),
          now_([](const void* c) noexcept { return static_cast<const Time*>(c)->now(); }),
          onSteadyTimeLine_(Time::onSteadyTimeLine),
          deadline_(saturatingAdd(start, timeout)) {}
    CallContext(const CallContext&) = delete;
    CallContext& operator=(const CallContext&) = delete;

    /// Until when the call should be done, on the steady time line; `time_point::max()` without a
    /// deadline. For a breaker on another clock: now plus what remains.
    [[nodiscard]] std::chrono::steady_clock::time_point deadline() const noexcept {
        if (deadline_ == kForever) return std::chrono::steady_clock::time_point::max();
        if (onSteadyTimeLine_) return at(deadline_);
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        return at(saturatingAdd(now, remaining()));
    }

    /// How much time is left on the breaker's clock: 0 once it is up, "never" without a deadline.
    /// Note that some libraries take a timeout of 0 for "wait for ever".
    [[nodiscard]] std::chrono::nanoseconds remaining() const noexcept {
        if (deadline_ == kForever) return kForever;
        return std::max(saturatingSubtract(deadline_, now_(clock_)),
                        std::chrono::nanoseconds::zero());
    }

#if FUSEBOX_HAS_STOP_TOKEN
    /// A token of this call, on which a stop is requested at the deadline; the same each time. Its
    /// `stop_possible()` is false if that never happens: without a deadline, for a breaker on a
    /// clock off the steady time line, and where there is no memory. Nor is a stop requested if the
    /// library's timer thread cannot be started, and after a fork during the call, in the child.
    ///
    /// Callbacks on the token run on the timer thread, which all calls of the process share: they
    /// should be short. They may call breakers. **Cost.** The first one makes a std::stop_source,
    /// which allocates, and arms the timer, which does not; the call's end disarms it.
    [[nodiscard]] std::stop_token stopToken() const noexcept {
        if (!onSteadyTimeLine_ || deadline_ == kForever) return {};
        return stop_.token(deadline_);
    }
#endif

private:
    [[nodiscard]] static std::chrono::steady_clock::time_point at(
        std::chrono::nanoseconds sinceEpoch) noexcept {
        return std::chrono::steady_clock::time_point{
            std::chrono::duration_cast<std::chrono::steady_clock::duration>(sinceEpoch)};
    }

    const void* clock_;
    std::chrono::nanoseconds (*now_)(const void*) noexcept;
    bool onSteadyTimeLine_;
    std::chrono::nanoseconds deadline_;
#if FUSEBOX_HAS_STOP_TOKEN
    mutable detail::StopAtDeadline stop_{};
#endif
};

namespace detail {

template <class Fn>
concept TakesContext = std::is_invocable_v<Fn, const CallContext&>;

#if FUSEBOX_HAS_STOP_TOKEN
template <class Fn>
concept TakesToken = !TakesContext<Fn> && std::is_invocable_v<Fn, std::stop_token>;
#else
template <class Fn>
concept TakesToken = false;
#endif

/// An `fn` that knows its deadline can be told that it missed it.
template <class Fn>
concept KnowsDeadline = TakesContext<Fn> || TakesToken<Fn>;

/// What can be called through a breaker.
template <class Fn>
concept GuardedFn = KnowsDeadline<Fn> || std::is_invocable_v<Fn>;

/// The forms in which a call may take its deadline.
template <class Fn, class Time>
decltype(auto) invokeWithDeadline(Fn&& fn, const Time& clock, std::chrono::nanoseconds start,
                                  std::chrono::nanoseconds timeout) requires KnowsDeadline<Fn> {
    const CallContext context{clock, start, timeout};
    if constexpr (TakesContext<Fn>) {
        return std::invoke(std::forward<Fn>(fn), context);
    } else {
#if FUSEBOX_HAS_STOP_TOKEN
        return std::invoke(std::forward<Fn>(fn), context.stopToken());
#endif
    }
}

}  // namespace detail
}  // namespace fusebox
