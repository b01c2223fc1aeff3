// SPDX-License-Identifier: MIT
// Every figure of a snapshot.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/saved_state.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;
using std::chrono::nanoseconds;
using std::chrono::system_clock;

static_assert(std::is_aggregate_v<CircuitBreakerStats>);
static_assert(std::is_same_v<decltype(CircuitBreakerStats::totalCalls), std::uint64_t>);
static_assert(std::is_same_v<decltype(CircuitBreakerStats::timeOpen), nanoseconds>);
static_assert(
    std::is_same_v<decltype(CircuitBreakerStats::inFlight), std::optional<std::uint64_t>>);
static_assert(std::is_same_v<decltype(CircuitBreakerStats::failureRate), std::optional<double>>);
static_assert(std::is_same_v<decltype(CircuitBreakerStats::lastFailureTime),
                             std::optional<system_clock::time_point>>);

namespace {

/// Throws through the breaker and swallows it again.
void failWith(Rig<>& rig, const std::string& message) {
    CHECK_THROWS_AS(rig.breaker.execute([&] { throw std::runtime_error{message}; }),
                    std::runtime_error);
}

/// Whether the snapshot's estimate is within 10 % of the true nearest-rank percentile.
bool isNear(nanoseconds estimate, const std::vector<std::int64_t>& sorted, double quantile) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(sorted.size())));
    const auto truth = static_cast<double>(sorted[rank - 1]);
    return std::abs(static_cast<double>(estimate.count()) - truth) <= 0.1 * truth;
}

}  // namespace

TEST_CASE("A snapshot says in words what the breaker is") {
    const Rig rig{{.recoveryTimeout = 7s}, FailureRate{.threshold = 0.3, .window = 60s}};
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.name == "rig");
    CHECK(stats.policy == toString(FailureRate{.threshold = 0.3, .window = 60s}));
    CHECK(stats.options == toString(CircuitBreakerOptions{.recoveryTimeout = 7s}));
}

TEST_CASE("totalCalls is what was admitted and has ended") {
    Rig rig;
    auto held = rig.begin(2);
    CHECK(rig.stats().totalCalls == 0);
    held[0].success();
    CHECK(rig.stats().totalCalls == 1);
    held[1].ignore();
    rig.breaker.open();
    (void)rig.rejected();
    CHECK(rig.stats().totalCalls == 2);
    CHECK(rig.stats().totalRejected == 1);
}

TEST_CASE("Totals go on through transitions and modes") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.succeed(3);
    rig.trip();
    (void)rig.rejected();
    rig.wait();
    rig.recover();
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.fail(2);
    rig.breaker.setMode(ControlMode::ForcedOpen);
    (void)rig.rejected();
    rig.breaker.setMode(ControlMode::Automatic);
    rig.succeed();
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.totalSuccesses == 3 + 2 + 1);
    CHECK(stats.totalFailures == 5 + 2);
    CHECK(stats.totalRejected == 2);
    CHECK(stats.totalStale == 0);
    CHECK(stats.timesOpened == 1);
    CHECK(stats.timesClosed == 1);
}

TEST_CASE("A stale call stands in its outcome's total and in totalStale as well") {
    Rig rig;
    auto held = rig.begin(5);
    rig.breaker.open();
    held[0].success();
    held[1].failure();
    held[2].timeout();
    held[3].ignore();
    held.pop_back();
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.totalSuccesses == 1);
    CHECK(stats.totalFailures == 1);
    CHECK(stats.totalTimeouts == 1);
    CHECK(stats.totalIgnored == 1);
    CHECK(stats.totalCancelled == 1);
    CHECK(stats.totalStale == 5);
    CHECK(stats.totalCalls == 5);
}

TEST_CASE("Calls in flight are counted on demand, in every state and mode") {
    const bool measured = GENERATE(true, false);
    Rig rig{{.recoveryTimeout = 10s, .measureLatency = measured, .trackInFlight = true}};
    auto held = rig.begin(3);
    CHECK(rig.stats().inFlight == 3);
    rig.breaker.open();
    (void)rig.rejected();
    CHECK(rig.stats().inFlight == 3);
    rig.wait();
    held.push_back(rig.begin());
    rig.breaker.setMode(ControlMode::ForcedClosed);
    held.push_back(rig.begin());
    rig.breaker.setMode(ControlMode::Shadow);
    held.push_back(rig.begin());
    CHECK(rig.stats().inFlight == 6);
    rig.breaker.execute([&] { CHECK(rig.stats().inFlight == 7); });
    held.clear();
    CHECK(rig.stats().inFlight == 0);
    CHECK_FALSE(Rig{}.stats().inFlight);
}

