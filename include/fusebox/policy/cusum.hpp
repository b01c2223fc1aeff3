// SPDX-License-Identifier: MIT
// Trip when the failures are better explained by an outage than by chance: Page's cumulative sum.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// Trips by sequential change detection (E. S. Page, "Continuous inspection schemes", Biometrika
/// 41, 1954): among the rules that err as rarely, none needs fewer calls in the worst case to
/// notice that the failure rate jumped (G. Lorden 1971, G. V. Moustakides 1986). It has no window.
///
/// Each failure adds ln(unacceptable / acceptable) to a score, each success takes off
/// ln((1 - acceptable) / (1 - unacceptable)), never below zero; the breaker trips when the score
/// reaches ln(callsBetweenFalseTrips * unacceptable). docs/design/policies.md shows why that limit.
struct Cusum {
    /// The failure rate of good health, above 0. Too low trips on ordinary failures.
    double acceptableFailureRate = 0.01;
    /// The failure rate to react to, above the acceptable one and at most 1. Rates in between are
    /// noticed late or never.
    double unacceptableFailureRate = 0.30;
    /// While failures keep to the acceptable rate, a false trip comes once in so many calls or more
    /// rarely, on average. Above 1 and at most 1e15; ten times as many cost ln(10) of score.
    double callsBetweenFalseTrips = 1e6;

    /// The largest `callsBetweenFalseTrips`.
    static constexpr double kMaxCallsBetweenFalseTrips = 1e15;

    friend bool operator==(const Cusum&, const Cusum&) = default;

    friend std::string toString(const Cusum& policy) {
        return "rise of the failure rate from " + detail::toPercent(policy.acceptableFailureRate) +
               " to " + detail::toPercent(policy.unacceptableFailureRate) + " (Cusum, " +
               detail::toText(policy.callsBetweenFalseTrips) + " calls between false trips)";
    }

    friend Complaint validate(const Cusum& policy) {
        const double acceptable = policy.acceptableFailureRate;
        const double unacceptable = policy.unacceptableFailureRate;
        const double calls = policy.callsBetweenFalseTrips;
        // Written so that a NaN fails each test.
        if (!(acceptable > 0.0 && acceptable < 1.0)) {
            return detail::complain("Cusum.acceptableFailureRate", detail::toText(acceptable),
                                    "a number above 0 and below unacceptableFailureRate");
        }
        if (!(unacceptable > acceptable && unacceptable <= 1.0)) {
            return detail::complain("Cusum.unacceptableFailureRate", detail::toText(unacceptable),
                                    "a number above acceptableFailureRate (" +
                                        detail::toText(acceptable) + ") and at most 1");
        }
        if (!(calls > 1.0 && calls <= kMaxCallsBetweenFalseTrips)) {
            return detail::complain(
                "Cusum.callsBetweenFalseTrips", detail::toText(calls),
                "a number above 1 and at most " + detail::toText(kMaxCallsBetweenFalseTrips));
        }
        return std::nullopt;
    }

    /// Two numbers; a record takes constant time: the successes since the last one are taken off at
    /// once, which in fixed point is exactly what taking them off one by one would give.
    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const Cusum& policy) noexcept {
            const double rise =
                std::log(policy.unacceptableFailureRate) - std::log(policy.acceptableFailureRate);
            const double fall = std::log1p(-policy.acceptableFailureRate) -
                                std::log1p(-policy.unacceptableFailureRate);
            fall_ = roundedUp(fall / rise * kFailure + 1.0);
            // Round figures give whole numbers of failures, such as ln(1e6 * 0.1) / ln(0.1 / 0.01),
            // which is 5: the last bits, which std::log gets wrong, must not ask for a sixth.
            const double limit =
                std::log(policy.callsBetweenFalseTrips * policy.unacceptableFailureRate);
            limit_ = roundedUp(limit / rise * kFailure * (1.0 - 1e-14));
        }

        [[nodiscard]] TrackerNeeds needs() const noexcept { return {.time = false}; }

        void enter(std::chrono::nanoseconds) noexcept { score_ = last_ = 0; }

        /// The score of the same rates, whatever the limit was.
        bool adopt(const Tracker& other) noexcept {
            score_ = other.score_;
            last_ = other.last_;
            return fall_ == other.fall_;
        }

        Verdict record(const CallRecord& record) noexcept {
            const std::uint64_t calls = record.position - last_;
            const std::uint64_t successes = record.failed ? calls - 1 : calls;
            last_ = record.position;
            score_ = scoreAfter(successes);
            if (record.failed) score_ = std::min(score_ + kUnit, kMost);
            const bool holds = score_ >= limit_;
            return {record.failed && holds, holds};
        }

        /// 0..1; at 1 it trips.
        [[nodiscard]] double score(std::uint64_t position) const noexcept {
            return static_cast<double>(scoreAfter(position - last_)) / static_cast<double>(limit_);
        }

    private:
        [[nodiscard]] std::uint64_t scoreAfter(std::uint64_t successes) const noexcept {
            return successes > score_ / fall_ ? 0 : score_ - successes * fall_;
        }

        // The score counts in failures, with 40 bits of fraction: a failure adds exactly one. Falls
        // are rounded up, so that the score is never above the exact one, and with it the bound on
        // false trips holds. A limit beyond what a score can reach (16 million failures) is never.
        static constexpr std::uint64_t kUnit = std::uint64_t{1} << 40;
        static constexpr double kFailure = static_cast<double>(kUnit);
        static constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();
        static constexpr std::uint64_t kMost = kNever - kUnit;

        /// At least 1, so that only a failure can reach the lowest limit.
        [[nodiscard]] static std::uint64_t roundedUp(double units) noexcept {
            // An unacceptable rate of 1 makes the fall infinite; rates that are too close to tell
            // apart make the limit so, or NaN.
            const bool fits = units < static_cast<double>(kMost);
            return fits ? static_cast<std::uint64_t>(std::ceil(std::max(units, 1.0))) : kNever;
        }

        std::uint64_t fall_;
        std::uint64_t limit_;
        std::uint64_t score_ = 0;
        std::uint64_t last_ = 0;  // the position of the last record
    };
};

// For qualified calls.
std::string toString(const Cusum& policy);
Complaint validate(const Cusum& policy);

}  // namespace fusebox
