// SPDX-License-Identifier: MIT
#include "fusebox/policy/any_trip_policy.hpp"

#include <chrono>
#include <cmath>
#include <concepts>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "policy/replay.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::naive;
using fusebox::test::NaiveComposite;
using fusebox::test::NaivePolicyPtr;
using fusebox::test::Replay;
using fusebox::test::replay;

namespace {

struct Custom {
    bool operator==(const Custom&) const = default;
    template <class Clock>
    struct Tracker {
        explicit Tracker(const Custom&) {}
        void enter(std::chrono::nanoseconds) noexcept {}
        Verdict record(const CallRecord&) noexcept { return false; }
    };
};

static_assert(TripPolicy<AnyTripPolicy>);
static_assert(TripPolicy<AnyOf<AnyTripPolicy, FailureRate>>);
static_assert(std::convertible_to<FailureCount, AnyTripPolicy>);
static_assert(std::convertible_to<AnyOf<Cusum, AllOf<SlowCallRate>>, AnyTripPolicy>);

static_assert(BuiltInPolicy<AnyTripPolicy>);
static_assert(BuiltInPolicy<const FailureRate&>);
static_assert(BuiltInPolicy<AnyOf<AnyTripPolicy, AllOf<Cusum>>>);
static_assert(TripPolicy<Custom> && !BuiltInPolicy<Custom>);
static_assert(!BuiltInPolicy<AnyOf<Cusum, Custom>>);
static_assert(!std::convertible_to<Custom, AnyTripPolicy>);
static_assert(!std::convertible_to<AnyOf<Cusum, Custom>, AnyTripPolicy>);
static_assert(!BuiltInPolicy<int>);

using Define = std::function<NaivePolicyPtr(std::chrono::nanoseconds)>;

/// A random policy and its definition.
struct Specimen {
    AnyTripPolicy policy;
    Define define;
};

template <class Policy>
Specimen leaf(const Policy& policy) {
    return {policy, [policy](std::chrono::nanoseconds origin) { return naive(policy, origin); }};
}

Specimen randomPolicy(std::mt19937_64& random, int depth) {
    const auto upTo = [&](int n) {
        return static_cast<int>(random() % static_cast<unsigned>(n)) + 1;
    };
    const Window windows[] = {lastCalls(upTo(3)), lastCalls(20 + upTo(100)), 100ns, 1000ns, 1003ns};
    const auto minimumOf = [](const Window& window) { return window == lastCalls(1) ? 1 : 2; };
    const Window window = windows[random() % 5];
    const double threshold = 0.1 * upTo(8);
    switch (random() % (depth > 0 ? 8 : 5)) {
        case 0: return leaf(ConsecutiveFailures{upTo(5)});
        case 1: return leaf(FailureCount{window.isTime() ? upTo(6) : 1, window});
        case 2: return leaf(FailureRate{threshold, minimumOf(window), window});
        case 3:
            return leaf(SlowCallRate{threshold, std::chrono::nanoseconds{5 * upTo(5)},
                                     minimumOf(window), window});
        case 4: return leaf(Cusum{0.02, 0.3 + 0.1 * upTo(6), std::pow(7.0, upTo(6))});
        default: break;
    }
    const bool any = random() % 2 == 0;
    std::vector<AnyTripPolicy> policies;
    std::vector<Define> definitions;
    for (int parts = upTo(3); parts > 0; --parts) {
        Specimen part = randomPolicy(random, depth - 1);
        policies.push_back(part.policy);
        definitions.push_back(part.define);
    }
    return {any ? AnyTripPolicy::anyOf(policies) : AnyTripPolicy::allOf(policies),
            [any, definitions](std::chrono::nanoseconds origin) {
                std::vector<NaivePolicyPtr> parts;
                parts.reserve(definitions.size());
                for (const Define& define : definitions) parts.push_back(define(origin));
                return std::make_unique<NaiveComposite>(
                    any ? detail::Combination::Any : detail::Combination::All, std::move(parts));
            }};
}

const auto kStatic = anyOf(FailureRate{.window = 10s}, allOf(ConsecutiveFailures{2}, Cusum{}));

}  // namespace