TEST_CASE("Probes in flight are counted in the present half-open state only") {
    Rig rig{{.recoveryTimeout = 10s}};
    CHECK(rig.stats().probesInFlight == 0);
    rig.reachHalfOpen();
    auto probes = rig.begin(2);
    CHECK(rig.stats().probesInFlight == 2);
    probes[0].failure();
    CHECK(rig.stats().probesInFlight == 0);
}

TEST_CASE("Rows of failures and of successes end each other") {
    Rig rig;
    rig.succeed(3);
    CHECK(rig.stats().consecutiveSuccesses == 3);
    CHECK(rig.stats().consecutiveFailures == 0);
    rig.fail(2);
    CHECK(rig.stats().consecutiveSuccesses == 0);
    CHECK(rig.stats().consecutiveFailures == 2);
    report(rig.breaker, Outcome::Timeout);
    CHECK(rig.stats().consecutiveFailures == 3);
    rig.ignore();
    CHECK(rig.stats().consecutiveFailures == 3);
    rig.succeed();
    CHECK(rig.stats().consecutiveSuccesses == 1);
    CHECK(rig.stats().consecutiveFailures == 0);
}

TEST_CASE("A row of successes is one of a closed or half-open breaker") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.succeed(3);
    rig.breaker.open();
    CHECK(rig.stats().consecutiveSuccesses == 0);
    rig.wait();
    rig.succeed();
    CHECK(rig.stats().consecutiveSuccesses == 1);
}

TEST_CASE("The size of a window of calls is known, of another there is none") {
    const auto sizeOf = [](auto policy) { return Rig{{}, policy}.stats().windowSize; };
    CHECK(sizeOf(FailureRate{.minimumCalls = 1, .window = lastCalls(1)}) == 1U);
    CHECK(sizeOf(FailureRate{.window = lastCalls(250)}) == 250U);
    CHECK_FALSE(sizeOf(FailureRate{.window = 10s}));
    CHECK_FALSE(sizeOf(ConsecutiveFailures{}));
}

TEST_CASE("Of more successes than counts that look around none is missed") {
    Rig rig;
    for (int i = 0; i < 5000; ++i) rig.breaker.execute([] {});
    CHECK(rig.stats().totalSuccesses == 5000);
}

TEST_CASE("Without a window of the policy, the window is the time since the entry into Closed") {
    Rig rig;
    rig.succeed(200);
    rig.fail(3);
    CHECK(rig.stats().windowCalls == 203);
    CHECK(rig.stats().windowFailures == 3);
    rig.breaker.open();
    rig.breaker.close();
    CHECK(rig.stats().windowCalls == 0);
    CHECK(rig.stats().windowFailures == 0);
}

TEST_CASE("Rates are empty below minimumCalls, and include timeouts") {
    Rig rig{{}, FailureRate{.threshold = 0.9, .minimumCalls = 4, .window = lastCalls(5)}};
    rig.fail();
    report(rig.breaker, Outcome::Timeout);
    rig.succeed();
    CHECK_FALSE(rig.stats().failureRate);
    rig.succeed();
    CHECK(rig.stats().failureRate == 0.5);
    CHECK(rig.stats().windowFailures == 2);
    rig.succeed(2);  // the first failure has left
    CHECK(rig.stats().windowCalls == 5);
    CHECK(rig.stats().failureRate == 0.2);
    CHECK(rig.stats().slowCallRate == 0.0);
}

TEST_CASE("The window of a time does not wait for calls to forget") {
    Rig rig{{}, FailureRate{.threshold = 1.0, .minimumCalls = 1, .window = 10s}};
    rig.succeed(3);
    rig.fail();
    CHECK(rig.stats().windowCalls == 4);
    rig.clock.advance(10s);
    CHECK(rig.stats().windowCalls == 4);  // everything from the last `window`
    rig.clock.advance(1s);                // and nothing older than it plus one tenth
    CHECK(rig.stats().windowCalls == 0);
    CHECK_FALSE(rig.stats().failureRate);
}

TEST_CASE("Slow calls are counted in the window and in a total, whether they failed or not") {
    Rig rig{{}, SlowCallRate{.threshold = 0.9, .slowerThan = 1s, .minimumCalls = 4}};
    rig.take(1s);
    rig.take(2s, Outcome::Failure);
    rig.take(1s - 1ns);
    CHECK_FALSE(rig.stats().slowCallRate);
    rig.take(0s);
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.windowCalls == 4);
    CHECK(stats.windowSlow == 2);
    CHECK(stats.windowFailures == 1);
    CHECK(stats.slowCallRate == 0.5);
    CHECK(stats.failureRate == 0.25);
    CHECK(stats.totalSlow == 2);
}

