// SPDX-License-Identifier: MIT
#include "fusebox/testing/manual_clock.hpp"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/vocabulary/clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::test::ManualClock;

static_assert(fusebox::Clock<ManualClock>);
static_assert(!fusebox::ClockTraits<ManualClock>::neverStepsBack);

namespace {

constexpr auto at(std::chrono::nanoseconds instant) {
    return ManualClock::time_point{instant};
}

}  // namespace

TEST_CASE("A ManualClock stands still until it is moved") {
    ManualClock clock;
    CHECK(clock.now() == at(0ns));
    CHECK(clock.now() == at(0ns));
    clock.advance(3s);
    CHECK(clock.now() == at(3s));
    clock.advance(0ns);
    CHECK(clock.now() == at(3s));
    clock.advance(1ns);
    CHECK(clock.now() == at(3s + 1ns));
}

TEST_CASE("A manual clock may begin at an instant of its own") {
    const ManualClock clock{at(1h)};
    CHECK(clock.now() == at(1h));
}

TEST_CASE("Copies of a manual clock share one time") {
    ManualClock original;
    ManualClock copy = original;
    copy.advance(1s);
    CHECK(original.now() == at(1s));
    original.set(at(5s));
    CHECK(copy.now() == at(5s));

    ManualClock other;
    CHECK(other.now() == at(0s));
    other = copy;
    original.advance(1s);
    CHECK(other.now() == at(6s));
}

TEST_CASE("A manual clock stops at the ends of its range") {
    ManualClock clock;
    clock.advance(fusebox::kForever);
    CHECK(clock.now() == ManualClock::time_point::max());
    clock.advance(1h);
    CHECK(clock.now() == ManualClock::time_point::max());
    clock.set(ManualClock::time_point::min());
    clock.advance(-1h);
    CHECK(clock.now() == ManualClock::time_point::min());
}

TEST_CASE("A manual clock can be set back") {
    ManualClock clock{at(10s)};
    clock.set(at(4s));
    CHECK(clock.now() == at(4s));
    clock.advance(-3s);
    CHECK(clock.now() == at(1s));
}

TEST_CASE("A breaker reads a clock that was set back as standing still") {
    ManualClock clock{at(1h)};
    fusebox::CircuitBreaker breaker{
        "back", fusebox::ConsecutiveFailures{1}, {.recoveryTimeout = 10s}, clock};
    breaker.open();
    clock.advance(4s);
    CHECK(breaker.retryAfter() == 6s);
    clock.set(at(0s));
    CHECK(breaker.retryAfter() == 6s);
    clock.set(at(1h + 3s));
    CHECK(breaker.retryAfter() == 6s);
    clock.set(at(1h + 5s));
    CHECK(breaker.retryAfter() == 5s);
    clock.set(at(1h + 10s));
    CHECK(breaker.state() == CircuitState::HalfOpen);
}

TEST_CASE("A manual clock loses no step of threads that move it together") {
    constexpr int kThreads = 4;
    constexpr int kSteps = 500'000;
    ManualClock clock;
    std::atomic<int> waiting{kThreads};
    std::atomic<int> moving{kThreads};
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back([&, clock]() mutable {
            waiting.fetch_sub(1);
            while (waiting.load() > 0) std::this_thread::yield();
            for (int step = 0; step < kSteps; ++step) clock.advance(1ns);
            moving.fetch_sub(1);
        });
    }
    auto last = clock.now();
    int backwards = 0;
    while (moving.load() > 0) {
        const auto now = clock.now();
        if (now < last) ++backwards;
        last = now;
    }
    for (auto& thread : threads) thread.join();
    CHECK(backwards == 0);
    CHECK(clock.now() == at(std::chrono::nanoseconds{kThreads * kSteps}));
}

TEST_CASE("Who sees the new time of a manual clock sees what was done before it moved") {
    ManualClock clock;
    int prepared = 0;  // plain: a sanitizer sees it if the clock does not order it
    std::thread mover{[&, mine = clock]() mutable {
        prepared = 42;
        mine.advance(1s);
    }};
    while (clock.now() == at(0s)) std::this_thread::yield();
    const int seen = prepared;
    mover.join();
    CHECK(seen == 42);
}
