// SPDX-License-Identifier: MIT
// When and why the breaker opened and closed, and what failed last.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/evidence.hpp"
#include "fusebox/breaker/past_calls.hpp"
#include "fusebox/breaker/policy_words.hpp"
#include "fusebox/breaker/saved_state.hpp"
#include "fusebox/breaker/short_text.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/clock.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox::detail {

// Templates, here and below, so that only those compile them who use a breaker.

/// A trip in one sentence.
template <std::same_as<TripRecord> Record>
FUSEBOX_COLD [[nodiscard]] std::string summarize(const Record& trip) {
    std::string text{toString(trip.reason)};
    if (trip.failureRate) {
        // Two decimals are enough to read.
        text += ": " + std::to_string(trip.windowFailures) + " of " +
                toText(trip.windowCalls, "call") + " failed (" +
                toPercent(std::round(*trip.failureRate * 1e4) / 1e4) + ")";
    } else {
        // The window may not know of every call.
        text += ": " + toText(trip.windowFailures, "failure") + " in the window";
    }
    if (trip.windowSlow > 0) text += ", " + std::to_string(trip.windowSlow) + " slow";
    text += ", " + toText(trip.consecutiveFailures, "failure") + " in a row";
    if (!trip.lastOutcomes.empty()) text += "; last calls: " + toText(trip.lastOutcomes);
    if (!trip.policy.empty()) text += "; policy: " + trip.policy;
    if (!trip.lastError.empty()) text += "; last error: " + trip.lastError;
    return text;
}

/// The history of openings. Used under the breaker's mutex; never allocates but in `fill`, which
/// is for copies outside it.
class OpeningHistory {
public:
    using WallTime = std::chrono::system_clock::time_point;

    /// A call that was recorded as failed.
    void failed(const CallEnd& end) noexcept {
        ++(end.outcome == Outcome::Timeout ? timeouts_ : failures_);
        noteError(end.error);
    }

    /// As `lastError`, now.
    void noteError(std::string_view error) noexcept {
        lastError_.assign(error);
        // Of failures within one tick only the first reads the precise clock, which takes longer
        // than all else that a failure does.
        const std::int64_t tick = wallTick();
        if (tick == lastTick_) return;
        lastTick_ = tick;
        lastFailure_ = std::chrono::system_clock::now();
    }

    /// Open as of an instant, learnt of `sinceThen` later.
    void opened(TransitionReason reason, const Evidence& evidence, const PolicyWords& policy,
                std::chrono::nanoseconds asOf, std::chrono::nanoseconds sinceThen,
                std::chrono::nanoseconds wait) noexcept {
        ++timesOpened_;
        openedAt_ = asOf;
        const WallTime time =
            std::chrono::system_clock::now() -
            std::chrono::duration_cast<std::chrono::system_clock::duration>(sinceThen);
        trip_ = {reason, time, evidence, policy, wait, lastError_};
        tripped_ = true;
    }

    /// Goes on where another process stopped; open, if it was, as of `openSince`.
    template <std::same_as<SavedState> Saved>
    void resume(const Saved& saved, std::chrono::nanoseconds openSince) {
        timesOpened_ = saved.timesOpened;
        timesClosed_ = saved.timesClosed;
        timesReconfigured_ = saved.timesReconfigured;
        timeOpen_ = saved.timeOpen;
        openedAt_ = openSince;
        lastError_.assign(saved.lastError);
        lastFailure_ = saved.lastFailureTime.value_or(kNever);
        lastClosed_ = saved.lastClosed.value_or(kNever);
        if (!saved.lastTrip) return;
        const auto& trip = *saved.lastTrip;
        auto policy = std::make_shared<const RememberedPolicy>(trip.policy);
        trip_ = {trip.reason, trip.time, evidenceOf(trip), std::move(policy), trip.wait, {}};
        trip_.error.assign(trip.lastError);
        tripped_ = true;
    }

    /// Open no longer as of `until`.
    void leftOpen(std::chrono::nanoseconds until) noexcept {
        timeOpen_ = saturatingAdd(timeOpen_, openFor(until));
    }

    void closed() noexcept {
        ++timesClosed_;
        lastClosed_ = std::chrono::system_clock::now();
    }

    void reconfigured() noexcept { ++timesReconfigured_; }

    /// How long the present opening has lasted at `now`.
    [[nodiscard]] std::chrono::nanoseconds openFor(std::chrono::nanoseconds now) const noexcept {
        return std::max(saturatingSubtract(now, openedAt_), std::chrono::nanoseconds::zero());
    }

    /// Adds the failures to those that are there.
    template <std::same_as<CircuitBreakerStats> Stats>
    void fill(Stats& stats) const {
        stats.totalFailures += failures_;
        stats.totalTimeouts += timeouts_;
        stats.timesOpened = timesOpened_;
        stats.timesClosed = timesClosed_;
        stats.timesReconfigured = timesReconfigured_;
        stats.timeOpen = timeOpen_;
        stats.lastError = lastError_.view();
        if (lastFailure_ != kNever) stats.lastFailureTime = lastFailure_;
        if (lastClosed_ != kNever) stats.lastClosed = lastClosed_;
        if (!tripped_) return;
        stats.lastOpened = trip_.time;
        trip_.fill(stats.lastTrip.emplace());
    }

private:
    struct Trip {
        TransitionReason reason{};
        WallTime time{};
        Evidence evidence{};
        PolicyWords policy{};
        std::chrono::nanoseconds wait{};
        ShortText error{};

        template <std::same_as<TripRecord> Record>
        FUSEBOX_COLD void fill(Record& record) const {
            record.reason = reason;
            record.time = time;
            record.windowCalls = evidence.window.calls;
            record.windowFailures = evidence.window.failures;
            record.windowSlow = evidence.window.slow;
            record.failureRate = evidence.window.failureRate(evidence.minimumCalls);
            record.slowCallRate = evidence.window.slowCallRate(evidence.minimumCalls);
            record.consecutiveFailures = evidence.consecutiveFailures;
            record.wait = wait;
            if (policy) record.policy = policy->policyWords();
            record.lastError = error.view();
            record.lastOutcomes = evidence.pastCalls.list();
            record.summary = summarize(record);
        }
    };

    // No optionals: those of times would take twice the room, that of a trip longer to compile.
    static constexpr WallTime kNever = WallTime::min();

    std::uint64_t failures_ = 0;
    std::uint64_t timeouts_ = 0;
    std::uint64_t timesOpened_ = 0;
    std::uint64_t timesClosed_ = 0;
    std::uint64_t timesReconfigured_ = 0;
    std::chrono::nanoseconds timeOpen_{0};
    std::chrono::nanoseconds openedAt_{0};
    ShortText lastError_{};
    std::int64_t lastTick_ = 0;
    WallTime lastFailure_ = kNever;
    WallTime lastClosed_ = kNever;
    bool tripped_ = false;
    Trip trip_{};
};

}  // namespace fusebox::detail
