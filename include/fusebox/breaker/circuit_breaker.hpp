// SPDX-License-Identifier: MIT
// CircuitBreaker: the public face of one breaker.
#pragma once

#include <chrono>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/breaker_core.hpp"
#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/permit.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/policy/consecutive_failures.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/clock.hpp"
#include "fusebox/vocabulary/errors.hpp"

namespace fusebox {

namespace detail {

/// The way of the library's own upper rooms to what a breaker is made of.
struct CoreAccess {
    template <class Breaker>
    [[nodiscard]] static auto& coreOf(Breaker& breaker) noexcept {
        return breaker.core_;
    }
};

// Nothing of room 6 is included here: its functions are found by argument-dependent lookup, when
// they are needed.
template <class Core>
concept RunsOnExecutors = requires(Core& core) {
    runsOnExecutors(core);
};
template <class Core>
concept RunsAsync = requires(Core& core) {
    runsAsync(core);
};
template <class Core>
concept GuardsAwaits = requires(Core& core) {
    guardsAwaits(core);
};

}  // namespace detail

/// Guards calls to a dependency: lets them through while it is well, rejects them while it is not,
/// and finds out with a few probes when it is well again.
///
/// **Threads.** Everything may be called concurrently; callables and listeners run with no lock
/// held. After a fork, a child whose parent had another thread inside a failing call must not use
/// the breaker. **Cost.** No allocation on any path of a call that does not throw, but for two that
/// a breaker makes once: when threads first meet in it, it makes a line of counters for each core;
/// when 2^15 measured calls took about as long, wider counts of latencies (then also one each for
/// calls that failed or were ignored, once statistics were taken). A success writes no cache line
/// that another thread writes.
///
/// @tparam Clock see docs/concepts/clock.md; the breaker keeps one instance.
/// @tparam Policy when to trip; see docs/concepts/trip_policy.md.
template <class Clock = std::chrono::steady_clock, class Policy = ConsecutiveFailures>
class CircuitBreaker {
    static_assert(fusebox::Clock<Clock>,
                  "fusebox::CircuitBreaker<Clock, Policy>: Clock must have time_point, duration, "
                  "is_steady and a now() that is callable on a const instance; see "
                  "docs/concepts/clock.md");
    static_assert(TripPolicy<Policy, Clock>,
                  "fusebox::CircuitBreaker<Clock, Policy>: Policy must be a regular value with a "
                  "nested Tracker<Clock> that has noexcept enter(now) and record(call); see "
                  "docs/concepts/trip_policy.md");
    using Core = detail::BreakerCore<Clock, Policy>;

public:
    /// The two-step form of a call; see detail::BasicPermit.
    using Permit = detail::BasicPermit<Core>;

    /// A closed breaker.
    /// @throws ConfigError naming the field, its value and what is allowed. Without exceptions
    /// prints that sentence and aborts.
    explicit CircuitBreaker(std::string name, Policy policy = {},
                            CircuitBreakerOptions options = {}, Clock clock = {})
        : core_(std::move(name), std::move(policy), std::move(options), std::move(clock)) {}
    CircuitBreaker(std::string name, CircuitBreakerOptions options)
        : CircuitBreaker(std::move(name), Policy{}, std::move(options)) {}
    /// Goes on where another process stopped, from what `exportState()` gave there: with its state,
    /// mode, backoff, totals and history. The wait of an open breaker went on meanwhile, by the
    /// system clock. Window, latencies and calls in flight are lost; a half-open breaker has no
    /// probes in flight. Policy, options and their callbacks are the ones given here.
    /// @throws ConfigError also for a text that is malformed, of another version, or of a breaker
    /// of another name.
    CircuitBreaker(std::string name, Policy policy, CircuitBreakerOptions options, Clock clock,
                   std::string_view restoredFrom)
        : core_(std::move(name), std::move(policy), std::move(options), std::move(clock),
                restoredFrom) {}
    CircuitBreaker(const CircuitBreaker&) = delete;
    CircuitBreaker& operator=(const CircuitBreaker&) = delete;
    ~CircuitBreaker() = default;

