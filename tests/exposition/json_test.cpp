// SPDX-License-Identifier: MIT
// Statistics and events as JSON.
//
// needs: nlohmann_json
#include "fusebox/exposition/json.hpp"

#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

const std::chrono::system_clock::time_point kNoon{
    std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 12h};

template <class E>
json jsonOf(E event) {
    event.breaker = "shop";
    event.time = kNoon;
    json written = event;
    CHECK(written.at("breaker") == "shop");
    CHECK(written.at("time") == "2026-11-21T12:00:00.000Z");
    CHECK(written.at("event") == std::string{toString(detail::kindOf<E>)});
    return written;
}

}  // namespace

TEST_CASE("Enumerations are words") {
    CHECK(json(CircuitState::HalfOpen) == "HALF_OPEN");
    CHECK(json(ControlMode::Shadow) == "SHADOW");
    CHECK(json(TransitionReason::ProbeLost) == "PROBE_LOST");
    CHECK(json(Outcome::Timeout) == "TIMEOUT");
    CHECK(json(RejectionReason::ForcedOpen) == "FORCED_OPEN");
    CHECK(json(RemovalReason::Evicted) == "EVICTED");
    CHECK(json(EventKind::CallFailed) == "CALL_FAILED");
    CHECK(ordered_json(CircuitState::Open) == "OPEN");
}

