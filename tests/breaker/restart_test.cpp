// SPDX-License-Identifier: MIT
// A breaker that goes on in another process: exportState() and the constructor that takes it.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "breaker/replaced.hpp"
#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::ManualClock;
using fusebox::test::replaced;
using fusebox::test::Rig;

namespace {

const CircuitBreakerOptions kOptions{
    .recoveryTimeout = 1h, .recoveryBackoff = 2.0, .maxRecoveryTimeout = 100h};

/// The same breaker in another process, whose clock began at another instant.
struct Restarted {
    ManualClock clock{ManualClock::time_point{12345s}};
    CircuitBreaker<ManualClock> breaker;

    explicit Restarted(const std::string& text, CircuitBreakerOptions options = kOptions)
        : breaker("rig", ConsecutiveFailures{3}, std::move(options), clock, text) {}
};

/// The text, saved so much earlier by the system clock.
std::string savedEarlier(std::string text, std::chrono::nanoseconds by) {
    const std::size_t at = text.find("savedAt=") + 8;
    const std::size_t end = text.find('\n', at);
    const auto then = std::stoll(text.substr(at, end - at)) - by.count();
    return text.replace(at, end - at, std::to_string(then));
}

}  // namespace

TEST_CASE("A closed breaker goes on with its totals, history and an empty window") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.trip();
    rig.wait();
    rig.recover();
    rig.succeed(7);
    rig.ignore(2);
    rig.fail(2);
    const auto before = rig.stats();
    Restarted after{rig.breaker.exportState()};
    const auto stats = after.breaker.stats();
    CHECK(stats.state == CircuitState::Closed);
    CHECK(stats.totalCalls == before.totalCalls);
    CHECK(stats.totalSuccesses == before.totalSuccesses);
    CHECK(stats.totalFailures == before.totalFailures);
    CHECK(stats.totalIgnored == before.totalIgnored);
    CHECK(stats.timesOpened == before.timesOpened);
    CHECK(stats.timesClosed == before.timesClosed);
    CHECK(stats.timeOpen == before.timeOpen);
    CHECK(stats.lastOpened == before.lastOpened);
    CHECK(stats.lastClosed == before.lastClosed);
    CHECK(stats.lastFailureTime == before.lastFailureTime);
    CHECK(stats.lastError == before.lastError);
    REQUIRE(stats.lastTrip);
    CHECK(stats.lastTrip->summary == before.lastTrip->summary);
    CHECK(stats.lastTrip->lastOutcomes == before.lastTrip->lastOutcomes);
    CHECK(stats.windowCalls == 0);
    CHECK(stats.consecutiveFailures == 0);
    test::checkConservation(stats);

    test::report(after.breaker, Outcome::Failure, 2);
    CHECK(after.breaker.state() == CircuitState::Closed);
    test::report(after.breaker, Outcome::Failure);
    CHECK(after.breaker.state() == CircuitState::Open);
    CHECK(after.breaker.stats().totalFailures == before.totalFailures + 3);
    CHECK(after.breaker.stats().timesOpened == before.timesOpened + 1);
}

TEST_CASE("Calls of a restored breaker are its own, whatever their outcome") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    Restarted after{rig.breaker.exportState()};
    CHECK(test::report(after.breaker, Outcome::Success, 3) == ReportResult::Recorded);
    CHECK(test::report(after.breaker, Outcome::Failure, 2) == ReportResult::Recorded);
    CHECK(test::report(after.breaker, Outcome::Success) == ReportResult::Recorded);
    CHECK(test::report(after.breaker, Outcome::Failure) == ReportResult::Recorded);
    // The success between them ended the row.
    CHECK(after.breaker.state() == CircuitState::Closed);
    CHECK(after.breaker.stats().windowCalls == 7);
    CHECK(after.breaker.stats().totalStale == 0);
}

TEST_CASE("An open breaker goes on waiting: the time between counts, by the system clock") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.trip();
    rig.clock.advance(20min);
    const std::string text = rig.breaker.exportState();
    SECTION("at once") {
        Restarted after{text};
        CHECK(after.breaker.state() == CircuitState::Open);
        CHECK(after.breaker.retryAfter() <= 40min);
        CHECK(after.breaker.retryAfter() > 39min);
        CHECK(after.breaker.stats().windowFailures == 3);
        CHECK(after.breaker.stats().consecutiveFailures == 3);
        CHECK(after.breaker.stats().timeOpen == 20min);
        after.clock.advance(10min);
        CHECK(after.breaker.stats().timeOpen == 30min);
        after.clock.advance(30min);
        CHECK(after.breaker.state() == CircuitState::HalfOpen);
        test::report(after.breaker, Outcome::Failure);
        // The second wait of the backoff.
        CHECK(after.breaker.retryAfter() == 2h);
    }
    SECTION("half an hour later") {
        Restarted after{savedEarlier(text, 30min)};
        CHECK(after.breaker.retryAfter() <= 10min);
        CHECK(after.breaker.retryAfter() > 9min);
    }
    SECTION("a day later") {
        Restarted after{savedEarlier(text, 24h)};
        CHECK(after.breaker.state() == CircuitState::HalfOpen);
    }
    SECTION("the system clock went back") {
        Restarted after{savedEarlier(text, -1h)};
        CHECK(after.breaker.retryAfter() == 40min);
    }
    SECTION("the system clock means nothing") {
        Restarted after{savedEarlier(text, std::chrono::nanoseconds::min() / 3)};
        CHECK(after.breaker.retryAfter() == 40min);
    }
}

