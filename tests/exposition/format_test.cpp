// SPDX-License-Identifier: MIT
// Everything public that can be said in words, through {fmt}.
#include "fusebox/exposition/format.hpp"

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <fmt/ranges.h>
#include <fmt/std.h>

#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::chrono::system_clock::time_point kAfternoon{
    std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 12h + 34min + 56789ms};

template <class E>
E eventOf(E event) {
    event.breaker = "shop";
    event.time = kAfternoon;
    return event;
}

}  // namespace

TEST_CASE("Every enumeration is formatted as its words") {
    CHECK(fmt::format("{}", CircuitState::HalfOpen) == "HALF_OPEN");
    CHECK(fmt::format("{}", ControlMode::ForcedOpen) == "FORCED_OPEN");
    CHECK(fmt::format("{}", TransitionReason::PolicyTripped) == "POLICY_TRIPPED");
    CHECK(fmt::format("{}", Outcome::Timeout) == "TIMEOUT");
    CHECK(fmt::format("{}", ReportResult::AlreadyReported) == "ALREADY_REPORTED");
    CHECK(fmt::format("{}", RejectionReason::ProbesBusy) == "PROBES_BUSY");
    CHECK(fmt::format("{}", RemovalReason::Evicted) == "EVICTED");
    CHECK(fmt::format("{}", EventKind::WasReset) == "WAS_RESET");
    CHECK(fmt::format("{}", Errc::CallTimeout) == make_error_code(Errc::CallTimeout).message());
}

TEST_CASE("Words take the specs of a string") {
    CHECK(fmt::format("[{:<10}]", CircuitState::Open) == "[OPEN      ]");
    CHECK(fmt::format("[{:*>8}]", Outcome::Success) == "[*SUCCESS]");
    CHECK(fmt::format("[{:.3}]", ControlMode::Shadow) == "[SHA]");
    CHECK(fmt::format("[{:>{}}]", lastCalls(1), 15) == "[  the last call]");
}

TEST_CASE("Rejections, windows, counts and latencies are formatted in words") {
    const Rejection rejection{"shop", CircuitState::Open, RejectionReason::Open, 30s};
    CHECK(fmt::format("{}", rejection) == toString(rejection));
    CHECK(fmt::format("{}", Window{30s}) == "the last 30 s");
    CHECK(fmt::format("{}", PastCall{Outcome::Failure, true}) == "slow FAILURE");
    CHECK(fmt::format("{}", PastCall{}) == "SUCCESS");
    CHECK(fmt::format("{}", CallCounts{100, 3, 2}) == "3 of 100 calls failed, 2 slow");
    CHECK(fmt::format("{}", LatencySummary{1ms, 2ms, 2500us, 3s}) ==
          "p50 1 ms, p90 2 ms, p99 2.5 ms, max 3 s");
}

TEST_CASE("Errors are formatted as what they say, also beside fmt/std.h") {
    const CircuitOpenError open{{"shop", CircuitState::Open, RejectionReason::Open, 30s}};
    CHECK(fmt::format("{}", open) == open.what());
    const CircuitBreakerError& base = open;
    CHECK(fmt::format("{}", base) == open.what());
    const CallTimeoutError timeout{"shop", CircuitState::Closed, 2s};
    CHECK(fmt::format("{}", timeout) == timeout.what());
    CHECK(fmt::format("{:.5}", ConfigError{"shards is -1"}) == "shard");
}

TEST_CASE("Every policy is formatted in words") {
    CHECK(fmt::format("{}", ConsecutiveFailures{3}) == "3 failures in a row");
    CHECK(fmt::format("{}", FailureCount{}) == toString(FailureCount{}));
    CHECK(fmt::format("{}", FailureRate{}) == toString(FailureRate{}));
    CHECK(fmt::format("{}", SlowCallRate{}) == toString(SlowCallRate{}));
    CHECK(fmt::format("{}", Cusum{}) == toString(Cusum{}));
    const auto any = anyOf(ConsecutiveFailures{3}, allOf(FailureRate{}, Cusum{}));
    CHECK(fmt::format("{}", any) == toString(any));
    CHECK(fmt::format("{}", AnyTripPolicy{any}) == toString(any));
    CHECK(fmt::format("{}", AnyTripPolicy::allOf({ConsecutiveFailures{1}, Cusum{}})) ==
          toString(allOf(ConsecutiveFailures{1}, Cusum{})));
}

TEST_CASE("Options and presets are formatted in words") {
    const CircuitBreakerOptions options{.recoveryTimeout = 7s, .tags = {{"team", "a"}}};
    CHECK(fmt::format("{}", options) == toString(options));
    CHECK(fmt::format("{}", BreakerPreset{ConsecutiveFailures{2}, options}) ==
          "2 failures in a row; " + toString(options));
}

