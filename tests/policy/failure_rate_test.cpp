// SPDX-License-Identifier: MIT
#include "fusebox/policy/failure_rate.hpp"

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "fusebox/vocabulary/clock.hpp"
#include "policy/replay.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::CallCounts;
using fusebox::ClockTraits;
using fusebox::FailureRate;
using fusebox::lastCalls;
using fusebox::TripPolicy;
using fusebox::Window;
using fusebox::test::replay;
using fusebox::test::TrackerOf;

static_assert(TripPolicy<FailureRate>);
static_assert(FailureRate{} ==
              FailureRate{.threshold = 0.5, .minimumCalls = 10, .window = lastCalls(100)});

TEST_CASE("FailureRate trips at the threshold, not only above it") {
    TrackerOf<FailureRate> tracker{FailureRate{.threshold = 0.07, .minimumCalls = 1}};
    tracker.enter(0ns);
    // 0.07 * 100 is above 7 in floating point: a product would miss the seventh failure.
    for (std::uint64_t position = 94; position <= 99; ++position) {
        CHECK_FALSE(tracker.record({.position = position, .failed = true}).trips);
    }
    CHECK(tracker.record({.position = 100, .failed = true}).trips);
}

TEST_CASE("FailureRate takes no rate below its minimum of calls") {
    TrackerOf<FailureRate> tracker{FailureRate{.threshold = 0.5, .minimumCalls = 4}};
    tracker.enter(0ns);
    for (std::uint64_t position = 1; position <= 3; ++position) {
        CHECK_FALSE(tracker.record({.position = position, .failed = true}).trips);
    }
    CHECK(tracker.record({.position = 4, .failed = true}).trips);
}

TEST_CASE("A tracker of a FailureRate that would be refused has a minimum of one call") {
    const FailureRate policy{.threshold = 0.5, .minimumCalls = GENERATE(0, -7)};
    CHECK(TrackerOf<FailureRate>{policy}.needs().minimumCalls == 1);
}

TEST_CASE("A slow success does not trip a failure rate, though the condition holds") {
    TrackerOf<FailureRate> tracker{FailureRate{.threshold = 0.5, .minimumCalls = 2}};
    tracker.enter(0ns);
    (void)tracker.record({.position = 1, .failed = true});
    const auto verdict = tracker.record({.position = 2, .slow = true});
    CHECK(verdict.holds);
    CHECK_FALSE(verdict.trips);
    CHECK(tracker.counts(2, 0ns) == CallCounts{2, 1, 1});
}

TEST_CASE("FailureRate is exact") {
    const Window window =
        GENERATE(as<Window>{}, lastCalls(1), lastCalls(2), lastCalls(100), lastCalls(999), 7ns,
                 100ns, 1000ns, 1001ns, std::chrono::nanoseconds::max());
    const double threshold = GENERATE(0.07, 0.5, 1.0);
    CAPTURE(toString(window), threshold);
    const FailureRate policy{.threshold = threshold, .minimumCalls = 3, .window = window};
    CHECK(replay(policy, 60'000).differences == 0);
}

TEST_CASE("FailureRate told of successes by a neighbour's wish says the same") {
    TrackerOf<FailureRate> quiet{FailureRate{.window = lastCalls(20)}};
    TrackerOf<FailureRate> told{FailureRate{.window = lastCalls(20)}};
    quiet.enter(0ns);
    told.enter(0ns);
    int differences = 0;
    int trips = 0;
    for (std::uint64_t position = 1; position <= 5'000; ++position) {
        const bool failed = position * position % 97 < 45;
        const auto verdict = told.record({.position = position, .failed = failed});
        if (!failed) differences += verdict.trips;
        if (failed)
            differences +=
                quiet.record({.position = position, .failed = true}).trips != verdict.trips;
        trips += verdict.trips;
    }
    CHECK(differences == 0);
    CHECK(trips > 0);
}

TEST_CASE("FailureRate asks for ticks only over time, and for precise ones if slices are short") {
    const auto needs =
        TrackerOf<FailureRate>{FailureRate{.minimumCalls = 7, .window = lastCalls(5000)}}.needs();
    CHECK_FALSE(needs.time);
    CHECK_FALSE(needs.ticks);
    CHECK_FALSE(needs.preciseTicks);
    CHECK_FALSE(needs.successes);
    CHECK(needs.minimumCalls == 7);
    CHECK(needs.slowerThan == fusebox::kForever);

    constexpr auto kShortest = 80 * ClockTraits<std::chrono::steady_clock>::coarseLag;
    const auto time = TrackerOf<FailureRate>{FailureRate{.window = kShortest}}.needs();
    CHECK(time.time);
    CHECK(time.ticks);
    CHECK_FALSE(time.preciseTicks);
    const bool lags = kShortest > 0ns;
    CHECK(TrackerOf<FailureRate>{FailureRate{.window = kShortest - 1ns}}.needs().preciseTicks ==
          lags);
    CHECK_FALSE(TrackerOf<FailureRate>{FailureRate{.window = std::chrono::nanoseconds::max()}}
                    .needs()
                    .preciseTicks);
}

TEST_CASE("FailureRate in words, and what it refuses") {
    CHECK(toString(FailureRate{}) ==
          "failure rate of at least 50 % over the last 100 calls (minimum 10 calls)");
    CHECK(toString(FailureRate{.threshold = 0.07, .minimumCalls = 1, .window = 30s}) ==
          "failure rate of at least 7 % over the last 30 s (minimum 1 call)");

    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto complaint = [](double threshold) {
        return validate(FailureRate{.threshold = threshold}).value_or("none");
    };
    const std::string allowed = "; allowed: a number above 0 and at most 1";
    CHECK(complaint(0.0) == "FailureRate.threshold is 0" + allowed);
    CHECK(complaint(-0.5) == "FailureRate.threshold is -0.5" + allowed);
    CHECK(complaint(1.5) == "FailureRate.threshold is 1.5" + allowed);
    CHECK(complaint(50) == "FailureRate.threshold is 50" + allowed);
    CHECK(complaint(std::numeric_limits<double>::quiet_NaN()) ==
          "FailureRate.threshold is NaN" + allowed);
    CHECK(complaint(kInfinity) == "FailureRate.threshold is infinity" + allowed);
    CHECK(complaint(-kInfinity) == "FailureRate.threshold is -infinity" + allowed);
    CHECK(complaint(1.0) == "none");
    CHECK(complaint(std::numeric_limits<double>::denorm_min()) == "none");

    CHECK(validate(FailureRate{.minimumCalls = 0}) ==
          "FailureRate.minimumCalls is 0; allowed: 1 to 100");
    CHECK(validate(FailureRate{.minimumCalls = -1, .window = 1s}) ==
          "FailureRate.minimumCalls is -1; allowed: 1 to 2147483647");
    CHECK(validate(FailureRate{.minimumCalls = 101}) ==
          "FailureRate.minimumCalls is 101; allowed: 1 to 100");
    CHECK(validate(FailureRate{.minimumCalls = 1, .window = lastCalls(0)}) ==
          "FailureRate.window is lastCalls(0); allowed: lastCalls(1) to lastCalls(1000000), or a "
          "duration above 0");
    CHECK(validate(FailureRate{.window = -1s}) ==
          "FailureRate.window is -1 s; allowed: a duration above 0");
    CHECK_FALSE(validate(FailureRate{}));
    CHECK_FALSE(validate(FailureRate{.minimumCalls = 100}));
    CHECK_FALSE(validate(FailureRate{.window = std::chrono::nanoseconds::max()}));
}
