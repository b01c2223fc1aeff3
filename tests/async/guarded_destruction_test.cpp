// SPDX-License-Identifier: MIT
// Frames that are destroyed at every point of a guarded await, on this thread and on another: the
// permit is given back once, and nothing leaks.

#include <array>
#include <atomic>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/async/guarded_awaitable.hpp"
#include "support/catch.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// Something on the heap in each frame: leak checkers see it.
std::string ballast() {
    return std::string(100, 'x');
}

Task<int> waitsAt(ValueGate<int>& before, ValueGate<int>& inside, ValueGate<int>& after) {
    const auto here = ballast();
    int sum = co_await before;
    sum += co_await inside;
    sum += co_await after;
    co_return sum;
}

/// Waits before the guard, three times inside, and after it.
struct Points {
    static constexpr int kCount = 5;
    static constexpr bool guarded(int point) { return point >= 1 && point <= 3; }

    std::array<ValueGate<int>, kCount> gates{};

    ValueGate<int>& at(int point) { return gates[static_cast<std::size_t>(point)]; }

    Root run(Rig<>::Breaker& breaker) {
        const auto here = ballast();
        ValueGate<int>& before = at(0);  // gcc 12 copies what a call returns by reference.
        ValueGate<int>& after = at(4);
        co_await before;
        const auto kept = ballast();
        // Named because of gcc 12; see guarded_awaitable_test.cpp.
        auto guarded = breaker.guard([this, kept] { return waitsAt(at(1), at(2), at(3)); },
                                     fallback([kept] { return static_cast<int>(kept.size()); }));
        (void)co_await guarded;
        co_await after;
    }

    /// Goes on until it waits at `point`.
    void reach(int point) {
        for (int i = 0; i < point; ++i) at(i).open(1);
        REQUIRE(at(point).waitedFor());
    }
};

}  // namespace

TEST_CASE("A frame destroyed at any point gives its permit back") {
    for (int point = 0; point < Points::kCount; ++point) {
        INFO("at point " << point);
        Rig rig;
        {
            Points points;
            Root root = points.run(rig.breaker);
            points.reach(point);
            root.destroy();
        }
        CHECK(framesAlive == 0);
        CHECK(rig.stats().totalCancelled == (Points::guarded(point) ? 1u : 0u));
        CHECK(rig.stats().totalSuccesses == (point == 4 ? 1u : 0u));
    }
}

TEST_CASE("A probe's slot is given back when its frame is destroyed, at any point") {
    for (int point = 0; point < Points::kCount; ++point) {
        INFO("at point " << point);
        Rig rig{{.successThreshold = 3, .halfOpenLimit = 1}};
        rig.reachHalfOpen();
        {
            Points points;
            Root root = points.run(rig.breaker);
            points.reach(point);
            CHECK(rig.stats().probesInFlight == (Points::guarded(point) ? 1 : 0));
            root.destroy();
        }
        CHECK(rig.stats().probesInFlight == 0);
        CHECK(rig.state() == CircuitState::HalfOpen);
        rig.succeed();
    }
    CHECK(framesAlive == 0);
}

TEST_CASE(
    "A frame destroyed on another thread, where nothing or an exception unwinds, is neutral") {
    for (const bool unwinding : {false, true}) {
        for (int point = 0; point < Points::kCount; ++point) {
            Rig rig{{.successThreshold = 3, .halfOpenLimit = 1}};
            rig.reachHalfOpen();
            Points points;
            std::optional<Root> root{points.run(rig.breaker)};
            points.reach(point);
            std::thread{[&] {
                if (!unwinding) {
                    root.reset();
                    return;
                }
                try {
                    const std::optional<Root> owner{std::exchange(root, std::nullopt)};
                    throw std::runtime_error{"of somebody else"};
                } catch (const std::runtime_error&) {
                }
            }}.join();
            CHECK(framesAlive == 0);
            CHECK(rig.stats().probesInFlight == 0);
            CHECK(rig.stats().totalFailures == 5);  // Those that tripped it.
            CHECK(rig.state() == CircuitState::HalfOpen);
        }
    }
}

TEST_CASE("The other way round: resumed while an exception unwinds, a call is what it returns") {
    Rig rig;
    ValueGate<int> gate;
    struct ResumesWhenUnwound {
        ~ResumesWhenUnwound() { gate.open(1); }
        ValueGate<int>& gate;
    };
    const Root root = [](Rig<>::Breaker& breaker, ValueGate<int>& inside) -> Root {
        co_await breaker.guard(inside);
    }(rig.breaker, gate);
    try {
        const ResumesWhenUnwound resumes{gate};
        throw std::runtime_error{"unrelated"};
    } catch (const std::runtime_error&) {
    }
    CHECK(root.done());
    CHECK(rig.stats().totalSuccesses == 1);
    CHECK(rig.stats().totalFailures == 0);
}

TEST_CASE("What is awaited goes before the permit is given back") {
    Rig rig{{.successThreshold = 3, .halfOpenLimit = 1}};
    rig.reachHalfOpen();
    int probesWhenGone = -1;
    struct Looks {
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<>) const {}
        void await_resume() const {}
        ~Looks() { *out = rig->stats().probesInFlight; }
        Rig<>* rig;
        int* out;
    };
    {
        const Root root = [](Rig<>& r, int& out) -> Root {
            co_await r.breaker.guard([&r, &out] { return Looks{&r, &out}; });
        }(rig, probesWhenGone);
    }
    CHECK(probesWhenGone == 1);
    CHECK(rig.stats().probesInFlight == 0);
}

TEST_CASE("A coroutine that destroys itself through a guard leaves nothing behind") {
    Rig rig;
    struct DestroysInSuspend {
        bool await_ready() const { return false; }
        void await_suspend(std::coroutine_handle<> waiting) const { waiting.resume(); }
        void await_resume() const {}
    };
    bool ended = false;
    [](Rig<>::Breaker& breaker, bool& out) -> Detached {
        const auto here = ballast();
        co_await breaker.guard(DestroysInSuspend{});
        out = true;
    }(rig.breaker, ended);
    CHECK(ended);
    CHECK(framesAlive == 0);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEST_CASE("A report after the probe was presumed lost is stale, and its frame lives on") {
    Rig rig{{.probeTimeout = 5s}};
    rig.reachHalfOpen();
    ValueGate<int> gate;
    const Root root = [](Rig<>::Breaker& breaker, ValueGate<int>& inside) -> Root {
        co_await breaker.guard(inside);
    }(rig.breaker, gate);
    CHECK(rig.stats().probesInFlight == 1);
    rig.clock.advance(6s);
    CHECK(rig.state() == CircuitState::Open);
    gate.open(1);
    CHECK(root.done());
    CHECK(rig.stats().totalStale >= 1);
    CHECK(rig.stats().probesInFlight == 0);
}
