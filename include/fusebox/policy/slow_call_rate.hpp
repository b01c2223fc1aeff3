// SPDX-License-Identifier: MIT
// Trip on a share of slow calls in a window.
#pragma once

#include <chrono>
#include <string>

#include "fusebox/policy/detail/rate_tracker.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox {

/// Trips on a slow call if at least `threshold` of the calls in `window` took `slowerThan` or
/// longer, whether they failed or not. Needs latencies: `measureLatency` must be on.
struct SlowCallRate {
    /// Share of slow calls, above 0 and at most 1.
    double threshold = 0.5;
    /// A call that took at least this long is slow (above 0). Near the everyday latency it trips in
    /// good health; near the request timeout it says no more than the failure rate.
    std::chrono::nanoseconds slowerThan = std::chrono::seconds{2};
    /// Calls in the window below which no rate is taken, at least 1, and no more than the
    /// window's calls.
    int minimumCalls = 10;
    /// As in `FailureRate`.
    Window window = lastCalls(100);

    friend bool operator==(const SlowCallRate&, const SlowCallRate&) = default;

    friend std::string toString(const SlowCallRate& policy) {
        return "slow call rate (" + detail::toText(policy.slowerThan) + " or longer)" +
               detail::rateInWords(policy);
    }

    friend Complaint validate(const SlowCallRate& policy) {
        return detail::firstOf(
            detail::requirePositive("SlowCallRate.slowerThan", policy.slowerThan),
            detail::complaintOfRate("SlowCallRate", policy));
    }

    /// As `FailureRate::Tracker`; told of slow successes too.
    template <class Clock>
    class Tracker : public detail::RateTracker<Clock> {
    public:
        explicit Tracker(const SlowCallRate& policy)
            : detail::RateTracker<Clock>(policy), slowerThan_(policy.slowerThan) {}

        [[nodiscard]] TrackerNeeds needs() const noexcept {
            TrackerNeeds needs = detail::RateTracker<Clock>::needs();
            needs.slowerThan = slowerThan_;
            return needs;
        }

        /// As `FailureRate::Tracker`, if the same calls were slow.
        bool adopt(const Tracker& other) noexcept {
            return slowerThan_ == other.slowerThan_ && detail::RateTracker<Clock>::adopt(other);
        }

        Verdict record(const CallRecord& record) noexcept {
            // Not `record.slow`: beside a stricter policy that says less.
            const bool slow = record.elapsed >= slowerThan_;
            const CallCounts counts = this->countIn(record, slow);
            const bool holds = this->isReachedBy(counts.slowCallRate(this->minimumCalls()));
            return {slow && holds, holds};
        }

    private:
        std::chrono::nanoseconds slowerThan_;
    };
};

// For qualified calls.
std::string toString(const SlowCallRate& policy);
Complaint validate(const SlowCallRate& policy);

}  // namespace fusebox