TEST_CASE("Whatever policy is chosen at run time is exact") {
    std::mt19937_64 random{2024};
    int trips = 0;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const Specimen specimen = randomPolicy(random, 2);
        CAPTURE(seed, toString(specimen.policy));
        REQUIRE_FALSE(validate(specimen.policy));
        const Replay result = replay(specimen.policy, specimen.define, 3'000, seed);
        REQUIRE(result.differences == 0);
        trips += result.trips > 0;
    }
    CHECK(trips > 200);
}

TEST_CASE("It holds five failures in a row by default") {
    CHECK(AnyTripPolicy{} == AnyTripPolicy{ConsecutiveFailures{5}});
    CHECK(toString(AnyTripPolicy{}) == "5 failures in a row");
}

TEST_CASE("It is equal to what was made from an equal policy") {
    const std::vector<AnyTripPolicy> policies{
        ConsecutiveFailures{},
        ConsecutiveFailures{4},
        FailureCount{},
        FailureCount{.window = lastCalls(60)},
        FailureRate{},
        FailureRate{.window = 60s},
        SlowCallRate{},
        Cusum{},
        Cusum{0.02},
        anyOf(FailureRate{}),
        allOf(FailureRate{}),
        anyOf(FailureRate{}, Cusum{}),
        anyOf(Cusum{}, FailureRate{}),
        kStatic,
        AnyTripPolicy::anyOf({}),
    };
    for (std::size_t i = 0; i < policies.size(); ++i) {
        for (std::size_t j = 0; j < policies.size(); ++j) {
            CHECK((policies[i] == policies[j]) == (i == j));
            CHECK(policies[i].isSameAs(policies[j]) == (i == j));
        }
    }
}

TEST_CASE("It compares itself with a policy that is not converted") {
    const AnyTripPolicy rate = FailureRate{.window = 60s};
    CHECK(rate.isSameAs(FailureRate{.window = 1min}));
    CHECK_FALSE(rate.isSameAs(FailureRate{.window = 61s}));
    CHECK_FALSE(rate.isSameAs(SlowCallRate{.window = 60s}));
    CHECK_FALSE(rate.isSameAs(anyOf(FailureRate{.window = 60s})));
    static_assert(noexcept(rate.isSameAs(kStatic)));

    const AnyTripPolicy composite = kStatic;
    CHECK(composite.isSameAs(kStatic));
    CHECK_FALSE(composite.isSameAs(anyOf(FailureRate{.window = 10s})));
    CHECK_FALSE(composite.isSameAs(
        anyOf(FailureRate{.window = 10s}, allOf(ConsecutiveFailures{3}, Cusum{}))));
    CHECK_FALSE(composite.isSameAs(
        allOf(FailureRate{.window = 10s}, allOf(ConsecutiveFailures{2}, Cusum{}))));
    CHECK_FALSE(composite.isSameAs(
        anyOf(FailureRate{.window = 10s}, anyOf(ConsecutiveFailures{2}, Cusum{}))));
    CHECK(composite.isSameAs(anyOf(AnyTripPolicy{FailureRate{.window = 10s}},
                                   AnyTripPolicy{allOf(ConsecutiveFailures{2}, Cusum{})})));
}

TEST_CASE("A list made at run time is the policy that the functions make") {
    CHECK(AnyTripPolicy::anyOf({FailureRate{.window = 10s},
                                AnyTripPolicy::allOf({ConsecutiveFailures{2}, Cusum{}})}) ==
          kStatic);
    CHECK(toString(AnyTripPolicy{kStatic}) == toString(kStatic));
}

TEST_CASE("An empty list is refused, and never trips") {
    CHECK(validate(AnyTripPolicy::anyOf({})) ==
          "any of () is an empty list; allowed: at least one policy");
    CHECK(validate(AnyTripPolicy::allOf({ConsecutiveFailures{}, AnyTripPolicy::allOf({})})) ==
          "all of () is an empty list; allowed: at least one policy");
    for (const AnyTripPolicy& empty : {AnyTripPolicy::anyOf({}), AnyTripPolicy::allOf({})}) {
        AnyTripPolicy::Tracker<std::chrono::steady_clock> tracker{empty};
        tracker.enter(0ns);
        CHECK_FALSE(tracker.record({.position = 1, .failed = true}).trips);
        CHECK_FALSE(tracker.counts(1, 0ns));
        CHECK(tracker.nextTick() == kForever);
    }
}