TEST_CASE("While open and half-open, the window is as it stood at the trip") {
    Rig rig{{.recoveryTimeout = 10s}, FailureRate{.minimumCalls = 4, .window = 20s}};
    rig.succeed(2);
    rig.fail(2);
    const auto checkWindow = [&] {
        CHECK(rig.stats().windowCalls == 4);
        CHECK(rig.stats().windowFailures == 2);
        CHECK(rig.stats().failureRate == 0.5);
    };
    checkWindow();
    rig.clock.advance(1h);
    checkWindow();
    rig.succeed();
    checkWindow();
    rig.fail();
    checkWindow();
    rig.wait();
    rig.recover();
    CHECK(rig.stats().windowCalls == 0);
    CHECK_FALSE(rig.stats().failureRate);
}

TEST_CASE("timeOpen is the time spent open, and stands still while half-open") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.clock.advance(100s);
    CHECK(rig.stats().timeOpen == 0s);
    rig.trip();
    rig.clock.advance(4s);
    CHECK(rig.stats().timeOpen == 4s);
    rig.clock.advance(1h);
    CHECK(rig.stats().timeOpen == 10s);
    rig.succeed();
    rig.clock.advance(1h);
    CHECK(rig.stats().timeOpen == 10s);
    rig.succeed();
    rig.clock.advance(1h);
    CHECK(rig.stats().timeOpen == 10s);
    rig.breaker.open(3s);
    rig.clock.advance(1s);
    CHECK(rig.stats().timeOpen == 11s);
    rig.breaker.close();
    CHECK(rig.stats().timeOpen == 11s);
}

TEST_CASE("Calls that took 292 years together have an average that is not negative") {
    Rig rig{{.requestTimeout = kForever}, ConsecutiveFailures{100}};
    const auto century = std::chrono::hours{24 * 36524};
    (void)rig.stats();  // Failures are counted apart since then.
    for (const Outcome outcome :
         {Outcome::Success, Outcome::Success, Outcome::Failure, Outcome::Failure, Outcome::Success,
          Outcome::Failure, Outcome::Failure}) {
        auto permit = rig.breaker.tryAcquire();
        (void)permit.report(outcome, century);
        CHECK(rig.stats().averageResponseTime > 0s);
        CHECK(rig.stats().averageResponseTime <= century);
        CHECK(rig.stats().latencies.successes.sum >= 0s);
        CHECK(rig.stats().latencies.failures.sum >= 0s);
    }
}

TEST_CASE("The average is over the calls that succeeded, failed or timed out") {
    Rig rig{{.requestTimeout = 5s}};
    CHECK_FALSE(rig.stats().averageResponseTime);
    rig.take(1s, Outcome::Success);
    rig.take(2s, Outcome::Failure);
    rig.take(6s, Outcome::Success);
    rig.take(9h, Outcome::Ignored);
    {
        const auto cancelled = rig.begin();
        rig.clock.advance(9h);
    }
    CHECK(rig.stats().averageResponseTime == 3s);
    CHECK(rig.stats().latency.max == 6s);
}

TEST_CASE("Percentiles are within a tenth of the truth, the maximum is exact") {
    std::mt19937_64 random{20240607};
    // From a microsecond to ten minutes, evenly over the orders of magnitude.
    std::uniform_real_distribution<double> exponent{3.0, 11.75};
    Rig rig{{.requestTimeout = kForever}};
    std::vector<std::int64_t> taken;
    for (int i = 0; i < 5000; ++i) {
        taken.push_back(static_cast<std::int64_t>(std::pow(10.0, exponent(random))));
        rig.begin().report(Outcome::Success, nanoseconds{taken.back()});
    }
    std::sort(taken.begin(), taken.end());
    const LatencySummary latency = rig.stats().latency;
    CHECK(isNear(latency.p50, taken, 0.50));
    CHECK(isNear(latency.p90, taken, 0.90));
    CHECK(isNear(latency.p99, taken, 0.99));
    CHECK(latency.max == nanoseconds{taken.back()});
}

TEST_CASE("Percentiles of calls that all took the same are that") {
    for (const nanoseconds each : {nanoseconds{1}, nanoseconds{7}, nanoseconds{100},
                                   nanoseconds{1us}, nanoseconds{33ms}, nanoseconds{29s}}) {
        Rig rig;
        for (int i = 0; i < 100; ++i) rig.take(each);
        const std::vector<std::int64_t> taken(100, each.count());
        const LatencySummary latency = rig.stats().latency;
        CHECK(isNear(latency.p50, taken, 0.5));
        CHECK(isNear(latency.p99, taken, 0.99));
        CHECK(latency.max == each);
        CHECK(rig.stats().averageResponseTime == each);
    }
}

TEST_CASE("Without latencies there are neither averages nor a histogram") {
    Rig rig{{.measureLatency = false}};
    rig.take(1s);
    rig.take(1s, Outcome::Failure);
    rig.begin().report(Outcome::Success, 2s);
    CHECK_FALSE(rig.stats().averageResponseTime);
    CHECK(rig.stats().latency == LatencySummary{});
    CHECK(rig.stats().totalCalls == 3);
}

