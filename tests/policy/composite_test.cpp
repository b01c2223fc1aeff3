// SPDX-License-Identifier: MIT
#include "fusebox/policy/composite.hpp"

#include <chrono>
#include <concepts>
#include <memory>
#include <tuple>

#include "policy/replay.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Replay;
using fusebox::test::replay;
using fusebox::test::TrackerOf;

namespace {

/// A policy of a user's: trips on every n-th failure, wants every success, and counts its ticks.
struct EveryNth {
    int n = 2;

    bool operator==(const EveryNth&) const = default;

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const EveryNth& policy) : n_(policy.n) {}
        // Trackers need be neither copyable nor movable, not even as parts.
        Tracker(const Tracker&) = delete;
        Tracker& operator=(const Tracker&) = delete;
        ~Tracker() = default;

        [[nodiscard]] static TrackerNeeds needs() noexcept {
            return {.successes = true, .ticks = true, .preciseTicks = true};
        }
        void enter(std::chrono::nanoseconds now) noexcept {
            failures_ = 0;
            next_ = now + 100ns;
        }
        Verdict record(const CallRecord& record) noexcept {
            return record.failed && ++failures_ % n_ == 0;
        }
        void tick(std::uint64_t, std::chrono::nanoseconds now) noexcept { next_ = now + 100ns; }
        [[nodiscard]] std::chrono::nanoseconds nextTick() const noexcept { return next_; }

    private:
        int n_;
        int failures_ = 0;
        std::chrono::nanoseconds next_{0};
    };
};

const FailureRate kRate{.threshold = 0.5, .minimumCalls = 3, .window = lastCalls(20)};
const FailureRate kTimedRate{.threshold = 0.4, .minimumCalls = 2, .window = 1000ns};
const SlowCallRate kSlow{
    .threshold = 0.4, .slowerThan = 15ns, .minimumCalls = 3, .window = lastCalls(30)};
const SlowCallRate kVerySlow{
    .threshold = 0.1, .slowerThan = 25ns, .minimumCalls = 3, .window = 100ns};

}  // namespace

static_assert(TripPolicy<AnyOf<ConsecutiveFailures>>);
static_assert(TripPolicy<AnyOf<ConsecutiveFailures, FailureRate, Cusum>>);
static_assert(TripPolicy<AllOf<AnyOf<SlowCallRate, EveryNth>, FailureCount>>);
static_assert(std::same_as<decltype(anyOf(FailureRate{}, Cusum{})), AnyOf<FailureRate, Cusum>>);
static_assert(!std::same_as<AnyOf<Cusum>, AllOf<Cusum>>);

TEST_CASE("A composite is a regular value with parts") {
    const auto policy = anyOf(ConsecutiveFailures{3}, kRate);
    CHECK(std::get<0>(policy.parts()) == ConsecutiveFailures{3});
    CHECK(std::get<1>(policy.parts()) == kRate);
    CHECK(policy == anyOf(ConsecutiveFailures{3}, kRate));
    CHECK(policy != anyOf(ConsecutiveFailures{4}, kRate));
    AnyOf<ConsecutiveFailures, FailureRate> other;
    CHECK(other == anyOf(ConsecutiveFailures{}, FailureRate{}));
    other = policy;
    CHECK(other == policy);
}

