// SPDX-License-Identifier: MIT
#include "fusebox/policy/slow_call_rate.hpp"

#include <chrono>
#include <limits>

#include "policy/replay.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::CallCounts;
using fusebox::lastCalls;
using fusebox::SlowCallRate;
using fusebox::TripPolicy;
using fusebox::Window;
using fusebox::test::replay;
using fusebox::test::TrackerOf;

static_assert(TripPolicy<SlowCallRate>);
static_assert(SlowCallRate{} == SlowCallRate{.threshold = 0.5,
                                             .slowerThan = 2s,
                                             .minimumCalls = 10,
                                             .window = lastCalls(100)});

TEST_CASE("SlowCallRate decides by its own measure of slowness, failed or not") {
    TrackerOf<SlowCallRate> tracker{
        SlowCallRate{.threshold = 0.5, .slowerThan = 2s, .minimumCalls = 2}};
    tracker.enter(0ns);
    CHECK_FALSE(tracker.record({.position = 1, .elapsed = 2s, .slow = true}).trips);

    const auto failure =
        tracker.record({.position = 2, .elapsed = 1s, .failed = true, .slow = true});
    CHECK(failure.holds);
    CHECK_FALSE(failure.trips);
    CHECK(tracker.counts(2, 0ns) == CallCounts{2, 1, 1});

    CHECK(tracker.record({.position = 4, .elapsed = 2s, .failed = true, .slow = true}).trips);
    CHECK(tracker.counts(4, 0ns) == CallCounts{4, 2, 2});
}

TEST_CASE("SlowCallRate is exact") {
    const Window window = GENERATE(as<Window>{}, lastCalls(1), lastCalls(2), lastCalls(100), 7ns,
                                   100ns, 1000ns, 1001ns);
    const auto slowerThan = GENERATE(1ns, 15ns);
    CAPTURE(toString(window), slowerThan.count());
    const SlowCallRate policy{
        .threshold = 0.25, .slowerThan = slowerThan, .minimumCalls = 1, .window = window};
    const auto result = replay(policy, 30'000);
    CHECK(result.differences == 0);
    CHECK(result.trips > 50);
}

TEST_CASE("SlowCallRate asks to be told of slow calls") {
    const auto needs =
        TrackerOf<SlowCallRate>{SlowCallRate{.slowerThan = 3s, .minimumCalls = 4}}.needs();
    CHECK(needs.slowerThan == 3s);
    CHECK(needs.minimumCalls == 4);
    CHECK_FALSE(needs.time);
    CHECK_FALSE(needs.successes);
    CHECK(TrackerOf<SlowCallRate>{SlowCallRate{.window = 60s}}.needs().ticks);
}

TEST_CASE("SlowCallRate in words, and what it refuses") {
    CHECK(toString(SlowCallRate{}) ==
          "slow call rate (2 s or longer) of at least 50 % over the last 100 calls (minimum 10 "
          "calls)");
    CHECK(validate(SlowCallRate{.threshold = 0}) ==
          "SlowCallRate.threshold is 0; allowed: a number above 0 and at most 1");
    CHECK(validate(SlowCallRate{.threshold = std::numeric_limits<double>::quiet_NaN()}) ==
          "SlowCallRate.threshold is NaN; allowed: a number above 0 and at most 1");
    CHECK(validate(SlowCallRate{.slowerThan = 0ns}) ==
          "SlowCallRate.slowerThan is 0 ns; allowed: a duration above 0");
    CHECK(validate(SlowCallRate{.slowerThan = -2s}) ==
          "SlowCallRate.slowerThan is -2 s; allowed: a duration above 0");
    CHECK(validate(SlowCallRate{.minimumCalls = 6, .window = lastCalls(5)}) ==
          "SlowCallRate.minimumCalls is 6; allowed: 1 to 5");
    CHECK(validate(SlowCallRate{.window = 0s}) ==
          "SlowCallRate.window is 0 ns; allowed: a duration above 0");
    CHECK_FALSE(validate(SlowCallRate{}));
}

TEST_CASE("A tracker of SlowCallRate adopts what was counted by the same measure") {
    const auto tracker = [](std::chrono::seconds slowerThan, Window window = lastCalls(10)) {
        TrackerOf<SlowCallRate> made{
            SlowCallRate{.slowerThan = slowerThan, .minimumCalls = 1, .window = window}};
        made.enter(0s);
        return made;
    };
    TrackerOf<SlowCallRate> known = tracker(2s);
    known.record({.position = 1, .elapsed = 3s, .slow = true});
    TrackerOf<SlowCallRate> same = tracker(2s);
    CHECK(same.adopt(known));
    CHECK(same.counts(1, 0s).slow == 1);
    CHECK_FALSE(tracker(3s).adopt(known));
    CHECK_FALSE(tracker(2s, 10s).adopt(known));
}
