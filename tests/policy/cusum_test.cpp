// SPDX-License-Identifier: MIT
#include "fusebox/policy/cusum.hpp"

#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "policy/replay.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::Cusum;
using fusebox::TripPolicy;
using fusebox::test::replay;
using fusebox::test::TrackerOf;

static_assert(TripPolicy<Cusum>);
static_assert(Cusum{} == Cusum{.acceptableFailureRate = 0.01,
                               .unacceptableFailureRate = 0.30,
                               .callsBetweenFalseTrips = 1e6});

namespace {

/// A stream of calls that fail at a rate, told failure by failure: healthy or sick.
class Stream {
public:
    explicit Stream(std::uint64_t seed) : random_(seed) {}

    /// The position of the next failure after `position`.
    std::uint64_t failureAfter(std::uint64_t position, double rate) {
        // The distribution wants a rate below 1.
        if (rate == 1.0) return position + 1;
        return position + 1 + std::geometric_distribution<std::uint64_t>{rate}(random_);
    }

private:
    std::mt19937_64 random_;
};

/// Calls until the trip, from a fresh tracker.
std::uint64_t callsUntilTrip(const Cusum& policy, Stream& stream, double rate) {
    TrackerOf<Cusum> tracker{policy};
    tracker.enter(0ns);
    std::uint64_t position = 0;
    do {
        position = stream.failureAfter(position, rate);
    } while (!tracker.record({.position = position, .failed = true}).trips);
    return position;
}

}  // namespace

