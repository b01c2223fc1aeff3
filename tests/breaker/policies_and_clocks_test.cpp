// SPDX-License-Identifier: MIT
// One behaviour, whatever the policy and the clock.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "breaker/conservation.hpp"
#include "breaker/policy_cases.hpp"
#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"
#include "support/sanitized.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// What these tests do to a breaker, whatever its type. What they ask is compiled once.
class AnyBreaker {
public:
    /// A call in flight; given back with its end.
    struct InFlight {
        bool admitted = false;
        std::function<ReportResult()> succeed{};
    };

    AnyBreaker() = default;
    AnyBreaker(const AnyBreaker&) = delete;
    AnyBreaker& operator=(const AnyBreaker&) = delete;
    virtual ~AnyBreaker() = default;

    virtual ReportResult callHealthily() = 0;
    virtual ReportResult callSickly() = 0;
    virtual void callAndIgnore() = 0;
    virtual void callAndAskForRejection() = 0;
    [[nodiscard]] virtual InFlight begin() = 0;
    virtual int execute(int (*call)()) = 0;
    virtual int execute(int (*call)(), int (*instead)()) = 0;

    [[nodiscard]] virtual CircuitState state() const = 0;
    [[nodiscard]] virtual CircuitBreakerStats stats() const = 0;
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> retryAfter() const = 0;
    virtual void reset() = 0;
    virtual void close() = 0;
    virtual void setMode(ControlMode mode) = 0;
};

template <class Breaker>
class BreakerOf final : public AnyBreaker {
public:
    explicit BreakerOf(Breaker& breaker) : breaker_(breaker) {}

    ReportResult callHealthily() override { return healthyCall(breaker_); }
    ReportResult callSickly() override { return sickCall(breaker_); }
    void callAndIgnore() override { breaker_.tryAcquire().ignore(); }
    void callAndAskForRejection() override { (void)breaker_.tryAcquire().rejection(); }
    [[nodiscard]] InFlight begin() override {
        const auto permit = std::make_shared<typename Breaker::Permit>(breaker_.tryAcquire());
        return {static_cast<bool>(*permit), [permit] { return permit->success(); }};
    }
    int execute(int (*call)()) override { return breaker_.execute(call); }
    int execute(int (*call)(), int (*instead)()) override {
        return breaker_.execute(call, fallback(instead));
    }

    [[nodiscard]] CircuitState state() const override { return breaker_.state(); }
    [[nodiscard]] CircuitBreakerStats stats() const override { return breaker_.stats(); }
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retryAfter() const override {
        return breaker_.retryAfter();
    }
    void reset() override { breaker_.reset(); }
    void close() override { breaker_.close(); }
    void setMode(ControlMode mode) override { breaker_.setMode(mode); }

private:
    Breaker& breaker_;
};

/// What needs no time to pass, and so holds on a real clock, too.
void behavesWithoutTime(AnyBreaker& breaker) {
    const auto stats = [&] {
        const CircuitBreakerStats snapshot = breaker.stats();
        checkConservation(snapshot);
        return snapshot;
    };
    // Healthy calls never trip, nor do neutral ones.
    for (int i = 0; i < 20; ++i) CHECK(breaker.callHealthily() == ReportResult::Recorded);
    for (int i = 0; i < 20; ++i) breaker.callAndIgnore();
    for (int i = 0; i < 20; ++i) breaker.callAndAskForRejection();
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK(stats().consecutiveSuccesses == 20);
    CHECK(stats().totalCancelled == 20);
    // An empty window, so that what follows is the same for every policy.
    breaker.reset();
    CHECK(stats().totalCalls == 0);
    // The third sick call trips, and only that.
    const auto overhanging = breaker.begin();
    CHECK(breaker.callSickly() == ReportResult::Recorded);
    CHECK(breaker.callSickly() == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK(breaker.callSickly() == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Open);
    CHECK(stats().timesOpened == 1);
    CHECK(stats().consecutiveFailures == 3);
    CHECK(stats().lastTrip->reason == TransitionReason::PolicyTripped);
    // Open: everything is rejected, late reports are stale.
    CHECK_FALSE(breaker.begin().admitted);
    CHECK_THROWS_AS(breaker.execute([]() -> int {
        FAIL("called");
        return 0;
    }),
                    CircuitOpenError);
    CHECK(breaker.execute([] { return 1; }, [] { return 2; }) == 2);
    CHECK(overhanging.succeed() == ReportResult::Stale);
    CHECK(stats().totalRejected == 3);
    CHECK(breaker.retryAfter().value() <= 1h);
    CHECK(breaker.retryAfter().value() > 59min);
    // Closed by hand: the window is empty again.
    breaker.close();
    CHECK(breaker.callSickly() == ReportResult::Recorded);
    CHECK(breaker.callSickly() == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Closed);
    // What a forced mode admits is not for the policy to see.
    breaker.setMode(ControlMode::ForcedClosed);
    for (int i = 0; i < 10; ++i) CHECK(breaker.callSickly() == ReportResult::Recorded);
    breaker.setMode(ControlMode::Automatic);
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK(breaker.callSickly() == ReportResult::Recorded);
    CHECK(breaker.state() == CircuitState::Open);
    CHECK(stats().timesOpened == 2);
    breaker.reset();
    CHECK(stats().timesOpened == 0);
    CHECK(breaker.execute([] { return 5; }) == 5);
}

/// The whole cycle, on a clock that the test moves.
void behavesInTime(AnyBreaker& breaker, ManualClock& clock, TransitionLog& log) {
    const auto wait = [&] {
        REQUIRE(breaker.retryAfter());
        clock.advance(*breaker.retryAfter());
        REQUIRE(breaker.state() == CircuitState::HalfOpen);
    };
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 3; ++i) breaker.callSickly();
        CHECK(breaker.state() == CircuitState::Open);
        CHECK(breaker.retryAfter() == 10s);
        const std::uint64_t window = breaker.stats().windowCalls;
        CHECK(window == 3);
        wait();
        breaker.callSickly();
        CHECK(breaker.state() == CircuitState::Open);
        wait();
        const auto lost = breaker.begin();
        REQUIRE(lost.admitted);
        CHECK(breaker.stats().probesInFlight == 1);
        clock.advance(5s + 1ns);
        CHECK(breaker.state() == CircuitState::Open);
        wait();
        CHECK(breaker.callHealthily() == ReportResult::Recorded);
        CHECK(breaker.state() == CircuitState::HalfOpen);
        CHECK(breaker.stats().windowCalls == window);
        CHECK(breaker.callHealthily() == ReportResult::Recorded);
        CHECK(breaker.state() == CircuitState::Closed);
        CHECK(breaker.stats().windowCalls == 0);
        CHECK(log.lines() ==
              Lines{"CLOSED > OPEN: POLICY_TRIPPED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                    "HALF_OPEN > OPEN: PROBE_FAILED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                    "HALF_OPEN > OPEN: PROBE_LOST", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                    "HALF_OPEN > CLOSED: PROBES_SUCCEEDED"});
    }
    CHECK(breaker.stats().timeOpen == 3 * 3 * 10s);
}

