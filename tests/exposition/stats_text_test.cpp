// SPDX-License-Identifier: MIT
#include "fusebox/exposition/stats_text.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/metric_lines.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "fusebox/vocabulary/iso_time.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::linesOf;
using std::chrono::sys_days;
using std::chrono::system_clock;
using std::chrono::year;

namespace {

/// A breaker that failed once, timed out once and is open.
CircuitBreakerStats openStats() {
    CircuitBreakerStats stats;
    stats.name = "shop";
    stats.policy = "2 failures in a row";
    stats.state = CircuitState::Open;
    stats.totalCalls = 5;
    stats.totalSuccesses = 3;
    stats.totalFailures = 1;
    stats.totalTimeouts = 1;
    stats.totalRejected = 7;
    stats.timesOpened = 1;
    stats.windowCalls = 5;
    stats.windowFailures = 2;
    stats.failureRate = 0.4;
    stats.averageResponseTime = 12'345'678ns;
    stats.latency.p99 = 20ms;
    stats.retryAfter = 29'987'878'265ns;
    return stats;
}

/// The value that a sheet has for a field.
std::string valueOf(const std::string& sheet, std::string_view field) {
    for (const std::string& line : linesOf(sheet)) {
        if (!line.starts_with(std::string{field} + " ")) continue;
        return line.substr(line.find_first_not_of(' ', field.size()));
    }
    return "(no such field)";
}

}  // namespace

TEST_CASE("A line has what a log needs, in values without spaces") {
    CHECK(statsLine(openStats()) ==
          "shop OPEN: calls=5 successes=3 failures=1 timeouts=1 rejected=7 failureRate=40% "
          "average=12.3ms p99=20ms timesOpened=1 retryAfter=30s");
}

TEST_CASE("A line leaves out what is not known or did not happen") {
    CircuitBreakerStats stats;
    stats.name = "idle";
    CHECK(statsLine(stats) == "idle CLOSED: calls=0 successes=0 failures=0 timeouts=0 rejected=0");
    stats.mode = ControlMode::Shadow;
    stats.totalIgnored = 2;
    stats.totalShadowRejected = 3;
    stats.inFlight = 4;
    stats.windowSlow = 1;
    stats.slowCallRate = 0.25;
    CHECK(statsLine(stats) ==
          "idle CLOSED (SHADOW): calls=0 successes=0 failures=0 timeouts=0 ignored=2 rejected=0 "
          "shadowRejected=3 inFlight=4 slowCallRate=25%");
}

TEST_CASE("A forced-open breaker is to be retried never") {
    CircuitBreaker breaker{"shop"};
    breaker.setMode(ControlMode::ForcedOpen);
    CHECK(statsLine(breaker.stats()).ends_with("retryAfter=never"));
}

TEST_CASE("A sheet has every field of the statistics") {
    test::ManualClock clock;
    CircuitBreaker breaker{"shop",
                           ConsecutiveFailures{2},
                           {.recoveryTimeout = 30s, .trackInFlight = true, .tags = {{"a", "b"}}},
                           clock};
    for (int i = 0; i < 2; ++i) {
        auto permit = breaker.tryAcquire();
        clock.advance(250ms);
        (void)permit.failure();
    }
    (void)breaker.tryAcquire();
    const std::string sheet = statsSheet(breaker.stats());
    CHECK(valueOf(sheet, "name") == "shop");
    CHECK(valueOf(sheet, "state") == "OPEN");
    CHECK(valueOf(sheet, "policy") == "2 failures in a row");
    CHECK(valueOf(sheet, "tags") == "a=b");
    CHECK(valueOf(sheet, "totalFailures") == "2");
    CHECK(valueOf(sheet, "totalRejected") == "1");
    CHECK(valueOf(sheet, "inFlight") == "0");
    CHECK(valueOf(sheet, "failureRate") == "100 %");
    CHECK(valueOf(sheet, "averageResponseTime") == "250 ms");
    CHECK(valueOf(sheet, "retryAfter") == "30 s");
    CHECK(valueOf(sheet, "lastError") == "reported by permit");
    CHECK(valueOf(sheet, "lastClosed") == "-");
    CHECK(valueOf(sheet, "lastOpened") == isoTime(*breaker.stats().lastOpened));
    CHECK(valueOf(sheet, "lastTrip") == breaker.stats().lastTrip->summary);
    CHECK(sheet.ends_with('\n'));
}

TEST_CASE("A table has a line for each breaker, in columns") {
    CircuitBreakerStats umlaut;
    umlaut.name = "m\xc3\xbcnchen";
    const std::vector<CircuitBreakerStats> all{openStats(), umlaut};
    const std::vector<std::string> lines = linesOf(statsTable(all));
    REQUIRE(lines.size() == 3);
    CHECK(
        lines[0] ==
        "name     state   calls  failures  timeouts  rejected  failure rate  p50   p99    opened  "
        "retry after");
    CHECK(
        lines[1] ==
        "shop     OPEN    5      1         1         7         40 %          0 ns  20 ms  1       "
        "30 s");
    CHECK(lines[2] ==
          "m\xc3\xbcnchen  CLOSED  0      0         0         0         -             0 ns  0 ns   "
          "0       -");
    CHECK(linesOf(statsTable({})).size() == 1);
}

TEST_CASE("Control characters do not break a line, a sheet or a table") {
    CircuitBreakerStats stats;
    stats.name = "a\nb";
    stats.lastError = "x\ty";
    CHECK(statsLine(stats).starts_with("a%0Ab CLOSED"));
    CHECK(valueOf(statsSheet(stats), "name") == "a%0Ab");
    CHECK(valueOf(statsSheet(stats), "lastError") == "x%09y");
    CHECK(linesOf(statsTable(std::vector{stats})).size() == 2);
}

TEST_CASE("A duration is rounded to three digits") {
    using detail::brief;
    CHECK(brief(0ns) == "0 ns");
    CHECK(brief(999ns) == "999 ns");
    CHECK(brief(1049ns) == "1.05 us");
    CHECK(brief(999'500us) == "1 s");
    CHECK(brief(12'345'678ns) == "12.3 ms");
    CHECK(brief(kForever) == "never");
    CHECK(brief(kForever - 1ns) != "never");
}

TEST_CASE("Times are ISO 8601 in UTC, rounded down") {
    CHECK(isoTime(sys_days{year{2026} / 11 / 21} + 19h + 47min + 9123ms) ==
          "2026-11-21T19:47:09.123Z");
    CHECK(isoTime(system_clock::time_point{}) == "1970-01-01T00:00:00.000Z");
    CHECK(isoTime(system_clock::time_point{} - 1us) == "1969-12-31T23:59:59.999Z");
    CHECK(isoTime(sys_days{year{2024} / 2 / 29} + 999'999us) == "2024-02-29T00:00:00.999Z");
    CHECK(isoTime(system_clock::time_point::max()).size() == 24);
    CHECK(isoTime(system_clock::time_point::min()).size() == 24);
}
