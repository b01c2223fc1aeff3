// SPDX-License-Identifier: MIT
// The concept TripPolicy: when should a closed breaker open?
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>

#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// A call that a tracker is told of: a failure, a timeout or a slow call of the closed state.
struct CallRecord {
    /// Its place among the calls recorded since the entry into Closed, from 1. The calls between
    /// two records were fast successes.
    std::uint64_t position = 0;
    /// When it ended, since the clock's epoch; never goes back. 0 if the tracker needs no time.
    std::chrono::nanoseconds time{0};
    /// How long it took; 0 when latencies are not measured.
    std::chrono::nanoseconds elapsed{0};
    bool failed = false;
    bool slow = false;
};

/// What a tracker answers to a record.
struct Verdict {
    /// The breaker shall open: the condition holds, and this kind of call may trip it.
    bool trips = false;
    /// The condition holds now, whether or not this kind of call may trip it (for `allOf`).
    bool holds = false;

    constexpr Verdict() noexcept = default;
    constexpr Verdict(bool tripsAndHolds) noexcept : trips(tripsAndHolds), holds(tripsAndHolds) {}
    constexpr Verdict(bool tripsNow, bool holdsNow) noexcept : trips(tripsNow), holds(holdsNow) {}
};

/// What a tracker needs of the breaker beyond records. Each need costs something; the defaults
/// leave a success at one increment.
struct TrackerNeeds {
    /// `CallRecord::time` is filled in: one clock read a record. Else it is 0.
    bool time = true;
    /// Every success is recorded too, under the breaker's mutex: threads then wait for each other.
    bool successes = false;
    /// `tick` is called by the first success after `nextTick()`: one clock read a success.
    bool ticks = false;
    /// Ticks read the precise clock, because a tick is not long against the coarse clock's lag.
    bool preciseTicks = false;
    /// A call that took at least this long is slow.
    std::chrono::nanoseconds slowerThan = kForever;
    /// Fewer calls in the window give no rate.
    std::uint64_t minimumCalls = 1;
    /// How many calls the window can hold, for statistics; 0: no window, or not one of calls.
    std::uint64_t windowSize = 0;
};

/// The state of a policy: what `Policy::Tracker<Clock>` must offer. Every member runs under the
/// breaker's mutex, must not throw and must not call the breaker.
template <class T, class Policy>
concept PolicyTracker = std::constructible_from<T, const Policy&> &&
    requires(T& tracker, const CallRecord& record, std::chrono::nanoseconds now) {
    { tracker.enter(now) }
    noexcept;
    { tracker.record(record) }
    noexcept->std::convertible_to<Verdict>;
};

/// When to trip: a regular value with a nested `template <class Clock> class Tracker`.
/// See docs/concepts/trip_policy.md.
template <class P, class C = std::chrono::steady_clock>
concept TripPolicy = std::regular<P> && requires {
    typename P::template Tracker<C>;
} && PolicyTracker<typename P::template Tracker<C>, P>;

namespace detail {

// An optional member is recognised by its name alone: one of the wrong type is an error, and is not
// silently taken for missing.

/// The needs of a tracker that states none are the defaults.
template <class Tracker>
[[nodiscard]] constexpr TrackerNeeds needsOf(const Tracker& tracker) noexcept {
    if constexpr (requires { tracker.needs(); }) {
        return tracker.needs();
    } else {
        return {};
    }
}

/// The calls in the tracker's window at `now`, when `position` calls are recorded since the entry
/// into Closed; empty for a tracker without a window.
template <class Tracker>
[[nodiscard]] constexpr std::optional<CallCounts> countsOf(const Tracker& tracker,
                                                           std::uint64_t position,
                                                           std::chrono::nanoseconds now) noexcept {
    if constexpr (requires { tracker.counts(position, now); }) {
        return tracker.counts(position, now);
    } else {
        return std::nullopt;
    }
}

/// The score of a tracker that keeps one, as a share of the score that trips, when `position` calls
/// are recorded since the entry into Closed.
template <class Tracker>
[[nodiscard]] constexpr std::optional<double> scoreOf(const Tracker& tracker,
                                                      std::uint64_t position) noexcept {
    if constexpr (requires { tracker.score(position); }) {
        return tracker.score(position);
    } else {
        return std::nullopt;
    }
}

/// When a tracker that needs ticks wants the next one; never for the others.
template <class Tracker>
[[nodiscard]] constexpr std::chrono::nanoseconds nextTickOf(const Tracker& tracker) noexcept {
    if constexpr (requires { tracker.nextTick(); }) {
        return tracker.nextTick();
    } else {
        return kForever;
    }
}

/// Tells a tracker that needs ticks that time has passed: `position` calls were recorded before.
template <class Tracker>
constexpr void tickOf(Tracker& tracker, std::uint64_t position,
                      std::chrono::nanoseconds now) noexcept {
    if constexpr (requires { tracker.tick(position, now); }) tracker.tick(position, now);
}

/// Lets a new tracker take over what another knows, where it can; false where it cannot, and then
/// it may hold anything until `enter`.
template <class Tracker>
constexpr bool adoptFrom(Tracker& tracker, const Tracker& other) noexcept {
    if constexpr (requires { tracker.adopt(other); }) {
        return tracker.adopt(other);
    } else {
        return false;
    }
}

/// The policy's own words, if it has any.
template <class Policy>
[[nodiscard]] std::string describe(const Policy& policy) {
    if constexpr (requires { toString(policy); }) {
        return std::string{toString(policy)};
    } else {
        return "custom policy";
    }
}

/// The policy's own complaint, if it can make one.
template <class Policy>
[[nodiscard]] Complaint complaintOf(const Policy& policy) {
    if constexpr (requires { validate(policy); }) {
        return validate(policy);
    } else {
        return std::nullopt;
    }
}

}  // namespace detail
}  // namespace fusebox
