// SPDX-License-Identifier: MIT
// Trip on a share of failures in a window.
#pragma once

#include <string>

#include "fusebox/policy/detail/rate_tracker.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/validation.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox {

/// Trips on a failure if at least `threshold` of the calls in `window` failed. Independent of the
/// traffic, but a long healthy past hides an outage until the window has turned over.
struct FailureRate {
    /// Share of failures, above 0 and at most 1. Below the everyday share it trips in good health;
    /// near 1 it needs a window full of failures.
    double threshold = 0.5;
    /// Calls in the window below which no rate is taken, at least 1, and no more than the
    /// window's calls. At 1 the very first failure is a rate of 100 %.
    int minimumCalls = 10;
    /// Short windows react quickly and err often. `lastCalls(n)` is exact; a duration T counts all
    /// of the last T and nothing older than T and a tenth.
    Window window = lastCalls(100);

    friend bool operator==(const FailureRate&, const FailureRate&) = default;

    friend std::string toString(const FailureRate& policy) {
        return "failure rate" + detail::rateInWords(policy);
    }

    friend Complaint validate(const FailureRate& policy) {
        return detail::complaintOfRate("FailureRate", policy);
    }

    /// Two bits for each of the last N calls, or 11 slice edges; a record takes constant time.
    template <class Clock>
    class Tracker : public detail::RateTracker<Clock> {
    public:
        explicit Tracker(const FailureRate& policy) : detail::RateTracker<Clock>(policy) {}

        Verdict record(const CallRecord& record) noexcept {
            const CallCounts counts = this->countIn(record, record.slow);
            const bool holds = this->isReachedBy(counts.failureRate(this->minimumCalls()));
            return {record.failed && holds, holds};
        }
    };
};

// For qualified calls.
std::string toString(const FailureRate& policy);
Complaint validate(const FailureRate& policy);

}  // namespace fusebox