TEST_CASE("Statistics have the fields of the struct, with units") {
    test::ManualClock clock;
    CircuitBreaker breaker{"shop",
                           FailureRate{.threshold = 0.5, .minimumCalls = 4, .window = lastCalls(8)},
                           {.recoveryTimeout = 30s, .tags = {{"team", "sales"}}},
                           clock};
    for (int i = 0; i < 4; ++i) {
        auto permit = breaker.tryAcquire();
        clock.advance(1500us);
        (void)permit.report(i < 2 ? Outcome::Success : Outcome::Failure);
    }
    (void)breaker.tryAcquire();
    clock.advance(10s);
    const json written = breaker.stats();
    CHECK(written.at("name") == "shop");
    CHECK(written.at("policy") == toString(breaker.policy()));
    CHECK(written.at("options") == toString(breaker.options()));
    CHECK(written.at("tags") == json{{"team", "sales"}});
    CHECK(written.at("state") == "OPEN");
    CHECK(written.at("mode") == "AUTOMATIC");
    CHECK(written.at("totalCalls") == 4);
    CHECK(written.at("totalSuccesses") == 2);
    CHECK(written.at("totalFailures") == 2);
    CHECK(written.at("totalRejected") == 1);
    CHECK(written.at("timeOpenMs") == 10'000.0);
    CHECK(written.at("inFlight").is_null());
    CHECK(written.at("windowFailures") == 2);
    CHECK(written.at("failureRate") == 0.5);
    CHECK(written.at("windowSize") == 8);
    CHECK(written.at("policyScore").is_null());
    CHECK(written.at("transitions").at("closedToOpen") == 1);
    CHECK(written.at("transitions").size() == 5);
    CHECK(written.at("averageResponseTimeMs") == 1.5);
    CHECK(written.at("latencyMs").at("max") == 1.5);
    CHECK(written.at("latencyMs").size() == 4);
    CHECK(written.at("retryAfterMs") == 20'000.0);
    CHECK(written.at("lastClosed").is_null());
    CHECK(written.at("lastOpened") == isoTime(*breaker.stats().lastOpened));
    const json& trip = written.at("lastTrip");
    CHECK(trip.at("reason") == "POLICY_TRIPPED");
    CHECK(trip.at("waitMs") == 30'000.0);
    CHECK(trip.at("lastOutcomes").size() == 4);
    CHECK(trip.at("lastOutcomes").at(3) == json{{"outcome", "FAILURE"}, {"slow", false}});
    CHECK(trip.at("summary") == breaker.stats().lastTrip->summary);
}

TEST_CASE("What is not known is null, and so is never") {
    CircuitBreaker breaker{"shop"};
    json written = breaker.stats();
    for (const char* field : {"failureRate", "slowCallRate", "averageResponseTimeMs",
                              "retryAfterMs", "lastFailureTime", "lastTrip"}) {
        CAPTURE(field);
        CHECK(written.at(field).is_null());
    }
    CHECK(written.at("lastError") == "");
    CHECK(written.at("tags") == json::object());
    breaker.setMode(ControlMode::ForcedOpen);
    written = breaker.stats();
    CHECK(written.at("state") == "OPEN");
    CHECK(written.at("retryAfterMs").is_null());
}

TEST_CASE("Many breakers are an array, in the registry's order") {
    CircuitBreakerRegistry registry;
    (void)registry.create("b");
    (void)registry.create("a");
    const json written = registry.getAllStats();
    REQUIRE(written.size() == 2);
    CHECK(written.at(0).at("name") == "a");
}

TEST_CASE("An ordered JSON keeps the order of the fields") {
    const ordered_json written = CircuitBreaker{"shop"}.stats();
    CHECK(jsonText(written).starts_with(R"({"name":"shop","policy":)"));
}

TEST_CASE("Statistics of a job as JSON") {
    JobStats stats{.runs = 3, .successes = 2, .failures = 1, .skipped = 5, .retries = 4};
    stats.lastError = "no route";
    stats.lastSuccess = std::chrono::system_clock::time_point{1s};
    CHECK(json(stats) == json::parse(R"({"runs": 3, "successes": 2, "failures": 1, "skipped": 5,
        "retries": 4, "retrying": false, "lastError": "no route",
        "lastSuccess": "1970-01-01T00:00:01.000Z", "lastFailure": null})"));
}

TEST_CASE("Each event has its fields") {
    StateChanged change;
    change.to = CircuitState::Open;
    change.snapshot.totalFailures = 5;
    json written = jsonOf(change);
    CHECK(written.at("from") == "CLOSED");
    CHECK(written.at("to") == "OPEN");
    CHECK(written.at("reason") == "POLICY_TRIPPED");
    CHECK(written.at("snapshot").at("totalFailures") == 5);

    written = jsonOf(ModeChanged{{}, ControlMode::Automatic, ControlMode::ForcedClosed});
    CHECK(written.at("to") == "FORCED_CLOSED");
    CHECK(jsonOf(Reconfigured{{}, "old", "new"}).at("previous") == "old");
    CHECK(jsonOf(WasReset{}).size() == 3);
    CHECK(jsonOf(CallSucceeded{{}, 2500us}).at("elapsedMs") == 2.5);
    CHECK(jsonOf(CallSucceeded{}).at("elapsedMs").is_null());
    const auto error = std::make_exception_ptr(std::runtime_error{"no route"});
    CHECK(jsonOf(CallFailed{{}, 1ms, error}).at("error") == "no route");
    CHECK(jsonOf(CallFailed{{}, 1ms, nullptr}).at("error").is_null());
    CHECK(jsonOf(CallTimedOut{{}, 1s}).at("elapsedMs") == 1000.0);
    CHECK(jsonOf(CallIgnored{{}, 1s}).at("elapsedMs") == 1000.0);
    CHECK(jsonOf(SlowCall{{}, 1s, Outcome::Failure}).at("outcome") == "FAILURE");
    const Rejection rejection{"shop", CircuitState::HalfOpen, RejectionReason::ProbesBusy, 0ns};
    CHECK(jsonOf(CallRejected{{}, rejection}).at("rejection") == json{{"breaker", "shop"},
                                                                      {"state", "HALF_OPEN"},
                                                                      {"reason", "PROBES_BUSY"},
                                                                      {"retryAfterMs", 0.0}});
    CHECK(jsonOf(BreakerAdded{}).size() == 3);
    CHECK(jsonOf(BreakerRemoved{{}, RemovalReason::Cleared}).at("reason") == "CLEARED");
    CHECK(jsonOf(ConfigConflict{{}, "a", "b"}).at("given") == "b");
    CHECK(json(LoggedEvent{3, EventKind::WasReset, "shop", kNoon, "reset"}) ==
          json{{"sequence", 3},
               {"event", "WAS_RESET"},
               {"breaker", "shop"},
               {"time", "2026-11-21T12:00:00.000Z"},
               {"text", "reset"}});
}

TEST_CASE("A text that is not UTF-8 becomes JSON all the same") {
    CircuitBreakerStats stats;
    stats.name = "line\nfeed";
    stats.lastError = "caf\xe9 closed";
    const std::string text = jsonText(json(stats));
    CHECK(text.find('\n') == std::string::npos);
    CHECK(json::parse(text).at("name") == "line\nfeed");
    CHECK(json::parse(text).at("lastError") == "caf\xef\xbf\xbd closed");
}
