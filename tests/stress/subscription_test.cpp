// SPDX-License-Identifier: MIT
// Listeners that come and go while events fly, and listeners that use the breaker themselves.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "stress/load.hpp"
#include "stress/transition_log.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox::test;
using fusebox::CallSucceeded;
using fusebox::CircuitState;
using fusebox::StateChanged;
using fusebox::Subscription;

namespace {

using Breaker = fusebox::CircuitBreaker<ManualClock, fusebox::ConsecutiveFailures>;

/// What a listener refers to, gone as soon as its subscription is. Its memory stays, so that a
/// listener that comes too late does not find the next one there.
class Target {
public:
    /// Whether the target was there all the time; the visit takes a while.
    [[nodiscard]] bool visit(Random random) const {
        bool there = true;
        if (random.oneIn(16)) std::this_thread::yield();
        for (int i = 0; i < 100; ++i) there = there && there_.load(std::memory_order_relaxed);
        return there;
    }
    void goAway() { there_.store(false, std::memory_order_relaxed); }

private:
    std::atomic<bool> there_{true};
};

/// Threads that make events of a breaker: two make calls, one opens and closes.
class EventSource {
public:
    explicit EventSource(Breaker& breaker)
        : first_([&] { makeCalls(breaker); }), second_([&] { makeCalls(breaker); }), control_([&] {
              breaker.open();
              breaker.close();
              std::this_thread::yield();
          }) {}

private:
    static void makeCalls(Breaker& breaker) {
        for (int i = 0; i < 8; ++i) breaker.tryAcquire().success();
        std::this_thread::yield();
    }

    Background first_;
    Background second_;
    Background control_;
};

}  // namespace

TEMPLATE_TEST_CASE("No listener is called after its unsubscription has returned", "", CallSucceeded,
                   StateChanged) {
    ManualClock clock;
    Breaker breaker{"events", {}, {}, clock};
    Count visits;
    Count afterwards;
    std::array<std::vector<std::unique_ptr<Target>>, 3> targets;
    {
        EventSource events{breaker};
        onThreads(3, [&](int i) {
            std::vector<std::unique_ptr<Target>>& mine = targets[static_cast<std::size_t>(i)];
            for (std::uint64_t n = scaled(20'000); n > 0; --n) {
                Target& target = *mine.emplace_back(std::make_unique<Target>());
                Subscription subscription = breaker.on<TestType>([&, n](const TestType&) {
                    visits.add();
                    afterwards.addIf(!target.visit(Random{n}));
                });
                for (auto pause = n % 4; pause > 0; --pause) std::this_thread::yield();
                subscription.unsubscribe();
                target.goAway();
            }
        });
    }
    CHECK(visits.get() > 0);
    CHECK(afterwards.get() == 0);
    breaker.tryAcquire().success();
    breaker.open();
    CHECK(afterwards.get() == 0);
}

TEST_CASE("A listener may unsubscribe itself and its neighbours while events fly") {
    ManualClock clock;
    Breaker breaker{"leavers", {}, {}, clock};
    Count visits;
    Count afterwards;
    std::array<std::vector<std::unique_ptr<Target>>, 2> targets;
    {
        EventSource events{breaker};
        onThreads(2, [&](int i) {
            std::vector<std::unique_ptr<Target>>& mine = targets[static_cast<std::size_t>(i)];
            for (std::uint64_t n = scaled(10'000); n > 0; --n) {
                // The first that is called ends all three; on this thread or another.
                std::array<Subscription, 3> all;
                std::atomic<bool> ended{false};
                std::atomic<bool> ready{false};
                Target& target = *mine.emplace_back(std::make_unique<Target>());
                for (auto& one : all) {
                    one = breaker.on<StateChanged>([&, n](const StateChanged&) {
                        visits.add();
                        afterwards.addIf(!target.visit(Random{n}));
                        if (!ready.load(std::memory_order_acquire)) return;
                        if (ended.exchange(true, std::memory_order_acq_rel)) return;
                        for (auto& subscription : all) subscription.unsubscribe();
                        ready.store(false, std::memory_order_release);
                    });
                }
                ready.store(true, std::memory_order_release);
                while (ready.load(std::memory_order_acquire)) std::this_thread::yield();
                target.goAway();
            }
        });
    }
    CHECK(visits.get() > 0);
    CHECK(afterwards.get() == 0);
}

TEST_CASE("Listeners that use the breaker neither deadlock nor break the chain") {
    ManualClock clock;
    TransitionLog log;
    Count inside;
    std::optional<Breaker> breaker;
    fusebox::CircuitBreakerOptions options;
    options.recoveryTimeout = 10us;
    options.onStateChange = [&](const StateChanged& event) {
        log.add(event);
        // Everything that a breaker offers, from inside of one of its events.
        breaker->tryAcquire().success();
        inside.addIf(breaker->stats().timesOpened < event.snapshot.timesOpened);
        if (event.to == CircuitState::Open && log.all().size() % 8 == 0) breaker->close();
        if (event.to == CircuitState::Closed && log.all().size() % 8 == 1) breaker->open();
        const auto brief = breaker->on<CallSucceeded>([](const CallSucceeded&) {});
        (void)breaker->execute([] { return 1; }, fusebox::fallback([] { return 0; }));
        if (log.all().size() % 16 == 2) throw 1;
    };
    breaker.emplace("busy", fusebox::ConsecutiveFailures{1}, options, clock);
    const auto follower = breaker->on<CallSucceeded>([&](const CallSucceeded&) {
        (void)breaker->retryAfter();
        (void)breaker->mode();
    });
    {
        Background time{[&] {
            clock.advance(5us);
            std::this_thread::yield();
        }};
        onThreads(4, [&](int i) {
            Random random{static_cast<std::uint64_t>(i) + 1};
            for (std::uint64_t n = scaled(40'000); n > 0; --n) {
                auto permit = breaker->tryAcquire();
                if (random.oneIn(4)) permit.failure();
                permit.success();
                if (random.oneIn(64)) std::this_thread::yield();
            }
        });
    }
    breaker->close();
    const auto stats = breaker->stats();
    CHECK(log.gaps() == 0);
    CHECK(log.impossible() == 0);
    CHECK(log.miscounted() == 0);
    CHECK(inside.get() == 0);
    CHECK(stats.timesOpened == log.to(CircuitState::Open));
    CHECK(stats.timesClosed == log.to(CircuitState::Closed));
    CHECK(stats.timesOpened > 0);
    CHECK(stats.listenerErrors > 0);
}