    /// Calls `fn` if the breaker admits it, judges how it went, and returns exactly what it
    /// returned.
    ///
    /// `fn` is called at most once, on this thread, as `fn(const CallContext&)`,
    /// `fn(std::stop_token)` or `fn()`, the first that it accepts; it may be made by `judgedBy`.
    /// **Counts as.** A result is judged by OutcomeTraits, an exception by
    /// `CircuitBreakerOptions::classifyError`; one later than `requestTimeout` is a timeout.
    /// **Rejected.** The rejection is returned if the result can carry it (RejectionTraits).
    /// @throws CircuitOpenError if it cannot; CallTimeoutError, nesting the exception of an `fn`
    /// that knew its deadline and missed it; else whatever `fn` throws, unchanged.
    template <class Fn>
    FUSEBOX_HOT decltype(auto) execute(Fn&& fn) {
        detail::NoAnswer none;
        return detail::guard(core_, std::forward<Fn>(fn), none);
    }

    /// As above; rejections, and exceptions judged Failure or Timeout, are answered by `fallback`.
    template <class Fn, class F>
    FUSEBOX_HOT decltype(auto) execute(Fn&& fn, Fallback<F> fallback) {
        return detail::guard(core_, std::forward<Fn>(fn), fallback.answer);
    }

    /// Calls `fn` in `executor` (see docs/concepts/executor.md), waits for it, and returns, judges
    /// and throws as `execute` does; `fn` is moved there, or copied if it has a name. For an `fn`
    /// that may hang and cannot be interrupted. Needs <fusebox/async/execute_on.hpp>.
    ///
    /// **Deadline.** `requestTimeout` after its admission the call is a timeout and this returns:
    /// with the fallback's answer, or by CallTimeoutError. If `fn` has begun it goes on, so it must
    /// not refer to what its caller may destroy by then; its result is destroyed in the executor,
    /// and this breaker is not touched any more. If it has not, it is not called.
    /// **Threads.** Admission, judging and events are on this thread. If the executor has only this
    /// thread to run `fn`, nobody does. **Cost.** One allocation, and what the executor needs.
    /// @throws also QueueFullError if `executor.tryExecute` has no room, which is answered like a
    /// rejection; CallDroppedError if the executor let go of `fn` without calling it, which is
    /// answered like an exception; whatever `executor` throws. To the breaker these calls are
    /// cancelled.
    template <class E, class Fn>
    decltype(auto) executeOn(E&& executor, Fn&& fn) {
        return executeOn(executor, std::forward<Fn>(fn), Fallback{detail::NoAnswer{}});
    }
    template <class E, class Fn, class F>
    decltype(auto) executeOn(E&& executor, Fn&& fn, Fallback<F> fallback) {
        static_assert(detail::RunsOnExecutors<Core>,
                      "fusebox: executeOn needs #include <fusebox/async/execute_on.hpp>");
        return guardOn(core_, executor, std::forward<Fn>(fn), fallback.answer);
    }

    /// Calls `fn` in `executor` and returns a std::future of its result at once. The future is
    /// ready when `fn` has ended or, by CallTimeoutError, at the deadline, whichever is first; it
    /// tells a rejection (CircuitOpenError, QueueFullError, or in the result if that can carry it)
    /// from a failure. Needs <fusebox/async/execute_async.hpp>, and exceptions.
    ///
    /// **Lifetime.** The breaker must live until the future is ready; afterwards it is not touched.
    /// (`fusebox::executeAsync` keeps the breaker of a handle alive.) The future may be dropped.
    /// **Threads.** Judging and events are on the executor's thread, at the deadline on the
    /// timer's. Without a timer thread, where none can be started, there is no deadline.
    /// **Cost.** One allocation, those of a std::promise, and what the executor needs.
    /// @throws whatever `executor` throws; all else is in the future.
    template <class E, class Fn>
    auto executeAsync(E&& executor, Fn&& fn) {
        static_assert(detail::RunsAsync<Core>,
                      "fusebox: executeAsync needs #include <fusebox/async/execute_async.hpp>");
        return guardAsync(core_, nullptr, executor, std::forward<Fn>(fn));
    }

    /// For coroutines: `co_await breaker.guard(awaitable)`; see detail::GuardedAwaitable for what
    /// it counts as and gives. Needs <fusebox/async/guarded_awaitable.hpp>.
    template <class Call>
    [[nodiscard]] auto guard(Call&& call) {
        return guard(std::forward<Call>(call), Fallback{detail::NoAnswer{}});
    }
    /// As above; rejections, and exceptions judged Failure or Timeout, are answered by `fallback`.
    template <class Call, class F>
    [[nodiscard]] auto guard(Call&& call, Fallback<F> fallback) {
        static_assert(detail::GuardsAwaits<Core>,
                      "fusebox: guard needs #include <fusebox/async/guarded_awaitable.hpp>, and a "
                      "compiler with coroutines");
        return guardAwaitable(core_, std::forward<Call>(call), std::move(fallback));
    }