TEST_CASE("Composites are exact") {
    const auto exact = [](const auto& policy, int leastTrips) {
        CAPTURE(toString(policy));
        const Replay result = replay(policy, 50'000);
        CHECK(result.differences == 0);
        CHECK(result.trips >= leastTrips);
    };
    exact(anyOf(ConsecutiveFailures{4}), 30);
    exact(allOf(kRate), 30);
    exact(anyOf(ConsecutiveFailures{6}, kRate), 30);
    exact(allOf(ConsecutiveFailures{3}, kRate), 30);
    exact(anyOf(kRate, kSlow), 30);
    exact(allOf(kRate, kSlow), 30);
    exact(allOf(kSlow, kTimedRate, FailureCount{3, 100ns}), 30);
    exact(anyOf(kVerySlow, kSlow, kTimedRate), 30);
    exact(allOf(kVerySlow, kSlow), 30);
    exact(allOf(Cusum{0.02, 0.5, 1e4}, ConsecutiveFailures{2}), 30);
    exact(allOf(Cusum{0.02, 0.5, 1e4}, kSlow), 30);
    exact(anyOf(allOf(kRate, kSlow), FailureCount{7, lastCalls(15)}, Cusum{0.02, 0.9, 1e3}), 30);
    exact(allOf(anyOf(ConsecutiveFailures{2}, kSlow), anyOf(kTimedRate, FailureCount{3, 100ns})),
          100);
}

TEST_CASE("allOf trips on a record of one kind while the condition of the other holds") {
    const auto policy = allOf(FailureRate{.threshold = 0.5, .minimumCalls = 2},
                              SlowCallRate{.threshold = 0.5, .slowerThan = 1s, .minimumCalls = 2});
    TrackerOf<decltype(allOf(FailureRate{}, SlowCallRate{}))> tracker{policy};
    tracker.enter(0ns);
    CHECK_FALSE(tracker.record({.position = 1, .failed = true}).trips);
    const Verdict verdict = tracker.record({.position = 2, .elapsed = 1s, .slow = true});
    CHECK(verdict.trips);
    CHECK(verdict.holds);
}

TEST_CASE("anyOf does not let a slow success trip a failure rate") {
    const auto policy = anyOf(FailureRate{.threshold = 0.5, .minimumCalls = 2},
                              SlowCallRate{.threshold = 1.0, .slowerThan = 1s, .minimumCalls = 2});
    TrackerOf<decltype(anyOf(FailureRate{}, SlowCallRate{}))> tracker{policy};
    tracker.enter(0ns);
    (void)tracker.record({.position = 1, .failed = true});
    const Verdict verdict = tracker.record({.position = 2, .elapsed = 1s, .slow = true});
    CHECK_FALSE(verdict.trips);
    CHECK(verdict.holds);
}

TEST_CASE("A composite needs what its parts need") {
    const auto needsOf = [](const auto& policy) {
        return TrackerOf<std::remove_cvref_t<decltype(policy)>>{policy}.needs();
    };
    const TrackerNeeds few = needsOf(anyOf(ConsecutiveFailures{}, Cusum{}, kRate));
    CHECK_FALSE(few.time);
    CHECK_FALSE(few.successes);
    CHECK_FALSE(few.ticks);
    CHECK(few.slowerThan == kForever);
    CHECK(few.minimumCalls == 3);

    const TrackerNeeds many = needsOf(allOf(kSlow, kVerySlow, FailureCount{}, EveryNth{}));
    CHECK(many.time);
    CHECK(many.successes);
    CHECK(many.ticks);
    CHECK(many.preciseTicks);
    CHECK(many.slowerThan == 15ns);
    CHECK(many.minimumCalls == 3);

    CHECK(needsOf(anyOf(Cusum{}, FailureRate{.minimumCalls = 7}, kRate)).minimumCalls == 7);
    CHECK(needsOf(anyOf(ConsecutiveFailures{}, Cusum{})).minimumCalls == 1);
}

TEST_CASE("A composite shows the counts of the first part that has a window") {
    const auto policy = anyOf(ConsecutiveFailures{}, FailureRate{.window = lastCalls(10)},
                              FailureRate{.window = lastCalls(50)});
    TrackerOf<std::remove_const_t<decltype(policy)>> tracker{policy};
    tracker.enter(0ns);
    (void)tracker.record({.position = 30, .failed = true});
    CHECK(tracker.counts(30, 0ns) == CallCounts{10, 1, 0});

    const auto windowless = anyOf(ConsecutiveFailures{}, Cusum{});
    CHECK_FALSE(TrackerOf<std::remove_const_t<decltype(windowless)>>{windowless}.counts(1, 0ns));
}

TEST_CASE("A composite passes a tick on to the parts whose time it is") {
    const auto policy = anyOf(EveryNth{}, FailureRate{.window = 2000ns});
    TrackerOf<std::remove_const_t<decltype(policy)>> tracker{policy};
    tracker.enter(0ns);
    CHECK(tracker.nextTick() == 100ns);
    tracker.tick(0, 110ns);
    CHECK(tracker.nextTick() == 200ns);  // the rate's; the other's is at 210 ns
    tracker.tick(0, 205ns);
    CHECK(tracker.nextTick() == 210ns);
    tracker.tick(0, 210ns);
    CHECK(tracker.nextTick() == 310ns);
    CHECK(TrackerOf<AnyOf<Cusum>>{anyOf(Cusum{})}.nextTick() == kForever);
}

TEST_CASE("A policy of a user's takes part in a composite") {
    const auto policy = allOf(EveryNth{3}, ConsecutiveFailures{2});
    TrackerOf<std::remove_const_t<decltype(policy)>> tracker{policy};
    tracker.enter(0ns);
    CHECK_FALSE(tracker.record({.position = 1, .failed = true}).trips);
    CHECK_FALSE(tracker.record({.position = 2, .failed = true}).trips);
    CHECK_FALSE(tracker.record({.position = 3}).trips);
    CHECK_FALSE(tracker.record({.position = 4, .failed = true}).trips);  // third, but alone
    CHECK_FALSE(tracker.record({.position = 5, .failed = true}).trips);
    CHECK_FALSE(tracker.record({.position = 6, .failed = true}).trips);
    CHECK(tracker.record({.position = 7, .failed = true}).trips);  // sixth, and in a row
    CHECK(toString(policy) == "all of (custom policy; 2 failures in a row)");
    CHECK_FALSE(validate(policy));
}

TEST_CASE("A composite in words, and its first complaint") {
    CHECK(toString(
              anyOf(ConsecutiveFailures{3}, allOf(FailureCount{2, 1s}, ConsecutiveFailures{1}))) ==
          "any of (3 failures in a row; all of (2 failures within the last 1 s; 1 failure in a "
          "row))");
    CHECK_FALSE(validate(anyOf(ConsecutiveFailures{}, FailureRate{})));
    CHECK(validate(allOf(ConsecutiveFailures{}, anyOf(FailureRate{.threshold = 2}),
                         ConsecutiveFailures{0})) ==
          "FailureRate.threshold is 2; allowed: a number above 0 and at most 1");
}

TEST_CASE("A composite adopts part by part, and only if every part can") {
    const auto tracker = [](const auto& policy) {
        typename std::remove_cvref_t<decltype(policy)>::template Tracker<std::chrono::steady_clock>
            made{policy};
        made.enter(0s);
        return made;
    };
    const auto both = [](int row, Window window) {
        return anyOf(ConsecutiveFailures{row}, FailureRate{.minimumCalls = 5, .window = window});
    };
    auto known = tracker(both(3, 10s));
    known.record({.position = 1, .time = 1s, .failed = true});
    known.record({.position = 2, .time = 2s, .failed = true});
    auto same = tracker(both(4, 10s));
    CHECK(detail::adoptFrom(same, known));
    CHECK(detail::countsOf(same, 2, 2s)->failures == 2);
    auto longer = tracker(both(3, 20s));
    CHECK_FALSE(detail::adoptFrom(longer, known));
}