TEST_CASE("A wait without an end has none after a restart either") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.breaker.open(std::chrono::nanoseconds::max());
    rig.clock.advance(1h);
    Restarted after{savedEarlier(rig.breaker.exportState(), 24h)};
    CHECK(after.breaker.retryAfter() == std::chrono::nanoseconds::max());
}

TEST_CASE("A half-open breaker goes on with its successes and backoff, without probes") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.trip();
    rig.wait();
    rig.fail();
    rig.wait();
    rig.succeed();
    const auto probe = rig.begin();
    Restarted after{rig.breaker.exportState()};
    CHECK(after.breaker.state() == CircuitState::HalfOpen);
    CHECK(after.breaker.stats().consecutiveSuccesses == 1);
    CHECK(after.breaker.stats().probesInFlight == 0);
    SECTION("one more success closes") {
        test::report(after.breaker, Outcome::Success);
        CHECK(after.breaker.state() == CircuitState::Closed);
    }
    SECTION("the third wait is four times the first") {
        test::report(after.breaker, Outcome::Failure);
        CHECK(after.breaker.retryAfter() == 4h);
    }
}

TEST_CASE("A lost probe is a reopening, also when it is found by a restart") {
    CircuitBreakerOptions options = kOptions;
    options.probeTimeout = 1min;
    Rig rig{options, ConsecutiveFailures{3}};
    rig.trip();
    rig.wait();
    const auto lost = rig.begin();
    rig.clock.advance(2min);
    Restarted after{rig.breaker.exportState()};
    CHECK(after.breaker.state() == CircuitState::Open);
    CHECK(after.breaker.retryAfter() > 118min);
    CHECK(after.breaker.stats().timesOpened == 2);
    after.clock.advance(2h);
    test::report(after.breaker, Outcome::Failure);
    CHECK(after.breaker.retryAfter() == 4h);
}

TEST_CASE("A mode is sticky, also across a restart") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.breaker.setMode(ControlMode::ForcedOpen);
    Restarted after{rig.breaker.exportState()};
    CHECK(after.breaker.mode() == ControlMode::ForcedOpen);
    CHECK_FALSE(after.breaker.tryAcquire());
    after.breaker.setMode(ControlMode::Automatic);
    CHECK(after.breaker.tryAcquire());
}

TEST_CASE("What was restored can be exported again, and says the same") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.succeed(5);
    rig.trip();
    const auto linesOf = [](const std::string& text) {
        // All but when it was saved, and what the wait lost meanwhile.
        std::string kept;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at);
            const std::string line = text.substr(at, end - at);
            const bool moves = line.starts_with("savedAt=") || line.starts_with("remainingWait=");
            if (!moves) kept += line + '\n';
            at = end + 1;
        }
        return kept;
    };
    const std::string first = rig.breaker.exportState();
    CHECK(linesOf(Restarted{first}.breaker.exportState()) == linesOf(first));
}

TEST_CASE("Every total goes on after a restart, and into the next text") {
    struct Total {
        std::string name;
        std::uint64_t CircuitBreakerStats::*in;
    };
    const std::vector<Total> totals{
        {"totalSuccesses", &CircuitBreakerStats::totalSuccesses},
        {"totalFailures", &CircuitBreakerStats::totalFailures},
        {"totalTimeouts", &CircuitBreakerStats::totalTimeouts},
        {"totalIgnored", &CircuitBreakerStats::totalIgnored},
        {"totalCancelled", &CircuitBreakerStats::totalCancelled},
        {"totalRejected", &CircuitBreakerStats::totalRejected},
        {"totalShadowRejected", &CircuitBreakerStats::totalShadowRejected},
        {"totalStale", &CircuitBreakerStats::totalStale},
        {"totalSlow", &CircuitBreakerStats::totalSlow},
        {"timesOpened", &CircuitBreakerStats::timesOpened},
        {"timesClosed", &CircuitBreakerStats::timesClosed},
        {"timesReconfigured", &CircuitBreakerStats::timesReconfigured},
        {"listenerErrors", &CircuitBreakerStats::listenerErrors},
    };
    const Rig rig{kOptions, ConsecutiveFailures{3}};
    std::string text = rig.breaker.exportState();
    for (std::size_t i = 0; i < totals.size(); ++i) {
        text = replaced(text, totals[i].name + "=0\n",
                        totals[i].name + '=' + std::to_string(101 + i) + '\n');
    }
    const Restarted after{text};
    const CircuitBreakerStats stats = after.breaker.stats();
    const std::string next = after.breaker.exportState();
    for (std::size_t i = 0; i < totals.size(); ++i) {
        INFO(totals[i].name);
        CHECK(stats.*totals[i].in == 101 + i);
        CHECK_THAT(next, ContainsSubstring(totals[i].name + '=' + std::to_string(101 + i) + '\n'));
    }
}

