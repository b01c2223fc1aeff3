// SPDX-License-Identifier: MIT
// The bugs that other breakers had (research/reliability.md, section 2), as properties of this one.
// Groups B, F, G and the bounds of H have files of their own: epoch_test, hostile_clock_test,
// listeners_test and transition_events_test, validation_test; so has I, in its rooms.
// random_walk_test tries them together; docs/reliability.md has the whole list.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"
#include "support/forked.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::exitCodeOf;
using fusebox::test::Lines;
using fusebox::test::Rig;
using fusebox::test::TransitionLog;

namespace {

constexpr int kThreads = 4;

/// Runs `body(thread)` on several threads that begin together.
void together(const std::function<void(int)>& body) {
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            ++ready;
            while (ready < kThreads) std::this_thread::yield();
            body(t);
        });
    }
    for (auto& thread : threads) thread.join();
}

const CircuitBreakerOptions kTwoProbes{.recoveryTimeout = 10s, .halfOpenLimit = 2};

/// Ends more probes in this way than there are slots: each must give its slot back.
void checkSlotComesBack(CircuitBreakerOptions options, const std::function<void(Rig<>&)>& probe) {
    options.recoveryTimeout = 10s;
    options.halfOpenLimit = 2;
    Rig rig{options};
    rig.reachHalfOpen();
    for (int i = 0; i < 10; ++i) {
        probe(rig);
        CHECK(rig.state() == CircuitState::HalfOpen);
        CHECK(rig.stats().probesInFlight == 0);
    }
    const auto all = rig.begin(2);
    CHECK(rig.stats().probesInFlight == 2);
}

}  // namespace

TEST_CASE("A 1-5: a probe that is neither success nor failure gives its slot back") {
    const auto throwing = [](Rig<>& rig) { CHECK_THROWS(rig.breaker.execute([] { throw 1; })); };
    const auto judged = [](Outcome outcome) {
        return [outcome](Rig<>& rig) {
            rig.breaker.execute(judgedBy([] { return 1; }, [=](int) { return outcome; }));
        };
    };
    checkSlotComesBack({}, [](Rig<>& rig) { rig.ignore(); });
    checkSlotComesBack({}, [](Rig<>& rig) { (void)rig.begin(); });
    checkSlotComesBack({}, judged(Outcome::Ignored));
    checkSlotComesBack({.classifyError = ignoring<int>()}, throwing);
    checkSlotComesBack({.successThreshold = 1000,
                        .classifyError = [](std::exception_ptr) { return Outcome::Success; }},
                       throwing);
    checkSlotComesBack({.successThreshold = 1000}, judged(Outcome::Success));
}

TEST_CASE("A 3: a probe that a later guard rejects is over, and its slot free") {
    Rig outer{kTwoProbes};
    Rig inner;
    inner.breaker.open();
    outer.reachHalfOpen();
    const auto nested = [&] { inner.breaker.execute([] {}); };
    CHECK_THROWS_AS(outer.breaker.execute(nested), CircuitOpenError);
    CHECK(outer.state() == CircuitState::Open);  // the inner rejection is a failure like any other
    CHECK(outer.stats().probesInFlight == 0);
    outer.wait();
    CHECK(outer.begin(2).size() == 2);
}

TEST_CASE("A 2: a probe whose classifier throws is a failure, and its slot free") {
    Rig rig{kTwoProbes};
    rig.reachHalfOpen();
    rig.breaker.execute(judgedBy([] { return 1; }, [](int) -> Outcome { throw 1; }));
    CHECK(rig.state() == CircuitState::Open);
    rig.wait();
    CHECK(rig.begin(2).size() == 2);
}

