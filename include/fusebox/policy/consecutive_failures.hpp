// SPDX-License-Identifier: MIT
// Trip on so many failures in a row.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// Trips on `threshold` failures in a row. Forgets everything at the first success: quick when a
/// dependency is gone, blind to one that fails half of the time.
struct ConsecutiveFailures {
    /// Failures in a row, at least 1. Too low trips on a hiccup; too high lets a dead
    /// dependency fail that many callers.
    int threshold = 5;

    friend bool operator==(const ConsecutiveFailures&, const ConsecutiveFailures&) = default;

    friend std::string toString(const ConsecutiveFailures& policy) {
        return detail::toText(policy.threshold, "failure") + " in a row";
    }

    friend Complaint validate(const ConsecutiveFailures& policy) {
        return detail::requireCount("ConsecutiveFailures.threshold", policy.threshold, 1,
                                    std::numeric_limits<int>::max());
    }

    /// Two numbers; a record takes constant time.
    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const ConsecutiveFailures& policy) noexcept
            : threshold_(policy.threshold) {}

        [[nodiscard]] TrackerNeeds needs() const noexcept { return {.time = false}; }

        void enter(std::chrono::nanoseconds) noexcept { last_ = inARow_ = 0; }

        /// Whatever the threshold was.
        bool adopt(const Tracker& other) noexcept {
            last_ = other.last_;
            inARow_ = other.inARow_;
            return true;
        }

        Verdict record(const CallRecord& record) noexcept {
            if (!record.failed) return false;
            inARow_ = record.position == last_ + 1 ? inARow_ + 1 : 1;
            last_ = record.position;
            return static_cast<std::int64_t>(inARow_) >= threshold_;
        }

    private:
        std::int64_t threshold_;
        std::uint64_t last_ = 0;  // the position of the last failure
        std::uint64_t inARow_ = 0;
    };
};

// For qualified calls.
std::string toString(const ConsecutiveFailures& policy);
Complaint validate(const ConsecutiveFailures& policy);

}  // namespace fusebox