TEST_CASE("The last error is what the last failure said") {
    Rig rig;
    const auto before = system_clock::now();
    failWith(rig, "first");
    failWith(rig, "second");
    CHECK(rig.stats().lastError == "second");
    CHECK(rig.stats().lastFailureTime >= before);
    CHECK(rig.stats().lastFailureTime <= system_clock::now());
    rig.succeed();
    CHECK(rig.stats().lastError == "second");
    CHECK_THROWS_AS(rig.breaker.execute([] { throw 1; }), int);
    CHECK_FALSE(rig.stats().lastError.empty());
    CHECK(rig.stats().lastError != "second");
}

TEST_CASE("The last error has at most 127 bytes, cut between characters") {
    Rig rig;
    const auto lastErrorOf = [&](const std::string& message) {
        failWith(rig, message);
        rig.succeed();
        return rig.stats().lastError;
    };
    const std::string a127(127, 'a');
    CHECK(lastErrorOf(a127) == a127);
    CHECK(lastErrorOf(a127 + "b") == a127);
    CHECK(lastErrorOf(std::string(10'000, 'x')) == std::string(127, 'x'));
    CHECK(lastErrorOf("").empty());
    // Characters of two, three and four bytes, each at every place around the cut.
    for (const std::string character : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
        for (std::size_t offset = 120; offset <= 127; ++offset) {
            const std::string prefix(offset, 'a');
            const std::string cut = lastErrorOf(prefix + character + character + "tail");
            CHECK(cut.size() <= 127);
            CHECK(cut.size() > 127 - character.size());
            const bool whole = offset + character.size() <= 127;
            CHECK(cut.substr(0, offset + character.size()) == prefix + (whole ? character : ""));
        }
    }
    // Bytes of which none begins a character.
    CHECK(lastErrorOf(std::string(200, '\x80')).empty());
}

TEST_CASE("Openings and closings leave their times") {
    Rig rig{{.recoveryTimeout = 10s}};
    const auto before = system_clock::now();
    CHECK_FALSE(rig.stats().lastOpened);
    CHECK_FALSE(rig.stats().lastClosed);
    rig.trip();
    REQUIRE(rig.stats().lastOpened);
    CHECK(*rig.stats().lastOpened >= before);
    CHECK_FALSE(rig.stats().lastClosed);
    rig.wait();
    rig.recover();
    REQUIRE(rig.stats().lastClosed);
    CHECK(*rig.stats().lastClosed >= *rig.stats().lastOpened);
    CHECK(*rig.stats().lastClosed <= system_clock::now());
}

TEST_CASE("Listener errors are counted") {
    Rig rig{{.onOpen = [] { throw 1; }}};
    rig.breaker.open();
    CHECK(rig.stats().listenerErrors == 1);
}

TEST_CASE("Statistics that nobody filled are a new breaker's") {
    const CircuitBreakerStats stats{};
    CHECK(stats.state == CircuitState::Closed);
    CHECK(stats.totalCalls + stats.totalSuccesses + stats.totalFailures + stats.totalTimeouts +
              stats.totalIgnored + stats.totalCancelled + stats.totalRejected +
              stats.totalShadowRejected + stats.totalStale + stats.totalSlow ==
          0);
    CHECK(stats.timesOpened + stats.timesClosed + stats.timesReconfigured + stats.listenerErrors ==
          0);
    CHECK(stats.timeOpen == nanoseconds{0});
    CHECK(stats.probesInFlight == 0);
    CHECK(stats.windowCalls + stats.windowFailures + stats.windowSlow == 0);
    CHECK(stats.consecutiveFailures + stats.consecutiveSuccesses == 0);
    const TripRecord trip{};
    CHECK(trip.windowCalls + trip.windowFailures + trip.windowSlow + trip.consecutiveFailures == 0);
    CHECK(trip.wait == nanoseconds{0});
    const fusebox::detail::SavedState saved{};
    CHECK(saved.totalSuccesses + saved.totalFailures + saved.totalTimeouts + saved.totalIgnored +
              saved.totalCancelled + saved.totalRejected + saved.totalShadowRejected +
              saved.totalStale + saved.totalSlow ==
          0);
    CHECK(saved.reopenings + saved.probeSuccesses + saved.timesOpened + saved.timesClosed +
              saved.timesReconfigured + saved.listenerErrors ==
          0);
    CHECK(saved.remainingWait + saved.timeOpen == nanoseconds{0});
}

TEST_CASE("An error of one letter is remembered") {
    Rig rig;
    failWith(rig, "x");
    CHECK(rig.stats().lastError == "x");
    failWith(rig, "");
    CHECK(rig.stats().lastError.empty());
}