TEST_CASE("Cusum follows Page's recursion") {
    const Cusum policy =
        GENERATE(Cusum{}, Cusum{0.05, 0.5, 100}, Cusum{0.3, 0.31, 2}, Cusum{0.5, 0.9, 1e4},
                 Cusum{1e-6, 1e-3, 1e15}, Cusum{0.2, 1.0, 1e3});
    CAPTURE(toString(policy));
    const auto result = replay(policy, 100'000);
    CHECK(result.differences == 0);
    CHECK(result.trips > 100);
}

TEST_CASE("Taking off successes at once is exactly taking them off one by one") {
    const Cusum policy{0.05, 0.4, 1e4};
    TrackerOf<Cusum> atOnce{policy};
    TrackerOf<Cusum> oneByOne{policy};
    std::mt19937_64 random{11};
    int differences = 0;
    int trips = 0;
    std::uint64_t position = 0;
    for (int i = 0; i < 200'000; ++i) {
        ++position;
        const bool failed = random() % 100 < static_cast<unsigned>(i / 2000 % 5 * 20 + 3);
        const auto verdict = oneByOne.record({.position = position, .failed = failed});
        if (!failed) {
            differences += verdict.trips;
            continue;
        }
        const auto other = atOnce.record({.position = position, .failed = true});
        differences += other.trips != verdict.trips || other.holds != verdict.holds;
        trips += verdict.trips;
    }
    CHECK(differences == 0);
    CHECK(trips > 1000);
}

TEST_CASE("False trips come no more often than asked for") {
    const double calls = GENERATE(200.0, 2000.0);
    const double acceptable = GENERATE(0.01, 0.05);
    const Cusum policy{acceptable, 0.30, calls};
    Stream stream{42};
    constexpr int kRuns = 400;
    double sum = 0;
    double squares = 0;
    for (int run = 0; run < kRuns; ++run) {
        const auto length = static_cast<double>(callsUntilTrip(policy, stream, acceptable));
        sum += length;
        squares += length * length;
    }
    const double mean = sum / kRuns;
    const double error = std::sqrt((squares / kRuns - mean * mean) / kRuns);
    CAPTURE(calls, acceptable, mean, error);
    // With confidence, not by luck: the mean is above even if the error is against it.
    CHECK(mean - 3 * error > calls);
}

TEST_CASE("The limit is sharp: no lower one would keep the promise") {
    // One failure in a hundred calls, and a trip on each: exactly a hundred calls in between.
    const Cusum policy{0.01, 0.30, 100};
    TrackerOf<Cusum> tracker{policy};
    tracker.enter(0ns);
    CHECK(tracker.record({.position = 1, .failed = true}).trips);
    TrackerOf<Cusum> stricter{Cusum{0.01, 0.30, 100.001}};
    stricter.enter(0ns);
    CHECK_FALSE(stricter.record({.position = 1, .failed = true}).trips);
}

TEST_CASE("Cusum notices an outage within a few calls") {
    // Mean calls until the trip after 200 healthy calls, as in docs/design/policies.md.
    struct Outage {
        double rate;
        double calls;
    };
    const auto outage =
        GENERATE(Outage{1.0, 4.0}, Outage{0.8, 5.0}, Outage{0.5, 8.9}, Outage{0.3, 16.7});
    Stream stream{7};
    constexpr int kRuns = 20'000;
    double sum = 0;
    for (int run = 0; run < kRuns; ++run) {
        TrackerOf<Cusum> tracker{Cusum{}};
        tracker.enter(0ns);
        std::uint64_t position = stream.failureAfter(0, 0.01);
        for (; position <= 200; position = stream.failureAfter(position, 0.01)) {
            (void)tracker.record({.position = position, .failed = true});
        }
        position = 200;
        do {
            position = stream.failureAfter(position, outage.rate);
        } while (!tracker.record({.position = position, .failed = true}).trips);
        sum += static_cast<double>(position - 200);
    }
    CAPTURE(outage.rate);
    CHECK_THAT(sum / kRuns, Catch::Matchers::WithinRel(outage.calls, 0.02));
}

TEST_CASE("At an unacceptable rate of 1 any success resets the score") {
    TrackerOf<Cusum> tracker{Cusum{0.1, 1.0, 1000}};
    tracker.enter(0ns);
    const auto fails = [&](std::uint64_t position) {
        return tracker.record({.position = position, .failed = true}).trips;
    };
    CHECK_FALSE(fails(1));
    CHECK_FALSE(fails(2));
    CHECK_FALSE(fails(4));
    CHECK_FALSE(fails(5));
    CHECK(fails(6));
}

TEST_CASE("Only a failure reaches the lowest limit") {
    TrackerOf<Cusum> tracker{Cusum{0.1, 0.3, 2}};
    CHECK(tracker.score(0) == 0.0);
    CHECK(tracker.score(1) == 0.0);
    const auto success = tracker.record({.position = 2, .failed = false});
    CHECK_FALSE(success.trips);
    CHECK_FALSE(success.holds);
    CHECK(tracker.record({.position = 3, .failed = true}).trips);
}

TEST_CASE("Round figures need no failure more than they say") {
    // ln(calls * unacceptable) / ln(unacceptable / acceptable) failures in a row.
    struct Figures {
        Cusum policy;
        std::uint64_t failures;
    };
    const auto figures = GENERATE(Figures{{0.01, 0.1, 1e6}, 5}, Figures{{0.01, 0.1, 1.01e6}, 6},
                                  Figures{{0.001, 0.1, 1e7}, 3}, Figures{{0.05, 0.5, 200}, 2},
                                  Figures{{1e-6, 1e-3, 1e15}, 4}, Figures{{0.1, 1.0, 1e9}, 9},
                                  Figures{{0.1, 0.2, 5120}, 10}, Figures{{0.1, 0.3, 196'830}, 10},
                                  Figures{{0.01, 0.30, 1e6}, 4}, Figures{{0.1, 0.3, 3}, 1},
                                  Figures{{0.1, 0.3, 4}, 1});
    CAPTURE(toString(figures.policy));
    TrackerOf<Cusum> tracker{figures.policy};
    tracker.enter(0ns);
    std::uint64_t position = 1;
    while (!tracker.record({.position = position, .failed = true}).trips) ++position;
    CHECK(position == figures.failures);
}

TEST_CASE("A success takes off what Page says, and hardly more: the score is never too high") {
    // ln((1 - acceptable) / (1 - unacceptable)) / ln(unacceptable / acceptable), in 2^-40, of the
    // rates as a double holds them, rounded up: computed with 60 digits.
    struct Fall {
        Cusum policy;
        std::int64_t units;
    };
    const auto exact = GENERATE(
        Fall{{0.01, 0.30, 1e6}, 112'054'004'604}, Fall{{0.05, 0.5, 1e4}, 306'492'825'533},
        Fall{{0.25, 0.75, 1e3}, 1'099'511'627'776}, Fall{{0.767, 0.768, 2}, 3'629'575'724'132},
        Fall{{0.883, 0.884, 2}, 8'338'406'729'503});
    CAPTURE(toString(exact.policy));
    TrackerOf<Cusum> tracker{exact.policy};
    tracker.enter(0ns);
    const double unit = std::ldexp(1.0, -40);
    CHECK_FALSE(tracker.record({.position = 1, .failed = true}).trips);
    const double limit = std::round(1.0 / unit / tracker.score(1));
    for (std::uint64_t position = 2; position <= 10; ++position) {
        (void)tracker.record({.position = position, .failed = true});
    }
    const auto units = [&](std::uint64_t position) {
        return std::llround(tracker.score(position) * limit);
    };
    CHECK(units(10) == std::int64_t{10} << 40);
    CHECK(units(10) - units(11) >= exact.units);
    CHECK(units(10) - units(11) <= exact.units + 1);
}

TEST_CASE("Entering anew forgets the score") {
    TrackerOf<Cusum> tracker{Cusum{0.01, 0.3, 1e6}};
    const auto failures = [&](std::uint64_t count) {
        bool trips = false;
        for (std::uint64_t i = 1; i <= count; ++i) {
            trips = tracker.record({.position = i, .failed = true}).trips;
        }
        return trips;
    };
    tracker.enter(0ns);
    CHECK_FALSE(failures(3));
    tracker.enter(0ns);
    CHECK(tracker.score(0) == 0.0);
    CHECK(tracker.score(1) == 0.0);
    CHECK_FALSE(failures(3));
    CHECK(tracker.record({.position = 4, .failed = true}).trips);
}

TEST_CASE("Nothing overflows, however long a score grows or a service stays healthy") {
    // More failures than the score has room for: beside a part that does not agree, allOf goes on.
    constexpr std::uint64_t kFailures = (1 << 24) + 10;
    TrackerOf<Cusum> tracker{Cusum{}};
    tracker.enter(0ns);
    bool holds = true;
    for (std::uint64_t position = 1; position <= kFailures; ++position) {
        const bool still = tracker.record({.position = position, .failed = true}).holds;
        holds = holds && (still || position < 4);
    }
    CHECK(holds);
    CHECK(tracker.record({.position = kFailures + 1'000}).holds);
    CHECK_FALSE(tracker.record({.position = kFailures + (std::uint64_t{1} << 62)}).holds);

    TrackerOf<Cusum> extreme{Cusum{std::numeric_limits<double>::denorm_min(), 0.5, 1e15}};
    extreme.enter(0ns);
    CHECK(extreme.record({.position = 1, .failed = true}).trips);
}

TEST_CASE("Rates that cannot be told apart never trip") {
    const double rate = 0.3;
    TrackerOf<Cusum> tracker{Cusum{rate, std::nextafter(rate, 1.0), 1e6}};
    tracker.enter(0ns);
    bool trips = false;
    for (std::uint64_t position = 1; position < 10'000; ++position) {
        trips = trips || tracker.record({.position = position, .failed = true}).trips;
    }
    CHECK_FALSE(trips);
}

TEST_CASE("Cusum in words, and what it refuses") {
    CHECK(toString(Cusum{}) ==
          "rise of the failure rate from 1 % to 30 % (Cusum, 1e+06 calls between false trips)");

    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const auto complaint = [](const Cusum& policy) { return validate(policy).value_or("none"); };

    const std::string acceptable = "; allowed: a number above 0 and below unacceptableFailureRate";
    CHECK(complaint({.acceptableFailureRate = 0}) ==
          "Cusum.acceptableFailureRate is 0" + acceptable);
    CHECK(complaint({.acceptableFailureRate = -0.1}) ==
          "Cusum.acceptableFailureRate is -0.1" + acceptable);
    CHECK(complaint({.acceptableFailureRate = 1}) ==
          "Cusum.acceptableFailureRate is 1" + acceptable);
    CHECK(complaint({.acceptableFailureRate = kNaN}) ==
          "Cusum.acceptableFailureRate is NaN" + acceptable);
    CHECK(complaint({.acceptableFailureRate = kInfinity}) ==
          "Cusum.acceptableFailureRate is infinity" + acceptable);

    const std::string unacceptable =
        "; allowed: a number above acceptableFailureRate (0.01) and at most 1";
    CHECK(complaint({.unacceptableFailureRate = 0.01}) ==
          "Cusum.unacceptableFailureRate is 0.01" + unacceptable);
    CHECK(complaint({.unacceptableFailureRate = 0}) ==
          "Cusum.unacceptableFailureRate is 0" + unacceptable);
    CHECK(complaint({.unacceptableFailureRate = 1.01}) ==
          "Cusum.unacceptableFailureRate is 1.01" + unacceptable);
    CHECK(complaint({.unacceptableFailureRate = kNaN}) ==
          "Cusum.unacceptableFailureRate is NaN" + unacceptable);
    CHECK(complaint({.unacceptableFailureRate = -kInfinity}) ==
          "Cusum.unacceptableFailureRate is -infinity" + unacceptable);

    const std::string calls = "; allowed: a number above 1 and at most 1e+15";
    CHECK(complaint({.callsBetweenFalseTrips = 1}) == "Cusum.callsBetweenFalseTrips is 1" + calls);
    CHECK(complaint({.callsBetweenFalseTrips = -5}) ==
          "Cusum.callsBetweenFalseTrips is -5" + calls);
    CHECK(complaint({.callsBetweenFalseTrips = 1e16}) ==
          "Cusum.callsBetweenFalseTrips is 1e+16" + calls);
    CHECK(complaint({.callsBetweenFalseTrips = kNaN}) ==
          "Cusum.callsBetweenFalseTrips is NaN" + calls);
    CHECK(complaint({.callsBetweenFalseTrips = kInfinity}) ==
          "Cusum.callsBetweenFalseTrips is infinity" + calls);

    CHECK(complaint({}) == "none");
    CHECK(complaint({0.5, 1.0, 1.5}) == "none");
    CHECK(complaint({.callsBetweenFalseTrips = 1e15}) == "none");
}
