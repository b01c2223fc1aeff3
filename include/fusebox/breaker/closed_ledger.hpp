// SPDX-License-Identifier: MIT
// The books of one closed period: positions of the calls, and the policy's tracker.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "fusebox/breaker/past_calls.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox::detail {

/// Turns the sum of the shards into positions and asks the tracker for verdicts. A call that is
/// recorded here is a *verdict call* (a failure, a timeout, a slow call; every success too if the
/// tracker needs them); all others stand in the shards only. Used under the breaker's mutex.
template <class Tracker>
class ClosedLedger {
public:
    // Behind a pointer, so that trackers need not be movable to be replaced.
    using Held = std::unique_ptr<Tracker>;

    explicit ClosedLedger(Held tracker) noexcept : tracker_(std::move(tracker)) {}

    [[nodiscard]] TrackerNeeds needs() const noexcept { return needsOf(*tracker_); }

    /// A new closed period begins when the shards stand at `base`.
    void enter(std::uint64_t base, std::chrono::nanoseconds now) noexcept {
        period_ = {base};
        tracker_->enter(now);
    }

    /// Goes on with another tracker; it gets back the one before. Where the new one cannot take
    /// over what the old one knows, a new period begins.
    void replace(Held& tracker, std::uint64_t sum, std::chrono::nanoseconds now) noexcept {
        const bool adopted = adoptFrom(*tracker, std::as_const(*tracker_));
        tracker_.swap(tracker);
        if (!adopted) enter(sum, now);
    }

    /// Records a verdict call while the shards stand at `sum`.
    Verdict record(std::uint64_t sum, CallRecord call, Outcome outcome) noexcept {
        lastSum_ = sum;
        Period& period = period_;
        ++period.verdictCalls;
        call.position = position(sum);
        period.past.pushSuccesses(call.position - period.lastVerdict - 1);
        period.past.push({outcome, call.slow});
        period.lastVerdict = call.position;
        if (call.slow) ++period.slow;
        if (call.failed) {
            ++period.failures;
            period.failureRun = call.position == period.lastFailure + 1 ? period.failureRun + 1 : 1;
            period.lastFailure = call.position;
        }
        return tracker_->record(call);
    }

    /// Where the shards stood at the last record: what its verdict rests on.
    [[nodiscard]] std::uint64_t lastSum() const noexcept { return lastSum_; }

    void tick(std::uint64_t sum, std::chrono::nanoseconds now) noexcept {
        tickOf(*tracker_, position(sum), now);
    }
    [[nodiscard]] std::chrono::nanoseconds nextTick() const noexcept {
        return nextTickOf(*tracker_);
    }

    /// How many calls were recorded in this period.
    [[nodiscard]] std::uint64_t position(std::uint64_t sum) const noexcept {
        return sum - period_.base + period_.verdictCalls;
    }
    /// The tracker's window; without one, the whole period.
    [[nodiscard]] CallCounts counts(std::uint64_t sum,
                                    std::chrono::nanoseconds now) const noexcept {
        const std::uint64_t calls = position(sum);
        return countsOf(*tracker_, calls, now)
            .value_or(CallCounts{calls, period_.failures, period_.slow});
    }
    [[nodiscard]] std::uint64_t consecutiveFailures(std::uint64_t sum) const noexcept {
        return position(sum) == period_.lastFailure ? period_.failureRun : 0;
    }
    [[nodiscard]] std::uint64_t consecutiveSuccesses(std::uint64_t sum) const noexcept {
        return position(sum) - period_.lastFailure;
    }
    /// Empty unless the tracker keeps one.
    [[nodiscard]] std::optional<double> score(std::uint64_t sum) const noexcept {
        return scoreOf(*tracker_, position(sum));
    }
    [[nodiscard]] PastCalls pastCalls(std::uint64_t sum) const noexcept {
        PastCalls past = period_.past;
        past.pushSuccesses(position(sum) - period_.lastVerdict);
        return past;
    }

private:
    /// What is known of the calls since the entry; of positions, 0 is none.
    struct Period {
        std::uint64_t base;
        std::uint64_t verdictCalls = 0;
        std::uint64_t failures = 0;
        std::uint64_t slow = 0;
        std::uint64_t lastFailure = 0;
        std::uint64_t failureRun = 0;
        std::uint64_t lastVerdict = 0;
        PastCalls past{};
    };

    Held tracker_;
    Period period_{};
    std::uint64_t lastSum_ = 0;
};

}  // namespace fusebox::detail
