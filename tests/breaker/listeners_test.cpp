// SPDX-License-Identifier: MIT
// G 37-41: listeners may throw, block, re-enter or unsubscribe; the breaker stays right.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;

static_assert(!std::is_copy_constructible_v<Subscription>);
static_assert(std::is_nothrow_move_constructible_v<Subscription>);
static_assert(std::is_nothrow_move_assignable_v<Subscription>);
static_assert(std::is_nothrow_default_constructible_v<Subscription>);

namespace {

/// Everything that can be asked of a breaker, done at once.
void touchEverything(Rig<>& rig) {
    auto& breaker = rig.breaker;
    (void)breaker.state();
    (void)breaker.isOpen();
    (void)breaker.retryAfter();
    (void)breaker.mode();
    (void)breaker.name();
    (void)breaker.policy();
    (void)breaker.options();
    (void)breaker.stats();
    if (auto permit = breaker.tryAcquire()) permit.ignore();
    (void)breaker.execute([] { return 1; }, fallback([] { return 2; }));
    const Subscription another = breaker.on<StateChanged>([](const StateChanged&) {});
    breaker.setMode(ControlMode::Shadow);
    breaker.setMode(ControlMode::Automatic);
}

/// One listener of each event; calls `listener` for it.
std::vector<Subscription> onEveryEvent(Rig<>& rig, const std::function<void()>& listener) {
    const auto any = [listener](const auto&) { listener(); };
    std::vector<Subscription> all;
    all.push_back(rig.breaker.on<StateChanged>(any));
    all.push_back(rig.breaker.on<ModeChanged>(any));
    all.push_back(rig.breaker.on<WasReset>(any));
    all.push_back(rig.breaker.on<CallSucceeded>(any));
    all.push_back(rig.breaker.on<CallFailed>(any));
    all.push_back(rig.breaker.on<CallTimedOut>(any));
    all.push_back(rig.breaker.on<CallRejected>(any));
    all.push_back(rig.breaker.on<CallIgnored>(any));
    return all;
}

/// Makes each of those eight events happen.
void causeEveryEvent(Rig<>& rig) {
    rig.succeed();
    rig.ignore();
    report(rig.breaker, Outcome::Timeout);
    rig.fail();
    rig.breaker.open();
    if (auto permit = rig.breaker.tryAcquire()) permit.ignore();
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.breaker.setMode(ControlMode::Automatic);
    rig.breaker.reset();
}

}  // namespace

TEST_CASE("G 37: every function may be called from a listener of every event") {
    Rig rig;
    int calls = 0;
    // Bounded, because what a listener causes is an event, too.
    const auto listening = onEveryEvent(rig, [&] {
        if (++calls <= 100) touchEverything(rig);
    });
    causeEveryEvent(rig);
    CHECK(calls > 100);
    CHECK(rig.breaker.mode() == ControlMode::Automatic);
    CHECK(rig.stats().listenerErrors == 0);
}

