// SPDX-License-Identifier: MIT
#include "fusebox/policy/consecutive_failures.hpp"

#include <chrono>
#include <limits>

#include "policy/replay.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::ConsecutiveFailures;
using fusebox::TripPolicy;
using fusebox::test::replay;

static_assert(TripPolicy<ConsecutiveFailures>);
static_assert(ConsecutiveFailures{}.threshold == 5);
static_assert(ConsecutiveFailures{3} == ConsecutiveFailures{.threshold = 3});

TEST_CASE("ConsecutiveFailures trips on the last of so many failures without a success between") {
    ConsecutiveFailures::Tracker<std::chrono::steady_clock> tracker{ConsecutiveFailures{3}};
    const auto fails = [&](std::uint64_t position) {
        return tracker.record({.position = position, .failed = true}).trips;
    };
    tracker.enter(0ns);
    CHECK_FALSE(fails(1));
    CHECK_FALSE(fails(2));
    CHECK_FALSE(fails(4));
    CHECK_FALSE(fails(5));
    CHECK(fails(6));
    CHECK(fails(7));
    tracker.enter(0ns);
    CHECK_FALSE(fails(8));
}

TEST_CASE("Without an entry a row begins at the first position, too") {
    ConsecutiveFailures::Tracker<std::chrono::steady_clock> tracker{ConsecutiveFailures{2}};
    CHECK_FALSE(tracker.record({.position = 1, .failed = true}).trips);
    CHECK(tracker.record({.position = 2, .failed = true}).trips);
}

TEST_CASE("A slow success ends the row, and trips nothing") {
    ConsecutiveFailures::Tracker<std::chrono::steady_clock> tracker{ConsecutiveFailures{2}};
    tracker.enter(0ns);
    (void)tracker.record({.position = 1, .failed = true});
    CHECK(tracker.record({.position = 2, .failed = true, .slow = true}).trips);
    const auto verdict = tracker.record({.position = 3, .slow = true});
    CHECK_FALSE(verdict.trips);
    CHECK_FALSE(verdict.holds);
    CHECK_FALSE(tracker.record({.position = 4, .failed = true}).trips);
}

TEST_CASE("ConsecutiveFailures is exact") {
    const int threshold = GENERATE(1, 2, 5, 20);
    const auto result = replay(ConsecutiveFailures{threshold}, 100'000);
    CHECK(result.differences == 0);
    CHECK(result.trips > 100);
}

TEST_CASE("ConsecutiveFailures in words, and what it refuses") {
    CHECK(toString(ConsecutiveFailures{}) == "5 failures in a row");
    CHECK(toString(ConsecutiveFailures{1}) == "1 failure in a row");

    const int refused = GENERATE(0, -1, std::numeric_limits<int>::min());
    CHECK(validate(ConsecutiveFailures{refused}) == "ConsecutiveFailures.threshold is " +
                                                        std::to_string(refused) +
                                                        "; allowed: 1 to 2147483647");
    CHECK_FALSE(validate(ConsecutiveFailures{1}));
    CHECK_FALSE(validate(ConsecutiveFailures{std::numeric_limits<int>::max()}));
}