TEST_CASE("What the calls before a trip said is known after a restart") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    for (int i = 0; i < 3; ++i) {
        CHECK_THROWS(rig.breaker.execute([]() -> int { throw std::runtime_error{"no route"}; }));
    }
    const CircuitBreakerStats stats = Restarted{rig.breaker.exportState()}.breaker.stats();
    CHECK(stats.lastError == "no route");
    REQUIRE(stats.lastTrip);
    CHECK(stats.lastTrip->lastError == "no route");
    CHECK_THAT(stats.lastTrip->summary, ContainsSubstring("last error: no route"));
}

TEST_CASE("Listener errors are counted on") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    {
        const auto subscription = rig.breaker.on<StateChanged>([] { throw 1; });
        rig.trip();
    }
    CHECK(Restarted{rig.breaker.exportState()}.breaker.stats().listenerErrors == 1);
}

TEST_CASE("A text that no breaker of that name wrote is refused") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.trip();
    const std::string text = rig.breaker.exportState();
    const auto refuses = [](const std::string& given, const char* why) {
        CHECK_THROWS_AS(Restarted{given}, ConfigError);
        CHECK_THROWS_WITH(Restarted{given}, ContainsSubstring("\"rig\"") &&
                                                ContainsSubstring("restoredFrom") &&
                                                ContainsSubstring(why));
    };
    refuses("", "line 1");
    refuses(replaced(text, "fusebox-state 1", "fusebox-state 2"), "version is 2; allowed: 1");
    refuses(replaced(text, "name=rig", "name=other"), "of \"other\"");
    refuses(replaced(text, "state=OPEN", "state=AJAR"), "state is AJAR; allowed: CLOSED");
    refuses(replaced(text, "totalFailures=3", "totalFailures=-3"), "totalFailures is -3");
    refuses(replaced(text, "reopenings=0", "reopenings=4294967296"),
            "reopenings is 4294967296; allowed: at most 4294967295");
    refuses(text.substr(0, text.size() / 2), "line");
    CHECK_NOTHROW(Restarted{text});
    CHECK_THROWS_AS((Restarted{text, {.recoveryTimeout = 0s}}), ConfigError);
}

TEST_CASE("Absurd but well-formed numbers do no harm") {
    Rig rig{kOptions, ConsecutiveFailures{3}};
    rig.trip();
    std::string text = rig.breaker.exportState();
    text = replaced(text, "reopenings=0", "reopenings=4294967295");
    const std::size_t at = text.find("timeOpen=");
    text = text.substr(0, at) + "timeOpen=9223372036854775807\n";
    Restarted after{text};
    after.clock.advance(2h);
    test::report(after.breaker, Outcome::Failure);
    CHECK(after.breaker.retryAfter() == effectiveMaxRecoveryTimeout(kOptions));
    CHECK(after.breaker.stats().timeOpen == std::chrono::nanoseconds::max());
}

TEST_CASE("A breaker that slow calls opened shows their share after a restart, too") {
    const SlowCallRate policy{.threshold = 0.5, .slowerThan = 1s, .minimumCalls = 2};
    Rig before{kOptions, policy};
    before.take(2s);
    before.take(2s);
    REQUIRE(before.state() == CircuitState::Open);
    // Without a share of failures, which this policy would not have asked for.
    std::string text = before.breaker.exportState();
    const std::size_t at = text.find("lastTrip.failureRate=");
    REQUIRE(at != std::string::npos);
    text.erase(at, text.find('\n', at) + 1 - at);
    const CircuitBreaker after{"rig", policy, kOptions, ManualClock{}, text};
    CHECK(after.stats().slowCallRate == 1.0);
    CHECK(after.stats().windowSlow == 2);
}

TEST_CASE("A breaker that one call opened shows its share after a restart, and none of no calls") {
    const FailureRate policy{.threshold = 0.5, .minimumCalls = 1};
    Rig before{kOptions, policy};
    before.fail();
    const std::string text = before.breaker.exportState();
    const auto rateAfter = [&](const std::string& given) {
        return CircuitBreaker{"rig", policy, kOptions, ManualClock{}, given}.stats().failureRate;
    };
    CHECK(rateAfter(text) == 1.0);
    CHECK_FALSE(rateAfter(replaced(replaced(text, "windowCalls=1", "windowCalls=0"),
                                   "windowFailures=1", "windowFailures=0")));
}

TEST_CASE("A breaker whose last trip is not known goes on waiting with an empty window") {
    Rig before{kOptions, ConsecutiveFailures{3}};
    before.trip();
    std::string text = before.breaker.exportState();
    for (std::size_t at = 0; (at = text.find("lastTrip.")) != std::string::npos;) {
        text.erase(at, text.find('\n', at) + 1 - at);
    }
    const Restarted after{text};
    CHECK(after.breaker.state() == CircuitState::Open);
    CHECK(after.breaker.stats().windowFailures == 0);
    CHECK(after.breaker.stats().consecutiveFailures == 0);
    CHECK_FALSE(after.breaker.stats().lastTrip);
}