TEST_CASE("G 37: a listener may open, close and reset the breaker that calls it") {
    Rig rig{{}, ConsecutiveFailures{1}};
    std::vector<CircuitState> seen;
    Subscription listening;
    listening = rig.breaker.on<CallFailed>([&](const CallFailed&) {
        rig.breaker.close();
        seen.push_back(rig.state());
        rig.breaker.open(5s);
        seen.push_back(rig.state());
        rig.breaker.reset();
        seen.push_back(rig.state());
    });
    rig.fail();
    CHECK(seen == std::vector{CircuitState::Closed, CircuitState::Open, CircuitState::Closed});
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("G 37: a listener may wait for another thread that uses the breaker") {
    Rig rig;
    bool done = false;
    const Subscription listening = rig.breaker.on<StateChanged>([&](const StateChanged& event) {
        if (event.to != CircuitState::Open) return;
        // With a lock held this would never end.
        std::thread{[&] {
            touchEverything(rig);
            rig.breaker.close();
        }}.join();
        done = true;
    });
    rig.fail(5);
    CHECK(done);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("G 39: what a listener of any event throws is contained and counted") {
    Rig rig;
    const auto listening = onEveryEvent(rig, [] { throw std::runtime_error{"listener"}; });
    rig.succeed();
    rig.fail();
    rig.ignore();
    report(rig.breaker, Outcome::Timeout);
    CHECK(rig.stats().listenerErrors == 4);
    rig.breaker.open();
    (void)rig.rejected();
    rig.breaker.setMode(ControlMode::Shadow);
    CHECK(rig.stats().listenerErrors == 7);
    CHECK(rig.stats().totalCalls == 4);
}

TEST_CASE("G 41: nothing is heard after unsubscribing, by hand or by destruction") {
    Rig rig;
    int first = 0;
    int second = 0;
    Subscription byHand = rig.breaker.on<CallFailed>([&](const CallFailed&) { ++first; });
    {
        const Subscription scoped =
            rig.breaker.on<CallFailed>([&](const CallFailed&) { ++second; });
        rig.fail();
        CHECK(byHand);
        CHECK(scoped);
    }
    rig.fail();
    byHand.unsubscribe();
    CHECK_FALSE(byHand);
    byHand.unsubscribe();  // once more does nothing
    rig.fail();
    CHECK(first == 2);
    CHECK(second == 1);
}

TEST_CASE("G 41: a subscription moves, and assigning to one ends what it held") {
    Rig rig;
    std::string heard;
    const auto note = [&](char who) {
        return rig.breaker.on<CallFailed>([&heard, who](const CallFailed&) { heard += who; });
    };
    Subscription a = note('a');
    Subscription moved = std::move(a);
    CHECK_FALSE(a);
    rig.fail();
    moved = note('b');
    rig.fail();
    Subscription& alias = moved;
    moved = std::move(alias);
    rig.fail();
    moved = Subscription{};
    rig.fail();
    CHECK(heard == "abb");
}

TEST_CASE("G 41: a listener may unsubscribe itself while it runs") {
    Rig rig;
    int calls = 0;
    Subscription self;
    self = rig.breaker.on<CallFailed>([&](const CallFailed&) {
        ++calls;
        self.unsubscribe();
        CHECK_FALSE(self);
    });
    rig.fail(3);
    CHECK(calls == 1);
}

TEST_CASE("G 41: a listener that drops its own last reference is alive until it returns") {
    Rig rig;
    auto self = std::make_shared<Subscription>();
    std::string text = "untouched by the destruction of its own closure";
    *self = rig.breaker.on<CallFailed>([self, text, &rig](const CallFailed&) mutable {
        self->unsubscribe();
        self.reset();
        CHECK(text == "untouched by the destruction of its own closure");
        CHECK(rig.stats().totalFailures == 1);
    });
    self.reset();
    rig.fail(2);
}

TEST_CASE("G 41: a listener may unsubscribe one that comes after it, which is then not called") {
    Rig rig;
    Subscription later;
    int calls = 0;
    const Subscription first =
        rig.breaker.on<CallFailed>([&](const CallFailed&) { later.unsubscribe(); });
    later = rig.breaker.on<CallFailed>([&](const CallFailed&) { ++calls; });
    rig.fail(2);
    CHECK(calls == 0);
}

TEST_CASE("G 41: a listener may unsubscribe itself inside a call that it made itself") {
    Rig rig;
    int calls = 0;
    Subscription self;
    self = rig.breaker.on<CallFailed>([&](const CallFailed&) {
        if (++calls == 1) {
            rig.fail();
        } else {
            self.unsubscribe();
        }
    });
    rig.fail();
    rig.fail();
    CHECK(calls == 2);
}

TEST_CASE("G 41: a subscription may outlive its breaker") {
    Subscription kept;
    int calls = 0;
    {
        Rig rig;
        kept = rig.breaker.on<CallFailed>([&](const CallFailed&) { ++calls; });
        rig.fail();
    }
    CHECK(kept);
    kept.unsubscribe();
    CHECK(calls == 1);
}

TEST_CASE("G 41: who unsubscribes while the breaker goes writes nothing where it was") {
    std::atomic<bool> any{false};
    const auto one = std::make_shared<detail::Listener<WasReset>>([](const WasReset&) {});
    // As another thread has it that unsubscribes.
    std::shared_ptr<detail::ListenerList<>> list;
    {
        detail::Listeners<WasReset> listeners{any};
        list = listeners.attach(one);
        CHECK(any);
    }
    list->detach(*one);
    CHECK(list->snapshot()->empty());
    CHECK(any);
}

TEST_CASE("G 38: unsubscribing waits until no other thread is inside the listener") {
    for (int round = 0; round < 20; ++round) {
        Rig rig;
        std::atomic<bool> inside{false};
        std::atomic<bool> mayLeave{false};
        std::atomic<bool> left{false};
        Subscription subscription = rig.breaker.on<CallFailed>([&](const CallFailed&) {
            inside = true;
            while (!mayLeave) std::this_thread::yield();
            for (int i = 0; i < 200; ++i) std::this_thread::yield();
            left = true;
        });
        std::thread caller{[&] { rig.breaker.tryAcquire().failure(); }};
        while (!inside) std::this_thread::yield();
        mayLeave = true;
        subscription.unsubscribe();
        const bool leftBefore = left;
        caller.join();
        CHECK(leftBefore);
    }
}

TEST_CASE("G 38: a listener that was added while an event is delivered hears the next one") {
    Rig rig;
    int calls = 0;
    std::vector<Subscription> added;
    const Subscription adding = rig.breaker.on<CallFailed>([&](const CallFailed&) {
        if (added.empty()) {
            added.push_back(rig.breaker.on<CallFailed>([&](const CallFailed&) { ++calls; }));
        }
    });
    rig.fail();
    CHECK(calls == 0);
    rig.fail();
    CHECK(calls == 1);
}

TEST_CASE("G 40: simultaneous failures open once and tell once") {
    for (int round = 0; round < 50; ++round) {
        Rig rig{{}, ConsecutiveFailures{1}};
        std::atomic<int> told{0};
        const Subscription listening =
            rig.breaker.on<StateChanged>([&](const StateChanged&) { ++told; });
        auto permits = rig.begin(4);
        std::atomic<int> ready{0};
        std::atomic<int> recorded{0};
        std::vector<std::thread> threads;
        for (auto& permit : permits) {
            threads.emplace_back([&] {
                ++ready;
                while (ready < 4) std::this_thread::yield();
                if (permit.failure() == ReportResult::Recorded) ++recorded;
            });
        }
        for (auto& thread : threads) thread.join();
        CHECK(told == 1);
        CHECK(recorded == 1);
        CHECK(rig.stats().timesOpened == 1);
        CHECK(rig.stats().totalFailures == 4);
        CHECK(rig.stats().totalStale == 3);
    }
}

TEST_CASE("A listener that is given to a list twice stands there once") {
    std::atomic<bool> any{false};
    detail::ListenerList list{any};
    const auto one = std::make_shared<detail::Listener<WasReset>>([](const WasReset&) {});
    list.attach(one);
    list.attach(one);
    CHECK(list.snapshot()->size() == 1);
    CHECK(any);
    list.detach(*one);
    CHECK(list.snapshot()->empty());
    CHECK_FALSE(any);
}