TEST_CASE("A 6: probes that never settle do not hold the breaker half-open for ever") {
    Rig rig{{.recoveryTimeout = 10s, .halfOpenLimit = 2, .probeTimeout = 5s}};
    rig.reachHalfOpen();
    std::vector<Rig<>::Permit> hanging;
    for (int round = 0; round < 10; ++round) {
        for (auto& probe : rig.begin(2)) hanging.push_back(std::move(probe));
        CHECK(rig.rejected().reason == RejectionReason::ProbesBusy);
        rig.clock.advance(5s + 10s);
        CHECK(rig.state() == CircuitState::HalfOpen);
    }
    rig.recover();
    for (auto& probe : hanging) CHECK(probe.failure() == ReportResult::Stale);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("A 7: no release, however late or often, makes room for more probes than the limit") {
    Rig rig{kTwoProbes};
    rig.reachHalfOpen();
    auto first = rig.begin(2);
    CHECK(first[0].ignore() == ReportResult::Recorded);
    CHECK(first[0].ignore() == ReportResult::AlreadyReported);
    rig.breaker.open();
    rig.wait();
    auto second = rig.begin(2);
    CHECK(first[1].ignore() == ReportResult::Stale);
    CHECK(rig.rejected().reason == RejectionReason::ProbesBusy);
    CHECK(rig.stats().probesInFlight == 2);
}

TEST_CASE("A 8: a breaker that needs more successes than it admits probes can close") {
    Rig rig{{.successThreshold = 7, .halfOpenLimit = 1}};
    rig.reachHalfOpen();
    rig.recover();
    CHECK(rig.stats().timesClosed == 1);
}

TEST_CASE("C 14, 17: simultaneous failures open once, and the breaker recovers") {
    for (int round = 0; round < 50; ++round) {
        Rig rig{kTwoProbes, ConsecutiveFailures{1}};
        TransitionLog log{rig.breaker};
        auto permits = rig.begin(kThreads);
        together([&](int t) { permits[static_cast<std::size_t>(t)].failure(); });
        CHECK(rig.breaker.retryAfter() == 10s);
        rig.wait();
        rig.recover();
        CHECK(log.events.size() == 3);
    }
}

TEST_CASE("C 15: who sees a breaker open finds its deadline in place") {
    for (int round = 0; round < 200; ++round) {
        Rig rig{{.recoveryTimeout = 1h}, ConsecutiveFailures{1}};
        rig.clock.advance(1000h);  // a deadline of zero would be long over
        std::atomic<int> wrong{0};
        together([&](int t) {
            if (t == 0) {
                rig.breaker.tryAcquire().failure();
                return;
            }
            while (rig.breaker.state() == CircuitState::Closed) {
            }
            if (rig.breaker.state() != CircuitState::Open || rig.breaker.tryAcquire()) ++wrong;
        });
        CHECK(wrong == 0);
    }
}

TEST_CASE("C 16: a transition to where the breaker is already is not one, and throws nothing") {
    Rig rig{kTwoProbes};
    rig.trip();
    TransitionLog log{rig.breaker};
    CHECK_NOTHROW(rig.breaker.open());
    rig.wait();
    rig.ignore(2);
    CHECK(log.lines() == Lines{"OPEN > HALF_OPEN: WAIT_ELAPSED"});
    rig.breaker.close();
    CHECK_NOTHROW(rig.breaker.close());
    CHECK(log.lines() == Lines{"HALF_OPEN > CLOSED: MANUAL"});
}

TEST_CASE("C 18: counting and tripping are one step, so that many threads trip exactly in time") {
    constexpr int kEach = 250;
    for (int round = 0; round < 10; ++round) {
        Rig rig{{}, FailureCount{.threshold = kThreads * kEach, .window = 1h}};
        std::atomic<int> recorded{0};
        together([&](int) {
            for (int i = 0; i < kEach; ++i) {
                if (rig.breaker.tryAcquire().failure() == ReportResult::Recorded) ++recorded;
            }
        });
        CHECK(recorded == kThreads * kEach);
        CHECK(rig.state() == CircuitState::Open);
        CHECK(rig.stats().timesOpened == 1);
        CHECK(rig.stats().lastTrip->windowFailures == kThreads * kEach);
    }
}

TEST_CASE("C 19: nothing of an old wait comes back after a reset, a close or a mode") {
    Rig rig{kTwoProbes};
    rig.trip();
    rig.breaker.reset();
    rig.clock.advance(1h);
    CHECK(rig.state() == CircuitState::Closed);
    rig.trip();
    rig.breaker.close();
    rig.breaker.open(24h);
    rig.clock.advance(10s);
    CHECK(rig.state() == CircuitState::Open);
    rig.breaker.setMode(ControlMode::ForcedOpen);
    rig.clock.advance(48h);
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("D 20, 22-24: never more than the limit reach the backend while half-open") {
    for (const int limit : {1, 2, 3}) {
        Rig rig{{.recoveryTimeout = 10s, .successThreshold = 65535, .halfOpenLimit = limit}};
        rig.trip();
        rig.wait();
        std::atomic<int> inside{0};
        std::atomic<int> highest{0};
        std::atomic<int> reached{0};
        together([&](int) {
            for (int i = 0; i < 2000; ++i) {
                rig.breaker.execute(
                    [&] {
                        const int now = ++inside;
                        int seen = highest;
                        while (now > seen && !highest.compare_exchange_weak(seen, now)) {
                        }
                        ++reached;
                        if (i % 16 == 0) std::this_thread::yield();
                        --inside;
                    },
                    fallback([] {}));
            }
        });
        CHECK(highest <= limit);
        CHECK(reached > 0);
        CHECK(rig.state() == CircuitState::HalfOpen);
        CHECK(rig.stats().totalSuccesses + rig.stats().totalRejected == kThreads * 2000);
        CHECK(rig.stats().probesInFlight == 0);
    }
}

TEST_CASE("D 21: a success that races a failed probe erases neither the failure nor the backoff") {
    Rig rig{{.recoveryTimeout = 10s, .recoveryBackoff = 2.0, .successThreshold = 1}};
    rig.reachHalfOpen();
    auto probes = rig.begin(2);
    CHECK(probes[0].failure() == ReportResult::Recorded);
    CHECK(probes[1].success() == ReportResult::Stale);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.breaker.retryAfter() == 20s);
}

TEST_CASE("D 24: with jitter, a fleet that opened together does not probe together") {
    std::vector<std::chrono::nanoseconds> waits;
    for (int i = 0; i < 20; ++i) {
        Rig rig{{.recoveryTimeout = 10s, .recoveryJitter = 0.5}};
        rig.breaker.open();
        waits.push_back(rig.breaker.retryAfter().value());
    }
    std::sort(waits.begin(), waits.end());
    CHECK(std::unique(waits.begin(), waits.end()) == waits.end());
}

TEST_CASE("E 25: the call that rotates a window is in its own snapshot") {
    Rig rig{{}, FailureRate{.threshold = 1.0, .minimumCalls = 1, .window = 10s}};
    TransitionLog log{rig.breaker};
    rig.succeed();
    rig.clock.advance(11s);  // the success has left; this failure ends the slice
    rig.fail();
    REQUIRE(log.events.size() == 1);
    CHECK(log.events[0].snapshot.windowCalls == 1);
    CHECK(log.events[0].snapshot.windowFailures == 1);
}

TEST_CASE("E 26: after an idle time of many windows nothing is left of before") {
    for (const auto idle : {11s, 20s, 25s, 100s, 86'400s}) {
        Rig rig{{}, FailureRate{.threshold = 0.5, .minimumCalls = 3, .window = 10s}};
        rig.fail(2);
        rig.clock.advance(idle);
        CHECK(rig.stats().windowCalls == 0);
        rig.fail(2);
        CHECK(rig.stats().windowCalls == 2);
        CHECK(rig.state() == CircuitState::Closed);
    }
}

TEST_CASE("E 27: what is read and what decides agree at the boundary of a window") {
    for (const auto gap : {10s - 1ns, std::chrono::nanoseconds{10s}, 10s + 1ns}) {
        Rig rig{{}, FailureCount{.threshold = 2, .window = 10s}};
        rig.fail();
        rig.clock.advance(gap);
        const bool inside = rig.stats().windowFailures == 1;
        CHECK(inside == (gap < 10s));  // exact to the tick
        rig.fail();
        CHECK((rig.state() == CircuitState::Open) == inside);
    }
}

TEST_CASE("E 28: a window of one call") {
    Rig rig{{}, FailureRate{.threshold = 1.0, .minimumCalls = 1, .window = lastCalls(1)}};
    rig.succeed(3);
    CHECK(rig.stats().windowCalls == 1);
    CHECK(rig.stats().failureRate == 0.0);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().failureRate == 1.0);
}

TEST_CASE("E 29: no count goes below zero or above the calls, whatever is reset when") {
    Rig rig{kTwoProbes, FailureRate{.threshold = 1.0, .minimumCalls = 50, .window = lastCalls(60)}};
    auto overhanging = rig.begin(5);
    for (int i = 0; i < 200; ++i) {
        i % 3 == 0 ? rig.succeed() : rig.fail();
        if (i % 40 == 39) rig.breaker.reset();
        if (i % 50 == 49) {
            rig.breaker.open();
            rig.breaker.close();
        }
        if (i % 45 == 44) overhanging.pop_back();
        fusebox::test::checkConservation(rig.stats());
    }
}

TEST_CASE("E 32: who reads a window while it turns reads all of it at one instant") {
    constexpr int kCalls = 5'000;
    // Nothing but failures: whatever slices a reader finds, the two counts must be the same.
    Rig rig{{}, FailureRate{.threshold = 1.0, .minimumCalls = 1'000'000'000, .window = 10s}};
    std::atomic<bool> over{false};
    std::atomic<int> wrong{0};
    together([&](int t) {
        if (t == 0) {
            for (int i = 0; i < kCalls; ++i) {
                rig.clock.advance(250ms);
                rig.breaker.tryAcquire().failure();
            }
            over = true;
        }
        while (!over) {
            const CircuitBreakerStats stats = rig.stats();
            if (stats.windowCalls != stats.windowFailures || stats.windowCalls > 44) ++wrong;
        }
    });
    CHECK(wrong == 0);
    CHECK(rig.stats().totalFailures == kCalls);
    CHECK(rig.stats().windowCalls >= 40);
}

TEST_CASE("H 42: a call has one outcome, also when its result is judged and its time is over") {
    Rig rig{{.requestTimeout = 2s}};
    CHECK_THROWS(rig.breaker.execute([&](const CallContext&) {
        rig.clock.advance(3s);
        throw std::runtime_error{"late and failed"};
    }));
    rig.breaker.execute(judgedBy(
        [&] {
            rig.clock.advance(3s);
            return 1;
        },
        [](int) { return Outcome::Failure; }));
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.totalCalls == 2);
    CHECK(stats.totalTimeouts == 2);
    CHECK(stats.totalFailures == 0);
    CHECK(stats.windowCalls == 2);
}

TEST_CASE("H 43: what a caller cancels is not held against the dependency") {
    Rig rig{kTwoProbes, ConsecutiveFailures{1}};
    for (int i = 0; i < 100; ++i) (void)rig.begin();
    CHECK(rig.state() == CircuitState::Closed);
    CHECK(rig.stats().totalCancelled == 100);
    CHECK(rig.stats().windowCalls == 0);
}

TEST_CASE("H 44: classification holds in half-open as in closed") {
    CircuitBreakerOptions options = kTwoProbes;
    options.classifyError = ignoring<std::logic_error>();
    Rig rig{options, ConsecutiveFailures{1}};
    const auto call = [&](auto error) {
        try {
            rig.breaker.execute([&] { throw error; });
        } catch (const std::exception&) {
        }
        return rig.state();
    };
    CHECK(call(std::logic_error{"mine"}) == CircuitState::Closed);
    CHECK(call(std::runtime_error{"theirs"}) == CircuitState::Open);
    rig.wait();
    CHECK(call(std::logic_error{"mine"}) == CircuitState::HalfOpen);
    CHECK(call(std::runtime_error{"theirs"}) == CircuitState::Open);
}

TEST_CASE("I 54: a fork while others succeed or are rejected leaves the child a whole breaker") {
    // One shard: where there may be more, threads that meet spread, which takes the mutex once.
    const CircuitBreakerOptions options{.measureLatency = false, .shards = 1};
    CircuitBreaker<> closed{"closed", ConsecutiveFailures{3}, options};
    CircuitBreaker<> open{"open", ConsecutiveFailures{3}, options};
    open.open();
    std::atomic<int> started{0};
    std::atomic<bool> over{false};
    std::vector<std::thread> others;
    for (int i = 0; i < 2; ++i) {
        others.emplace_back([&] {
            for (int calls = 0; !over; ++calls) {
                closed.tryAcquire().success();
                (void)open.tryAcquire();
                if (calls == 0) ++started;
            }
        });
    }
    while (started < 2) std::this_thread::yield();
    int failed = 0;
    for (int i = 0; i < 20; ++i) {
        failed += exitCodeOf([&] {
            open.close();
            for (int f = 0; f < 3; ++f) closed.tryAcquire().failure();
            return closed.isOpen() && open.tryAcquire() ? 0 : 1;
        });
    }
    over = true;
    for (auto& other : others) other.join();
    CHECK(failed == 0);
}
