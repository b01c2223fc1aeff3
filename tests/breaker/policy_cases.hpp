// SPDX-License-Identifier: MIT
// One policy of each kind, all of them made so that the third sick call in a row trips.
#pragma once

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>

#include "fusebox/breaker/circuit_breaker.hpp"

namespace fusebox::test {

/// A policy as a user may write one: trips on three failures since the entry, keeps no window.
struct ThreeFailures {
    friend bool operator==(const ThreeFailures&, const ThreeFailures&) = default;

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const ThreeFailures&) noexcept {}
        void enter(std::chrono::nanoseconds) noexcept { failures_ = 0; }
        Verdict record(const CallRecord& record) noexcept {
            if (record.failed) ++failures_;
            return record.failed && failures_ >= 3;
        }

    private:
        int failures_ = 0;
    };
};
static_assert(TripPolicy<ThreeFailures>);

/// As above, but told of successes too: it forgets at each, and would trip at the tenth, if a fast
/// success could trip anything.
struct ThreeInARowOrTenSuccesses {
    friend bool operator==(const ThreeInARowOrTenSuccesses&,
                           const ThreeInARowOrTenSuccesses&) = default;

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const ThreeInARowOrTenSuccesses&) noexcept {}
        [[nodiscard]] TrackerNeeds needs() const noexcept { return {.successes = true}; }
        void enter(std::chrono::nanoseconds) noexcept { failures_ = successes_ = 0; }
        Verdict record(const CallRecord& record) noexcept {
            failures_ = record.failed ? failures_ + 1 : 0;
            successes_ += !record.failed;
            return failures_ >= 3 || successes_ >= 10;
        }

    private:
        int failures_ = 0;
        int successes_ = 0;
    };
};

// What a TEMPLATE_TEST_CASE can name: types that make a policy.
struct ByConsecutiveFailures {
    static auto policy() { return ConsecutiveFailures{3}; }
};
struct ByFailureCountInTime {
    static auto policy() { return FailureCount{.threshold = 3, .window = std::chrono::hours{1}}; }
};
struct ByFailureCountInCalls {
    static auto policy() { return FailureCount{.threshold = 3, .window = lastCalls(5)}; }
};
struct ByFailureRateInCalls {
    static auto policy() {
        return FailureRate{.threshold = 0.6, .minimumCalls = 3, .window = lastCalls(5)};
    }
};
struct ByFailureRateInTime {
    static auto policy() {
        return FailureRate{.threshold = 0.9, .minimumCalls = 3, .window = std::chrono::hours{1}};
    }
};
struct BySlowCallRate {
    static auto policy() {
        return SlowCallRate{.threshold = 0.6,
                            .slowerThan = std::chrono::seconds{1},
                            .minimumCalls = 3,
                            .window = lastCalls(5)};
    }
};
struct ByCusum {
    // ln(10 000 x 0.1) / ln(0.1 / 0.01) = 3 failures.
    static auto policy() {
        return Cusum{.acceptableFailureRate = 0.01,
                     .unacceptableFailureRate = 0.1,
                     .callsBetweenFalseTrips = 1e4};
    }
};
struct ByAnyOf {
    static auto policy() {
        return anyOf(BySlowCallRate::policy(), ConsecutiveFailures{4}, ByCusum::policy());
    }
};
struct ByAllOf {
    static auto policy() {
        return allOf(ConsecutiveFailures{2}, FailureCount{.threshold = 3},
                     FailureRate{.minimumCalls = 2});
    }
};
struct ByAnyTripPolicy {
    static auto policy() { return AnyTripPolicy{ByAnyOf::policy()}; }
};
struct ByOwnPolicy {
    static auto policy() { return ThreeFailures{}; }
};
struct ByOwnPolicyToldOfSuccesses {
    static auto policy() { return ThreeInARowOrTenSuccesses{}; }
};

/// A sick call: it failed, and took long.
template <class Breaker>
ReportResult sickCall(Breaker& breaker) {
    return breaker.tryAcquire().report(Outcome::Failure, std::chrono::seconds{2});
}
/// A healthy call: it succeeded quickly.
template <class Breaker>
ReportResult healthyCall(Breaker& breaker) {
    return breaker.tryAcquire().report(Outcome::Success, std::chrono::milliseconds{1});
}

}  // namespace fusebox::test
