// SPDX-License-Identifier: MIT
#include "fusebox/policy/trip_policy.hpp"

#include <chrono>
#include <string>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

/// Trips on a failure that took longer than a second; all that a policy must have.
struct LeastPolicy {
    bool operator==(const LeastPolicy&) const = default;

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const LeastPolicy&) {}
        Tracker(const Tracker&) = delete;
        Tracker& operator=(const Tracker&) = delete;

        void enter(nanoseconds) noexcept {}
        bool record(const CallRecord& record) noexcept { return record.elapsed > 1s; }
    };
};
static_assert(TripPolicy<LeastPolicy>);

/// All that a policy may have.
struct Talkative {
    int unit = 1;
    bool operator==(const Talkative&) const = default;
    friend const char* toString(const Talkative&) { return "talkative"; }
    friend Complaint validate(const Talkative& policy) {
        if (policy.unit == 1) return std::nullopt;
        return "Talkative.unit is not 1";
    }

    template <class Clock>
    struct Tracker {
        explicit Tracker(const Talkative&) {}
        [[nodiscard]] TrackerNeeds needs() const noexcept {
            return {.time = true, .minimumCalls = 4};
        }
        void enter(nanoseconds now) noexcept { ticked = now; }
        Verdict record(const CallRecord&) noexcept { return {false, true}; }
        [[nodiscard]] CallCounts counts(std::uint64_t position, nanoseconds) const noexcept {
            return {position, 1, 0};
        }
        void tick(std::uint64_t, nanoseconds now) noexcept { ticked = now; }
        [[nodiscard]] nanoseconds nextTick() const noexcept { return ticked + 1s; }

        nanoseconds ticked{0};
    };
};
static_assert(TripPolicy<Talkative>);

// Near-misses: each lacks one thing. The control lacks nothing.

struct Control : LeastPolicy {};
static_assert(TripPolicy<Control>);

struct NotComparable {
    template <class Clock>
    using Tracker = LeastPolicy::Tracker<Clock>;
};
static_assert(!TripPolicy<NotComparable>);

struct NotDefaultConstructible : LeastPolicy {
    explicit NotDefaultConstructible(int) {}
};
static_assert(!TripPolicy<NotDefaultConstructible>);

struct NotCopyable : LeastPolicy {
    NotCopyable() = default;
    NotCopyable(NotCopyable&&) = default;
    NotCopyable& operator=(NotCopyable&&) = default;
};
static_assert(!TripPolicy<NotCopyable>);

struct WithoutTracker {
    bool operator==(const WithoutTracker&) const = default;
};
static_assert(!TripPolicy<WithoutTracker>);

struct TrackerIsNoTemplate : WithoutTracker {
    using Tracker = LeastPolicy::Tracker<steady_clock>;
};
static_assert(!TripPolicy<TrackerIsNoTemplate>);

/// A policy with a tracker of one's choice.
template <template <class Policy> class TrackerOf>
struct With {
    bool operator==(const With&) const = default;
    template <class Clock>
    using Tracker = TrackerOf<With>;
};

template <class Policy>
struct Complete {
    explicit Complete(const Policy&) {}
    void enter(nanoseconds) noexcept {}
    Verdict record(const CallRecord&) noexcept { return false; }
};
static_assert(TripPolicy<With<Complete>>);

template <class Policy>
struct NotMadeFromPolicy {
    void enter(nanoseconds) noexcept {}
    Verdict record(const CallRecord&) noexcept { return false; }
};
static_assert(!TripPolicy<With<NotMadeFromPolicy>>);

template <class Policy>
struct NoEnter {
    explicit NoEnter(const Policy&) {}
    Verdict record(const CallRecord&) noexcept { return false; }
};
static_assert(!TripPolicy<With<NoEnter>>);

template <class Policy>
struct EnterMayThrow : Complete<Policy> {
    using Complete<Policy>::Complete;
    void enter(nanoseconds) {}
};
static_assert(!TripPolicy<With<EnterMayThrow>>);

template <class Policy>
struct NoRecord {
    explicit NoRecord(const Policy&) {}
    void enter(nanoseconds) noexcept {}
};
static_assert(!TripPolicy<With<NoRecord>>);

template <class Policy>
struct RecordMayThrow : Complete<Policy> {
    using Complete<Policy>::Complete;
    Verdict record(const CallRecord&) { return false; }
};
static_assert(!TripPolicy<With<RecordMayThrow>>);

template <class Policy>
struct RecordSaysNothing : Complete<Policy> {
    using Complete<Policy>::Complete;
    void record(const CallRecord&) noexcept {}
};
static_assert(!TripPolicy<With<RecordSaysNothing>>);

template <class Policy>
struct RecordChangesTheRecord : Complete<Policy> {
    using Complete<Policy>::Complete;
    Verdict record(CallRecord&) noexcept { return false; }
};
static_assert(!TripPolicy<With<RecordChangesTheRecord>>);

void requireOnlyTime(const TrackerNeeds& needs) {
    CHECK(needs.time);
    CHECK_FALSE(needs.successes);
    CHECK_FALSE(needs.ticks);
    CHECK_FALSE(needs.preciseTicks);
    CHECK(needs.slowerThan == kForever);
    CHECK(needs.minimumCalls == 1);
    CHECK(needs.windowSize == 0);
}

}  // namespace

TEST_CASE("A record or verdict left out says nothing, and needs ask for the time alone") {
    CallRecord record;
    CHECK(record.position == 0);
    CHECK(record.time == 0ns);
    CHECK(record.elapsed == 0ns);
    CHECK_FALSE(record.failed);
    CHECK_FALSE(record.slow);
    Verdict verdict;
    CHECK_FALSE(verdict.trips);
    CHECK_FALSE(verdict.holds);
    requireOnlyTime(TrackerNeeds{});
}

TEST_CASE("What a policy leaves out has a default") {
    LeastPolicy::Tracker<steady_clock> tracker{LeastPolicy{}};
    requireOnlyTime(detail::needsOf(tracker));
    CHECK_FALSE(detail::countsOf(tracker, 5, 0s));
    CHECK(detail::nextTickOf(tracker) == kForever);
    detail::tickOf(tracker, 5, 0s);
    CHECK_FALSE(detail::adoptFrom(tracker, tracker));
    CHECK(detail::describe(LeastPolicy{}) == "custom policy");
    CHECK_FALSE(detail::complaintOf(LeastPolicy{}));

    const Verdict verdict = tracker.record({.elapsed = 2s, .failed = true});
    CHECK(verdict.trips);
    CHECK(verdict.holds);
}

TEST_CASE("What a policy says of itself is heard") {
    Talkative::Tracker<steady_clock> tracker{Talkative{}};
    CHECK(detail::needsOf(tracker).time);
    CHECK(detail::needsOf(tracker).minimumCalls == 4);
    CHECK(detail::countsOf(tracker, 5, 0s) == CallCounts{5, 1, 0});
    detail::tickOf(tracker, 5, 7s);
    CHECK(detail::nextTickOf(tracker) == 8s);
    CHECK(detail::describe(Talkative{}) == "talkative");
    CHECK(detail::complaintOf(Talkative{2}) == "Talkative.unit is not 1");
    CHECK_FALSE(detail::complaintOf(Talkative{}));

    const Verdict verdict = tracker.record({});
    CHECK_FALSE(verdict.trips);
    CHECK(verdict.holds);
}