template <class T, class... Others>
constexpr bool isOneOf = (std::is_same_v<T, Others> || ...);

template <class Clock, class Policy>
void behavesOn(const Policy& policy, const CircuitBreakerOptions& options) {
    CircuitBreaker<Clock, Policy> breaker{"suite", policy, options};
    BreakerOf any{breaker};
    behavesWithoutTime(any);
}

template <class Case>
void behaves(CircuitBreakerOptions options) {
    const auto policy = Case::policy();
    behavesOn<ManualClock>(policy, options);
    // Sanitizers look for other things than what a policy and a clock do together.
    if constexpr (!kSanitized || std::is_same_v<Case, ByConsecutiveFailures>) {
        behavesOn<std::chrono::steady_clock>(policy, options);
    }
    // One policy with a window of time, one without a window, and the one that can be any.
    if constexpr (std::is_same_v<Case, ByConsecutiveFailures> ||
                  (!kSanitized && isOneOf<Case, ByFailureRateInTime, ByAnyTripPolicy>)) {
        behavesOn<CoarseSteadyClock>(policy, options);
    }
    options.recoveryTimeout = 10s;
    options.probeTimeout = 5s;
    Rig rig{options, policy};
    BreakerOf any{rig.breaker};
    TransitionLog log{rig.breaker};
    behavesInTime(any, rig.clock, log);
}

}  // namespace

TEMPLATE_TEST_CASE("A breaker behaves the same under every policy and on every clock", "",
                   ByConsecutiveFailures, ByFailureCountInTime, ByFailureCountInCalls,
                   ByFailureRateInCalls, ByFailureRateInTime, BySlowCallRate, ByCusum, ByAnyOf,
                   ByAllOf, ByAnyTripPolicy, ByOwnPolicy, ByOwnPolicyToldOfSuccesses) {
    behaves<TestType>({.recoveryTimeout = 1h});
    behaves<TestType>({.recoveryTimeout = 1h, .trackInFlight = true, .shards = 4});
    if constexpr (!std::is_same_v<TestType, BySlowCallRate> && !std::is_same_v<TestType, ByAnyOf> &&
                  !std::is_same_v<TestType, ByAnyTripPolicy>) {
        behaves<TestType>({.recoveryTimeout = 1h, .measureLatency = false});
    }
}

TEST_CASE("Each policy is asked only by its own kind of call") {
    // Slow successes concern SlowCallRate alone, fast failures everything else.
    Rig slowOnly{{}, BySlowCallRate::policy()};
    slowOnly.fail(50);
    CHECK(slowOnly.state() == CircuitState::Closed);
    slowOnly.take(2s);
    slowOnly.take(2s);
    slowOnly.take(2s);
    CHECK(slowOnly.state() == CircuitState::Open);
    Rig failuresOnly{{}, anyOf(ConsecutiveFailures{3}, FailureRate{.minimumCalls = 3})};
    for (int i = 0; i < 50; ++i) failuresOnly.take(20s);
    CHECK(failuresOnly.state() == CircuitState::Closed);
    CHECK(failuresOnly.stats().totalSlow == 0);
}

TEST_CASE(
    "A slow success does not trip a failure policy that stands beside a "
    "slow-call policy") {
    Rig rig{{},
            anyOf(FailureRate{.threshold = 0.5, .minimumCalls = 4},
                  SlowCallRate{.slowerThan = 1s, .minimumCalls = 100})};
    rig.fail(3);   // 100 %, but too few calls
    rig.take(1s);  // 75 % of four: enough, but this call is no failure
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(rig.stats().failureRate == 0.75);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("Timeouts count as failures for every policy on failures") {
    const auto opensByTimeouts = [](auto policy) {
        Rig rig{{}, policy};
        for (int i = 0; i < 3; ++i) rig.begin().timeout();
        return rig.state() == CircuitState::Open;
    };
    CHECK(opensByTimeouts(ByConsecutiveFailures::policy()));
    CHECK(opensByTimeouts(ByFailureCountInTime::policy()));
    CHECK(opensByTimeouts(ByFailureRateInCalls::policy()));
    CHECK(opensByTimeouts(ByCusum::policy()));
}