    /// Asks to be admitted: `if (!permit) use(permit.rejection())`, else report how it went.
    [[nodiscard]] FUSEBOX_HOT Permit tryAcquire() noexcept {
        detail::Ticket ticket;
        if (!core_.machine().admit(ticket)) [[unlikely]]
            core_.tellRejected(ticket);
        return {core_, ticket};
    }

    /// What the next call would meet: an open breaker whose wait is over reads HalfOpen, a
    /// half-open one whose probe was lost reads Open. Changes nothing.
    [[nodiscard]] CircuitState state() const noexcept { return core_.machine().read().state; }
    [[nodiscard]] bool isOpen() const noexcept { return state() == CircuitState::Open; }
    /// The rest of the wait; empty unless `state()` is Open.
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retryAfter() const noexcept {
        const auto reading = core_.machine().read();
        if (reading.state != CircuitState::Open) return std::nullopt;
        return reading.retryAfter;
    }
    [[nodiscard]] ControlMode mode() const noexcept { return core_.machine().mode(); }
    [[nodiscard]] std::string_view name() const noexcept { return core_.name(); }
    [[nodiscard]] Policy policy() const { return core_.configuration()->policy; }
    [[nodiscard]] CircuitBreakerOptions options() const { return core_.configuration()->options; }
    /// Whether the options are those, callbacks apart; copies nothing.
    [[nodiscard]] bool hasOptions(const CircuitBreakerOptions& options) const noexcept {
        return equivalent(core_.configuration()->options, options);
    }
    /// Whether the policy is that one; copies and converts nothing.
    template <class P>
    [[nodiscard]] bool hasPolicy(const P& policy) const noexcept {
        const auto configuration = core_.configuration();
        if constexpr (requires { configuration->policy.isSameAs(policy); }) {
            return configuration->policy.isSameAs(policy);
        } else {
            return configuration->policy == policy;
        }
    }

    /// A snapshot; callers that succeed or are rejected do not wait for it. The first one makes
    /// histograms by outcome, about 1 KiB.
    [[nodiscard]] CircuitBreakerStats stats() const { return core_.stats(); }

    /// Goes on under another policy and other options. State, wait, backoff, totals and history
    /// stay, and the window where its shape allows: under the same kind of policy over a window
    /// that is not longer (over time: as long). Calls in flight are judged by the rules they were
    /// admitted with, and are stale. Announced by Reconfigured. The number of shards cannot change.
    /// @throws ConfigError as the constructor does; then nothing has changed.
    void reconfigure(const Policy& policy, const CircuitBreakerOptions& options) {
        core_.reconfigure(&policy, &options);
    }
    void reconfigure(const Policy& policy) { core_.reconfigure(&policy, nullptr); }
    void reconfigure(const CircuitBreakerOptions& options) { core_.reconfigure(nullptr, &options); }

    /// A text to make a breaker of the same name from, also in another process or after years:
    /// lines of `field=value`, versioned.
    [[nodiscard]] std::string exportState() const { return core_.save(); }

    /// Lays a mode over the cycle. Ends the epoch: calls in flight become stale.
    void setMode(ControlMode mode) noexcept { core_.machine().setMode(mode); }
    /// Opens now, to recover as usual; does nothing if open.
    void open() noexcept { core_.machine().open(std::nullopt); }
    /// Opens now for `wait`, this once; does nothing if open.
    /// @throws ConfigError unless wait > 0.
    void open(std::chrono::nanoseconds wait) {
        if (const auto complaint = detail::requirePositive("wait", wait)) {
            detail::raise(ConfigError{"circuit breaker \"" + core_.name() + "\": " + *complaint});
        }
        core_.machine().open(wait);
    }
    /// Closes now, with an empty window; does nothing if closed.
    void close() noexcept { core_.machine().close(); }
    /// Closes, keeps the mode, and returns every statistic to a new breaker's.
    void reset() noexcept { core_.machine().reset(); }

    /// Calls `listener(const Event&)`, or `listener()`, for every event of that type until the
    /// subscription is gone. What it throws is contained and counted in `stats().listenerErrors`.
    template <class Event, detail::ListensTo<Event> Listener>
    [[nodiscard]] Subscription on(Listener listener) {
        return core_.hub().template on<Event>(detail::listenerOf<Event>(std::move(listener)));
    }

private:
    friend detail::CoreAccess;

    Core core_;
};

/// A breaker on the steady clock.
template <class Policy>
using SteadyCircuitBreaker = CircuitBreaker<std::chrono::steady_clock, Policy>;

}  // namespace fusebox
