// SPDX-License-Identifier: MIT
#include "fusebox/policy/failure_count.hpp"
#include <initializer_list>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "policy/replay.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::CallCounts;
using fusebox::FailureCount;
using fusebox::lastCalls;
using fusebox::TripPolicy;
using fusebox::Window;
using fusebox::test::replay;
using fusebox::test::TrackerOf;

static_assert(TripPolicy<FailureCount>);
static_assert(FailureCount{} == FailureCount{.threshold = 5, .window = 60s});
static_assert(FailureCount{5, 60s} != FailureCount{5, 61s});

TEST_CASE("FailureCount is exact to the tick: at an age of the window a failure is out") {
    TrackerOf<FailureCount> tracker{FailureCount{.threshold = 3, .window = 100ns}};
    const auto fails = [&](std::chrono::nanoseconds time) {
        return tracker.record({.time = time, .failed = true}).trips;
    };
    tracker.enter(0ns);
    CHECK_FALSE(fails(1000ns));
    CHECK_FALSE(fails(1050ns));
    CHECK_FALSE(fails(1100ns));  // the first is 100 ns old
    CHECK(fails(1149ns));        // the second is 99 ns old
    CHECK(tracker.counts(0, 1149ns) == CallCounts{3, 3, 0});
    CHECK(tracker.counts(0, 1150ns) == CallCounts{2, 2, 0});
    CHECK(tracker.counts(0, 1h) == CallCounts{0, 0, 0});
}

TEST_CASE("FailureCount over the last calls counts positions") {
    TrackerOf<FailureCount> tracker{FailureCount{.threshold = 2, .window = lastCalls(10)}};
    const auto fails = [&](std::uint64_t position) {
        return tracker.record({.position = position, .failed = true}).trips;
    };
    tracker.enter(0ns);
    CHECK_FALSE(fails(1));
    CHECK_FALSE(fails(11));
    CHECK(fails(20));
    CHECK(tracker.counts(20, 0ns) == CallCounts{10, 2, 0});
    CHECK(tracker.counts(21, 0ns) == CallCounts{10, 1, 0});
    tracker.enter(0ns);
    CHECK(tracker.counts(4, 0ns) == CallCounts{4, 0, 0});
}

TEST_CASE("FailureCount is exact") {
    const Window window =
        GENERATE(as<Window>{}, 1ns, 100ns, 1000ns, lastCalls(10), lastCalls(100), lastCalls(1000));
    const int threshold = GENERATE(1, 2, 5, 10);
    CAPTURE(toString(window), threshold);
    const auto result = replay(FailureCount{threshold, window}, 40'000);
    CHECK(result.differences == 0);
    CHECK(result.trips > 100);
}

TEST_CASE("FailureCount asks for times only if its window is one, and never for ticks") {
    CHECK_FALSE(TrackerOf<FailureCount>{FailureCount{2, lastCalls(5)}}.needs().time);
    CHECK(TrackerOf<FailureCount>{FailureCount{2, lastCalls(5)}}.needs().minimumCalls == 1);
    const auto needs = TrackerOf<FailureCount>{FailureCount{2, 5s}}.needs();
    CHECK(needs.time);
    CHECK_FALSE(needs.ticks);
    CHECK_FALSE(needs.successes);
    CHECK(needs.minimumCalls == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("A window that never ends keeps every failure, at any distance") {
    TrackerOf<FailureCount> tracker{
        FailureCount{.threshold = 2, .window = std::chrono::nanoseconds::max()}};
    tracker.enter(std::chrono::nanoseconds::min());
    CHECK_FALSE(tracker.record({.time = std::chrono::nanoseconds::min(), .failed = true}).trips);
    CHECK(tracker.record({.time = std::chrono::nanoseconds::max(), .failed = true}).trips);
}

TEST_CASE("A failure at a time before the last one is in the window") {
    TrackerOf<FailureCount> tracker{FailureCount{.threshold = 2, .window = 10ns}};
    tracker.enter(0ns);
    CHECK_FALSE(tracker.record({.time = 1000ns, .failed = true}).trips);
    CHECK(tracker.record({.time = 5ns, .failed = true}).trips);
}

TEST_CASE("A tracker of a FailureCount that would be refused trips on the first failure") {
    TrackerOf<FailureCount> tracker{FailureCount{.threshold = GENERATE(0, -7)}};
    tracker.enter(0s);
    CHECK_FALSE(tracker.record({.time = 1s}).holds);
    CHECK(tracker.record({.time = 1s, .failed = true}).trips);
}

TEST_CASE("FailureCount in words, and what it refuses") {
    CHECK(toString(FailureCount{}) == "5 failures within the last 1 min");
    CHECK(toString(FailureCount{.window = 30s}) == "5 failures within the last 30 s");
    CHECK(toString(FailureCount{1, lastCalls(20)}) == "1 failure within the last 20 calls");

    const int refused = GENERATE(0, -7, 1'000'001);
    CHECK(validate(FailureCount{.threshold = refused}) ==
          "FailureCount.threshold is " + std::to_string(refused) + "; allowed: 1 to 1000000");
    CHECK(validate(FailureCount{.threshold = 21, .window = lastCalls(20)}) ==
          "FailureCount.threshold is 21; allowed: 1 to 20");
    CHECK(validate(FailureCount{.window = 0s}) ==
          "FailureCount.window is 0 ns; allowed: a duration above 0");
    CHECK(validate(FailureCount{.window = lastCalls(-1)}) ==
          "FailureCount.window is lastCalls(-1); allowed: lastCalls(1) to lastCalls(1000000), or a "
          "duration above 0");
    CHECK_FALSE(validate(FailureCount{}));
    CHECK_FALSE(validate(FailureCount{.threshold = 20, .window = lastCalls(20)}));
    CHECK_FALSE(validate(FailureCount{.threshold = 1'000'000, .window = 1ns}));
}

TEST_CASE("A tracker of FailureCount adopts what is enough for its threshold") {
    const auto after = [](int threshold, std::initializer_list<std::chrono::seconds> failures) {
        TrackerOf<FailureCount> tracker{FailureCount{.threshold = threshold, .window = 10s}};
        tracker.enter(0s);
        for (const auto time : failures) tracker.record({.time = time, .failed = true});
        return tracker;
    };
    const auto fresh = [](int threshold, Window window = 10s) {
        return TrackerOf<FailureCount>{FailureCount{.threshold = threshold, .window = window}};
    };
    TrackerOf<FailureCount> three = fresh(3);
    // Two failures within the window: there may have been a third, which is forgotten.
    CHECK_FALSE(three.adopt(after(2, {1s, 2s})));
    // Of two that are further apart the older one does not matter, nor what was before it.
    CHECK(three.adopt(after(2, {1s, 20s})));
    CHECK_FALSE(three.record({.time = 21s, .failed = true}).trips);
    CHECK(three.record({.time = 22s, .failed = true}).trips);
    CHECK(fresh(4).adopt(after(3, {1s, 2s, 20s})));
    CHECK(three.adopt(after(3, {31s, 32s})));  // in place of what it knew
    CHECK(three.counts(0, 32s).failures == 2);
    CHECK(fresh(2).adopt(after(2, {1s, 2s})));
    CHECK(fresh(3).adopt(after(4, {1s, 2s})));
    CHECK_FALSE(fresh(2, 20s).adopt(after(2, {1s})));
    CHECK_FALSE(fresh(2, lastCalls(5)).adopt(after(2, {1s})));
}
