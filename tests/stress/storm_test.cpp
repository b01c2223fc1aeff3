// SPDX-License-Identifier: MIT
// One breaker, every kind of call, every kind of interference: what must hold all the same.
#include "stress/storm.hpp"

#include <chrono>
#include <cstdint>

#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/policy/composite.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox::test;
using fusebox::CircuitState;
using fusebox::ControlMode;
using fusebox::Outcome;
using fusebox::TransitionReason;

namespace {

// The window of the time-window policies: a few waits, so that slices end all the time.
constexpr auto kSpan = 1ms;

void checkTotals(const Aftermath& left) {
    const auto& stats = left.stats;
    const Books& books = left.books;
    CHECK(books.wrong == 0);
    CHECK(stats.totalSuccesses == books.of(Outcome::Success));
    CHECK(stats.totalFailures == books.of(Outcome::Failure));
    CHECK(stats.totalTimeouts == books.of(Outcome::Timeout));
    CHECK(stats.totalIgnored == books.of(Outcome::Ignored));
    CHECK(stats.totalCancelled == books.cancelled);
    CHECK(stats.totalCalls == books.calls());
    CHECK(stats.totalRejected == books.rejected);
    CHECK(stats.totalSlow == books.slow);
    CHECK(books.recorded + books.stale + books.unseen == books.calls());
    CHECK(stats.totalStale >= books.stale);
    CHECK(stats.totalStale <= books.stale + books.unseen);
    CHECK(stats.inFlight.value_or(0) == 0);
    CHECK(stats.probesInFlight == 0);
}

void checkStory(const Aftermath& left) {
    const auto& log = left.log;
    CHECK(log.gaps() == 0);
    CHECK(log.impossible() == 0);
    CHECK(log.miscounted() == 0);
    CHECK(left.stats.timesOpened == log.to(CircuitState::Open));
    CHECK(left.stats.timesClosed == log.to(CircuitState::Closed));
    CHECK(left.stats.state == CircuitState::Closed);
    CHECK(left.observer.absurd() == 0);
    CHECK(left.observer.shrunk() == 0);
    ControlMode mode = ControlMode::Automatic;
    std::uint64_t gaps = 0;
    for (const auto& [from, to] : left.modes) {
        gaps += from != mode || to == from;
        mode = to;
    }
    CHECK(gaps == 0);
    CHECK(mode == left.stats.mode);
}

/// Whether the storm was one: that everything it is about has happened.
void checkForce(const Aftermath& left, const StormPlan& plan) {
    CAPTURE(left.log.all().size(), left.observer.looks(), left.stats.totalCalls,
            left.stats.totalStale, left.stats.totalRejected);
    CHECK(left.stats.totalCalls >= plan.calls);
    CHECK(left.stats.totalStale > 0);
    CHECK(left.stats.totalRejected > 0);
    CHECK(left.log.because(TransitionReason::ProbeFailed) > 0);
    CHECK(left.log.because(TransitionReason::WaitElapsed) > 0);
    CHECK(left.log.because(TransitionReason::ProbesSucceeded) > 0);
    CHECK(left.log.because(TransitionReason::Manual) > 0);
    CHECK(left.observer.looks() > 0);
}

template <class Policy>
Aftermath storm(const Policy& policy, const StormPlan& plan) {
    Aftermath left = runStorm(policy, plan);
    checkTotals(left);
    checkStory(left);
    checkForce(left, plan);
    return left;
}

}  // namespace

TEST_CASE("A storm of over ten million calls on one breaker conserves everything") {
    const fusebox::FailureRate policy{.threshold = 0.5, .minimumCalls = 10};
    const Aftermath left = storm(policy, {.calls = stressCalls()});
    CHECK(left.log.because(TransitionReason::PolicyTripped) > 0);
    CHECK(left.log.because(TransitionReason::ProbeLost) == 0);
}

TEST_CASE("A storm without latencies, on the plain path, conserves everything") {
    const StormPlan plan{.calls = scaled(1'600'000),
                         .habits = {.reportsAll = true, .measures = false},
                         .tracksInFlight = false};
    const Aftermath left = storm(fusebox::ConsecutiveFailures{5}, plan);
    // Here every result was seen.
    CHECK(left.books.unseen == 0);
    CHECK(left.stats.totalStale == left.books.stale);
    CHECK(left.log.because(TransitionReason::PolicyTripped) > 0);
}

TEST_CASE("A storm on a time window conserves everything") {
    const fusebox::FailureRate policy{.threshold = 0.5, .minimumCalls = 10, .window = kSpan};
    const Aftermath left =
        storm(policy, {.calls = scaled(1'200'000), .habits = {.reportsAll = true}});
    CHECK(left.stats.totalStale == left.books.stale);
}

TEST_CASE("A storm on a cumulative sum conserves everything") {
    const StormPlan plan{.calls = scaled(1'200'000), .habits = {.measures = false}};
    const Aftermath left = storm(fusebox::Cusum{}, plan);
    CHECK(left.log.because(TransitionReason::PolicyTripped) > 0);
}

TEST_CASE("A storm on a composite with slow calls conserves everything") {
    const auto policy = fusebox::anyOf(
        fusebox::ConsecutiveFailures{5},
        fusebox::SlowCallRate{.threshold = 0.5, .slowerThan = Habits::kSlow, .window = kSpan});
    const Aftermath left =
        storm(policy, {.calls = scaled(1'200'000), .habits = {.tellsSlow = true}});
    CHECK(left.stats.totalSlow > 0);
}

TEST_CASE("A storm with changing modes conserves everything") {
    const fusebox::AnyTripPolicy policy =
        fusebox::anyOf(fusebox::FailureCount{.threshold = 20, .window = kSpan},
                       fusebox::SlowCallRate{.threshold = 0.5, .slowerThan = Habits::kSlow});
    const StormPlan plan{.calls = scaled(1'200'000),
                         .habits = {.reportsAll = true, .tellsSlow = true},
                         .modes = true};
    const Aftermath left = storm(policy, plan);
    CHECK(left.stats.totalStale == left.books.stale);
    CHECK(left.stats.totalShadowRejected > 0);
    CHECK(left.stats.totalShadowRejected < left.stats.totalCalls);
    CHECK(left.modes.size() > 1);
}

TEST_CASE("A storm in which probes are lost conserves everything") {
    const StormPlan plan{.calls = scaled(600'000),
                         .habits = {.reportsAll = true, .dawdles = true},
                         .probeTimeout = 20us};
    const Aftermath left = storm(fusebox::FailureRate{.minimumCalls = 10}, plan);
    CHECK(left.stats.totalStale == left.books.stale);
    CHECK(left.log.because(TransitionReason::ProbeLost) > 0);
}
