// SPDX-License-Identifier: MIT
// The concept Clock, its archetype and near-misses, and the clocks that are shipped.
#include "fusebox/vocabulary/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"
#include "support/clocks.hpp"

using namespace std::chrono_literals;
using fusebox::ClockTraits;
using fusebox::CoarseSteadyClock;
using fusebox::test::CountingClock;
using fusebox::test::ManualClock;

namespace {

/// The least that is a clock: with state, and movable only.
struct LeastClock {
    using duration = std::chrono::microseconds;
    using time_point = std::chrono::time_point<LeastClock, duration>;
    [[maybe_unused]] static constexpr bool is_steady = true;
    std::unique_ptr<int> state{};
    [[nodiscard]] time_point now() const { return {}; }
};
static_assert(fusebox::Clock<LeastClock>);
static_assert(fusebox::Clock<std::chrono::steady_clock>);
static_assert(fusebox::Clock<std::chrono::system_clock>);
static_assert(fusebox::Clock<CoarseSteadyClock>);
static_assert(fusebox::Clock<ManualClock>);

struct NoTimePoint {
    using duration = std::chrono::nanoseconds;
    [[maybe_unused]] static constexpr bool is_steady = true;
    [[nodiscard]] std::chrono::steady_clock::time_point now() const { return {}; }
};
struct NoDuration {
    using time_point = std::chrono::steady_clock::time_point;
    [[maybe_unused]] static constexpr bool is_steady = true;
    [[nodiscard]] time_point now() const { return {}; }
};
struct NoSteadiness {
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::steady_clock::time_point;
    [[nodiscard]] time_point now() const { return {}; }
};
struct NoNow {
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::steady_clock::time_point;
    [[maybe_unused]] static constexpr bool is_steady = true;
};
struct MutableNow : NoNow {
    [[nodiscard]] time_point now() { return {}; }
};
struct NowOfAnotherType : NoNow {
    [[nodiscard]] duration now() const { return {}; }
};
struct Immovable : NoNow {
    Immovable() = default;
    Immovable(Immovable&&) = delete;
    [[nodiscard]] time_point now() const { return {}; }
};
static_assert(!fusebox::Clock<NoTimePoint>);
static_assert(!fusebox::Clock<NoDuration>);
static_assert(!fusebox::Clock<NoSteadiness>);
static_assert(!fusebox::Clock<NoNow>);
static_assert(!fusebox::Clock<MutableNow>);
static_assert(!fusebox::Clock<NowOfAnotherType>);
static_assert(!fusebox::Clock<Immovable>);
static_assert(!fusebox::Clock<int>);

/// One of whose traits the user says nothing.
struct TerseClock : CountingClock {};

}  // namespace

template <>
struct fusebox::ClockTraits<TerseClock> {};

TEST_CASE("A clock without a cheaper twin reads itself for deadlines") {
    const CountingClock clock;
    CHECK(ClockTraits<CountingClock>::coarseNow(clock).time_since_epoch() == 1ns);
    CHECK(*clock.reads == 1);
    CHECK(ClockTraits<CountingClock>::coarseLag == 0ns);
    CHECK_FALSE(ClockTraits<CountingClock>::neverStepsBack);
}

TEST_CASE("What a clock's own traits leave out is as for a clock without traits") {
    using Traits = fusebox::detail::CompleteClockTraits<TerseClock>;
    CHECK_FALSE(Traits::neverStepsBack);
    CHECK(Traits::coarseLag == 0ns);
    const TerseClock clock;
    CHECK(Traits::coarseNow(clock).time_since_epoch() == 1ns);
}

TEST_CASE("The wall clock's tick is its time as of a moment ago, and grows from one to the next") {
    const auto before = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t first = fusebox::detail::wallTick();
    // However long this thread was held up in between. A tick takes 10 ms at most.
    CHECK(before - std::chrono::nanoseconds{first} < 1s);
    std::int64_t next = first;
    while (next == first) next = fusebox::detail::wallTick();
    CHECK(next > first);
    const auto ago =
        std::chrono::system_clock::now().time_since_epoch() - std::chrono::nanoseconds{next};
    CHECK(ago >= 0ns);
}

TEST_CASE("The coarse twin of the steady clock is never ahead of it") {
    const std::chrono::steady_clock clock;
    int ahead = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto coarse = ClockTraits<std::chrono::steady_clock>::coarseNow(clock);
        const auto precise = std::chrono::steady_clock::now();
        if (coarse > precise) ++ahead;
    }
    CHECK(ahead == 0);
}

TEST_CASE("The coarse steady clock is on the steady time line and never steps back") {
    STATIC_REQUIRE(
        std::is_same_v<CoarseSteadyClock::time_point, std::chrono::steady_clock::time_point>);
    CHECK(CoarseSteadyClock::is_steady);
    CHECK(ClockTraits<CoarseSteadyClock>::neverStepsBack);
    auto last = CoarseSteadyClock::now();
    int wrong = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto now = CoarseSteadyClock::now();
        if (now < last || now > std::chrono::steady_clock::now()) ++wrong;
        last = now;
    }
    CHECK(wrong == 0);
    CHECK(ClockTraits<CoarseSteadyClock>::coarseNow(CoarseSteadyClock{}) >= last);
}

TEST_CASE("A manual clock stands still until it is moved") {
    ManualClock clock;
    CHECK(clock.now().time_since_epoch() == 0ns);
    clock.advance(3s);
    CHECK(clock.now().time_since_epoch() == 3s);
    clock.advance(-1s);
    CHECK(clock.now().time_since_epoch() == 2s);
    clock.set(ManualClock::time_point{7s});
    CHECK(clock.now().time_since_epoch() == 7s);
    CHECK(ManualClock{ManualClock::time_point{9s}}.now().time_since_epoch() == 9s);
}

TEST_CASE("Copies of a manual clock share one time, two clocks do not") {
    ManualClock clock;
    const ManualClock copy = clock;
    const ManualClock other;
    clock.advance(5s);
    CHECK(copy.now() == clock.now());
    CHECK(other.now().time_since_epoch() == 0ns);
}

TEST_CASE("A manual clock stops at the end of its range") {
    ManualClock clock;
    clock.advance(fusebox::kForever);
    clock.advance(1s);
    CHECK(clock.now().time_since_epoch() == fusebox::kForever);
}
