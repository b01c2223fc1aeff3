// SPDX-License-Identifier: MIT
// A breaker on a manual clock, and the steps that tests are made of.
#pragma once

#include <chrono>
#include <exception>
#include <utility>
#include <vector>

#include "breaker/conservation.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

namespace fusebox::test {

inline const CircuitBreakerOptions kTwoSeconds{.requestTimeout = std::chrono::seconds{2}};

/// Admits `n` calls one after the other and reports each; the last report's result.
template <class Breaker>
ReportResult report(Breaker& breaker, Outcome outcome, int n = 1) {
    ReportResult result = ReportResult::AlreadyReported;
    for (int i = 0; i < n; ++i) {
        auto permit = breaker.tryAcquire();
        REQUIRE(permit);
        result = permit.report(outcome);
    }
    return result;
}

/// A breaker on a clock of its own; whatever a test did with it, its statistics add up in the end.
template <class Policy = ConsecutiveFailures>
struct Rig {
    using Breaker = CircuitBreaker<ManualClock, Policy>;
    using Permit = typename Breaker::Permit;
    using Nanoseconds = std::chrono::nanoseconds;

    ManualClock clock{};
    Breaker breaker;

    explicit Rig(CircuitBreakerOptions options = {}, Policy policy = {})
        : breaker("rig", std::move(policy), std::move(options), clock) {}
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    ~Rig() {
        if (std::uncaught_exceptions() == 0) checkConservation(breaker.stats());
    }

    [[nodiscard]] CircuitState state() const { return breaker.state(); }
    [[nodiscard]] CircuitBreakerStats stats() const { return breaker.stats(); }

    ReportResult succeed(int n = 1) { return report(breaker, Outcome::Success, n); }
    ReportResult fail(int n = 1) { return report(breaker, Outcome::Failure, n); }
    ReportResult ignore(int n = 1) { return report(breaker, Outcome::Ignored, n); }
    /// A call that takes its time on the clock.
    ReportResult take(Nanoseconds elapsed, Outcome outcome = Outcome::Success) {
        auto permit = breaker.tryAcquire();
        REQUIRE(permit);
        clock.advance(elapsed);
        return permit.report(outcome);
    }

    /// A call that the breaker must admit, now in flight.
    [[nodiscard]] Permit begin() {
        Permit permit = breaker.tryAcquire();
        REQUIRE(permit);
        return permit;
    }
    [[nodiscard]] std::vector<Permit> begin(int n) {
        std::vector<Permit> permits;
        for (int i = 0; i < n; ++i) permits.push_back(begin());
        return permits;
    }
    /// The rejection of a call that the breaker must not admit.
    Rejection rejected() {
        const Permit permit = breaker.tryAcquire();
        REQUIRE_FALSE(permit);
        return permit.rejection();
    }

    /// Fails until the policy opens the breaker.
    void trip() {
        REQUIRE(state() == CircuitState::Closed);
        for (int i = 0; i < 1000 && state() == CircuitState::Closed; ++i) fail();
        REQUIRE(state() == CircuitState::Open);
    }
    /// Waits until the open breaker would admit a probe.
    void wait() {
        REQUIRE(breaker.retryAfter());
        clock.advance(*breaker.retryAfter());
        REQUIRE(state() == CircuitState::HalfOpen);
    }
    /// From closed to half-open, the transition made.
    void reachHalfOpen() {
        trip();
        wait();
        ignore();
        REQUIRE(state() == CircuitState::HalfOpen);
    }
    /// Probes until the half-open breaker closes.
    void recover() {
        REQUIRE(state() == CircuitState::HalfOpen);
        succeed(breaker.options().successThreshold);
        REQUIRE(state() == CircuitState::Closed);
    }
};

}  // namespace fusebox::test