TEST_CASE("It complains as the policy that it holds") {
    CHECK(validate(AnyTripPolicy{ConsecutiveFailures{0}}) == validate(ConsecutiveFailures{0}));
    CHECK(validate(AnyTripPolicy{FailureRate{.window = 0s}}) ==
          validate(FailureRate{.window = 0s}));
    CHECK(validate(AnyTripPolicy{anyOf(Cusum{}, Cusum{.callsBetweenFalseTrips = 0})}) ==
          "Cusum.callsBetweenFalseTrips is 0; allowed: a number above 1 and at most 1e+15");
    CHECK_FALSE(validate(AnyTripPolicy{kStatic}));
}

TEST_CASE("Its windows stay where anyOf becomes allOf, and go where their number changes") {
    using Tracker = AnyTripPolicy::Tracker<std::chrono::steady_clock>;
    const FailureRate rate{.threshold = 0.5, .minimumCalls = 2, .window = 10s};
    Tracker either{anyOf(rate, ConsecutiveFailures{2})};
    either.enter(0s);
    (void)either.record({.position = 1, .time = 1s, .failed = true});

    Tracker both{allOf(rate, ConsecutiveFailures{2})};
    both.enter(2s);
    REQUIRE(both.adopt(either));
    CHECK(both.counts(1, 2s) == CallCounts{1, 1, 0});
    CHECK(both.record({.position = 2, .time = 3s, .failed = true}).trips);

    Tracker three{anyOf(rate, ConsecutiveFailures{2}, ConsecutiveFailures{3})};
    three.enter(2s);
    CHECK_FALSE(three.adopt(either));
}

TEST_CASE("Words and complaints of policies are found by qualified names, too") {
    CHECK(fusebox::validate(ConsecutiveFailures{0}) == validate(ConsecutiveFailures{0}));
    CHECK(fusebox::validate(FailureCount{0}));
    CHECK(fusebox::validate(FailureRate{.threshold = 2}));
    CHECK(fusebox::validate(SlowCallRate{.threshold = 2}));
    CHECK(fusebox::validate(Cusum{.callsBetweenFalseTrips = 0}));
    CHECK(fusebox::validate(anyOf(Custom{}, FailureRate{.threshold = 2})));
    CHECK(fusebox::validate(AnyTripPolicy::anyOf({})));
    CHECK_FALSE(fusebox::validate(AnyTripPolicy{}));
    CHECK(fusebox::toString(ConsecutiveFailures{3}) == "3 failures in a row");
    CHECK(fusebox::toString(allOf(Custom{}, ConsecutiveFailures{3})) ==
          "all of (custom policy; 3 failures in a row)");
    CHECK(fusebox::toString(AnyTripPolicy{kStatic}) == toString(kStatic));
}

TEST_CASE("It needs, ticks and counts as the policy that it holds") {
    using Tracker = AnyTripPolicy::Tracker<std::chrono::steady_clock>;
    CHECK_FALSE(Tracker{ConsecutiveFailures{}}.needs().time);
    CHECK(Tracker{FailureCount{}}.needs().time);
    CHECK(Tracker{SlowCallRate{.slowerThan = 3s}}.needs().slowerThan == 3s);
    CHECK(Tracker{kStatic}.needs().ticks);
    CHECK(Tracker{kStatic}.needs().minimumCalls == 10);

    Tracker tracker{kStatic};
    tracker.enter(100s);
    CHECK(tracker.nextTick() == 101s);
    (void)tracker.record({.position = 5, .time = 100s, .failed = true});
    tracker.tick(5, 101s);
    CHECK(tracker.nextTick() == 102s);
    CHECK(tracker.counts(5, 101s) == CallCounts{5, 1, 0});
    CHECK_FALSE(Tracker{Cusum{}}.counts(5, 101s));
}