TEST_CASE("Statistics are a line, or with the spec t a sheet") {
    const CircuitBreaker breaker{"shop"};
    const CircuitBreakerStats stats = breaker.stats();
    CHECK(fmt::format("{}", stats) == statsLine(stats));
    CHECK(fmt::format("{:t}", stats) == statsSheet(stats));
    CHECK_THROWS_AS(fmt::format(fmt::runtime("{:x}"), stats), fmt::format_error);
    CHECK_THROWS_AS(fmt::format(fmt::runtime("{:tt}"), stats), fmt::format_error);
}

TEST_CASE("Statistics of a job in a line") {
    const JobStats stats{.runs = 3, .successes = 2, .failures = 1, .skipped = 5, .retries = 4};
    CHECK(fmt::format("{}", stats) == "runs=3 successes=2 failures=1 skipped=5 retries=4");
    CHECK(fmt::format("{:>60}", stats).size() == 60);
}

TEST_CASE("A trip is formatted as its summary") {
    CircuitBreaker breaker{"shop"};
    breaker.open();
    CHECK(fmt::format("{}", *breaker.stats().lastTrip) == breaker.stats().lastTrip->summary);
}

TEST_CASE("Every event is a line, or with the spec t one with the time") {
    StateChanged change = eventOf(StateChanged{});
    change.to = CircuitState::Open;
    CHECK(fmt::format("{}", change) == "shop STATE_CHANGED: CLOSED -> OPEN (POLICY_TRIPPED)");
    CHECK(fmt::format("{:t}", change) ==
          "2026-11-21T12:34:56.789Z shop STATE_CHANGED: CLOSED -> OPEN (POLICY_TRIPPED)");
    CHECK(
        fmt::format("{}", eventOf(ModeChanged{{}, ControlMode::Automatic, ControlMode::Shadow})) ==
        "shop MODE_CHANGED: AUTOMATIC -> SHADOW");
    CHECK(fmt::format("{}", eventOf(Reconfigured{{}, "old", "new"})) ==
          "shop RECONFIGURED: reconfigured: new; before: old");
    CHECK(fmt::format("{}", eventOf(WasReset{})) == "shop WAS_RESET: reset");
    CHECK(fmt::format("{}", eventOf(CallSucceeded{{}, 12ms})) ==
          "shop CALL_SUCCEEDED: succeeded after 12 ms");
    CHECK(
        fmt::format("{}", eventOf(CallFailed{
                              {}, 1s, std::make_exception_ptr(std::runtime_error{"no route"})})) ==
        "shop CALL_FAILED: failed after 1 s: no route");
    CHECK(fmt::format("{}", eventOf(CallTimedOut{{}, 3s})) ==
          "shop CALL_TIMED_OUT: timed out after 3 s");
    CHECK(fmt::format("{}", eventOf(CallRejected{
                                {}, {"shop", CircuitState::Open, RejectionReason::Open, 2s}})) ==
          "shop CALL_REJECTED: rejected: OPEN, retry after 2 s");
    CHECK(fmt::format("{}", eventOf(CallIgnored{})) == "shop CALL_IGNORED: ignored");
    CHECK(fmt::format("{}", eventOf(SlowCall{{}, 3s, Outcome::Failure})) ==
          "shop SLOW_CALL: slow after 3 s (FAILURE)");
    CHECK(fmt::format("{}", eventOf(BreakerAdded{})) == "shop BREAKER_ADDED: added");
    CHECK(fmt::format("{}", eventOf(BreakerRemoved{{}, RemovalReason::Cleared})) ==
          "shop BREAKER_REMOVED: removed (CLEARED)");
    CHECK(fmt::format("{}", eventOf(ConfigConflict{{}, "a", "b"})) ==
          "shop CONFIG_CONFLICT: registered with a; asked for with b");
}

TEST_CASE("Nobody can make up a line of a log") {
    CallFailed event;
    event.breaker = "a\nb";
    event.error = std::make_exception_ptr(std::runtime_error{"x\r\n2026 fake CALL_SUCCEEDED"});
    CHECK(fmt::format("{}", event) == "a%0Ab CALL_FAILED: failed: x%0D%0A2026 fake CALL_SUCCEEDED");
}

TEST_CASE("A logged event begins with its number") {
    const LoggedEvent event{17, EventKind::WasReset, "shop", kAfternoon, "reset"};
    CHECK(fmt::format("{}", event) == "17 shop WAS_RESET: reset");
    CHECK(fmt::format("{:t}", event) == "17 2026-11-21T12:34:56.789Z shop WAS_RESET: reset");
}
