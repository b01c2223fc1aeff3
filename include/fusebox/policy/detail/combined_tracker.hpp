// SPDX-License-Identifier: MIT
// The trackers of several policies as one.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "fusebox/policy/detail/combination.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

/// Tells each of its trackers, a tuple or a vector, of every record.
template <class Trackers>
class CombinedTracker {
public:
    // Each tracker is built in place from its policy, so that none need be movable.
    template <class... Policies>
    CombinedTracker(Combination how, const std::tuple<Policies...>& policies)
        : how_(how), trackers_(std::make_from_tuple<Trackers>(policies)) {}
    template <class Policy>
    CombinedTracker(Combination how, const std::vector<Policy>& policies)
        : how_(how), trackers_(policies.begin(), policies.end()) {}

    [[nodiscard]] TrackerNeeds needs() const noexcept { return combinedNeeds(trackers_); }

    void enter(std::chrono::nanoseconds now) noexcept {
        detail::forEach(trackers_, [&](auto& tracker) { tracker.enter(now); });
    }

    /// What the parts know, whatever the combination was; false unless each adopts its counterpart.
    bool adopt(const CombinedTracker& other) noexcept {
        return adoptEach(trackers_, other.trackers_);
    }

    Verdict record(const CallRecord& record) noexcept {
        Verdict verdict = noVerdict(how_);
        detail::forEach(trackers_, [&](auto& tracker) {
            verdict = combine(how_, verdict, tracker.record(record));
        });
        return verdict;
    }

    /// Those of the first tracker that has a window.
    [[nodiscard]] std::optional<CallCounts> counts(std::uint64_t position,
                                                   std::chrono::nanoseconds now) const noexcept {
        std::optional<CallCounts> counts;
        detail::forEach(trackers_, [&](const auto& tracker) {
            if (!counts) counts = countsOf(tracker, position, now);
        });
        return counts;
    }

    /// That of the first tracker that keeps one.
    [[nodiscard]] std::optional<double> score(std::uint64_t position) const noexcept {
        std::optional<double> score;
        detail::forEach(trackers_, [&](const auto& tracker) {
            if (!score) score = scoreOf(tracker, position);
        });
        return score;
    }

    void tick(std::uint64_t position, std::chrono::nanoseconds now) noexcept {
        detail::forEach(trackers_, [&](auto& tracker) {
            if (now >= nextTickOf(tracker)) tickOf(tracker, position, now);
        });
    }

    [[nodiscard]] std::chrono::nanoseconds nextTick() const noexcept {
        std::chrono::nanoseconds next = kForever;
        detail::forEach(trackers_,
                        [&](const auto& tracker) { next = std::min(next, nextTickOf(tracker)); });
        return next;
    }

private:
    Combination how_;
    Trackers trackers_;
};

}  // namespace fusebox::detail
