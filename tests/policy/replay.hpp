// SPDX-License-Identifier: MIT
// Replays random calls to a tracker, as the breaker would tell it of them, and to its definition.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <random>

#include "fusebox/policy/trip_policy.hpp"
#include "policy/naive_policies.hpp"

namespace fusebox::test {

template <class Policy>
using TrackerOf = typename Policy::template Tracker<std::chrono::steady_clock>;

/// Plays the breaker's part: counts positions, tells of successes only on demand, ticks.
template <class Policy, class Clock = std::chrono::steady_clock>
class TrackerDriver {
public:
    explicit TrackerDriver(const Policy& policy)
        : tracker_(policy), needs(detail::needsOf(tracker_)) {}

    void enter(std::chrono::nanoseconds now) {
        position_ = 0;
        tracker_.enter(now);
    }

    /// The tracker's verdict; empty if it was not told of the call.
    std::optional<Verdict> add(const Call& call) {
        const bool due = needs.ticks && call.time >= detail::nextTickOf(tracker_);
        if (due) detail::tickOf(tracker_, position_, call.time);
        ++position_;
        if (!call.failed && !call.slow && !needs.successes) return std::nullopt;
        return tracker_.record({.position = position_,
                                .time = needs.time ? call.time : std::chrono::nanoseconds{0},
                                .elapsed = call.elapsed,
                                .failed = call.failed,
                                .slow = call.slow});
    }

    [[nodiscard]] std::optional<CallCounts> counts(std::chrono::nanoseconds now) const {
        return detail::countsOf(tracker_, position_, now);
    }

private:
    typename Policy::template Tracker<Clock> tracker_;
    std::uint64_t position_ = 0;

public:
    const TrackerNeeds needs;
};

/// How a replay went.
struct Replay {
    int differences = 0;  ///< verdicts or counts that are not the definition's
    int trips = 0;        ///< to see that the replay tried something
    int told = 0;
};

/// Seeded random calls in healthy, uneasy and sick phases; times stand still, creep, or jump over
/// edges and windows of the round durations that the tests use. Enters anew now and then, also
/// after some of the trips.
template <class Policy>
[[nodiscard]] Replay replay(const Policy& policy,
                            const std::function<NaivePolicyPtr(std::chrono::nanoseconds)>& define,
                            int operations, std::uint64_t seed) {
    using std::chrono::nanoseconds;
    TrackerDriver<Policy> tracker{policy};
    std::mt19937_64 random{seed};
    const auto oneIn = [&](std::uint64_t n) { return random() % n == 0; };
    Replay result;
    nanoseconds now{0};
    NaivePolicyPtr definition = define(now);
    tracker.enter(now);
    for (int i = 0; i < operations; ++i) {
        const int sickness = (i / 700) % 4 * 30 + 2;
        constexpr nanoseconds kJumps[] = {nanoseconds{99},   nanoseconds{100},  nanoseconds{101},
                                          nanoseconds{999},  nanoseconds{1000}, nanoseconds{1001},
                                          nanoseconds{1099}, nanoseconds{1100}, nanoseconds{2500}};
        if (oneIn(3)) now += nanoseconds{random() % 20};
        if (oneIn(50)) now += kJumps[random() % 9];
        Call call{.time = now, .failed = random() % 100 < static_cast<std::uint64_t>(sickness)};
        if (oneIn(3)) call.elapsed = nanoseconds{random() % 30};
        call.slow = call.elapsed >= tracker.needs.slowerThan;

        const Verdict expected = definition->add(call);
        const std::optional<Verdict> verdict = tracker.add(call);
        if (verdict) {
            ++result.told;
            result.trips += expected.trips;
            result.differences +=
                verdict->trips != expected.trips || verdict->holds != expected.holds;
        } else {
            // What it is not told of must not be able to trip it.
            result.differences += expected.trips;
        }
        result.differences += tracker.counts(now) != definition->counts(now);
        if (oneIn(2000) || (expected.trips && oneIn(50))) {
            definition = define(now);
            tracker.enter(now);
        }
    }
    return result;
}

template <class Policy>
[[nodiscard]] Replay replay(const Policy& policy, int operations, std::uint64_t seed = 1) {
    return replay<Policy>(
        policy, [&](std::chrono::nanoseconds origin) { return naive(policy, origin); }, operations,
        seed);
}

}  // namespace fusebox::test
