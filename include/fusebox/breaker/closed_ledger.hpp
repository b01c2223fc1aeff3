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
        base_ = base;
        verdictCalls_ = 0;
        failures_ = 0;
        slow_ = 0;
        lastFailure_ = 0;
        failureRun_ = 0;
        lastVerdict_ = 0;
        past_ = {};
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
        ++verdictCalls_;
        call.position = position(sum);
        past_.pushSuccesses(call.position - lastVerdict_ - 1);
        past_.push({outcome, call.slow});
        lastVerdict_ = call.position;
        if (call.slow) ++slow_;
        if (call.failed) {
            ++failures_;
            failureRun_ = call.position == lastFailure_ + 1 ? failureRun_ + 1 : 1;
            lastFailure_ = call.position;
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
        return sum - base_ + verdictCalls_;
    }
    /// The tracker's window; without one, the whole period.
    [[nodiscard]] CallCounts counts(std::uint64_t sum,
                                    std::chrono::nanoseconds now) const noexcept {
        const std::uint64_t calls = position(sum);
        return countsOf(*tracker_, calls, now).value_or(CallCounts{calls, failures_, slow_});
    }
    [[nodiscard]] std::uint64_t consecutiveFailures(std::uint64_t sum) const noexcept {
        return position(sum) == lastFailure_ ? failureRun_ : 0;
    }
    [[nodiscard]] std::uint64_t consecutiveSuccesses(std::uint64_t sum) const noexcept {
        return position(sum) - lastFailure_;
    }
    /// Empty unless the tracker keeps one.
    [[nodiscard]] std::optional<double> score(std::uint64_t sum) const noexcept {
        return scoreOf(*tracker_, position(sum));
    }
    [[nodiscard]] PastCalls pastCalls(std::uint64_t sum) const noexcept {
        PastCalls past = past_;
        past.pushSuccesses(position(sum) - lastVerdict_);
        return past;
    }

private:
    Held tracker_;
    std::uint64_t base_ = 0;
    std::uint64_t lastSum_ = 0;
    std::uint64_t verdictCalls_ = 0;
    std::uint64_t failures_ = 0;
    std::uint64_t slow_ = 0;
    std::uint64_t lastFailure_ = 0;
    std::uint64_t failureRun_ = 0;
    std::uint64_t lastVerdict_ = 0;
    PastCalls past_{};
};

}  // namespace fusebox::detail
