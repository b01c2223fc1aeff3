// SPDX-License-Identifier: MIT
// Listeners to every breaker of a registry.
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "registry/names.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"

using namespace fusebox;
using fusebox::test::Names;

namespace {

using Manual = CircuitBreaker<test::ManualClock, FailureRate>;

/// Adds the names of breakers that have an event.
template <class Event>
Subscription collect(CircuitBreakerRegistry& registry, Names& names) {
    return registry.on<Event>([&](const Event& event) { names.emplace_back(event.breaker); });
}

/// Whether calls of a breaker cost what they cost without listeners.
template <class Event, class Breaker>
bool wants(Breaker& breaker) {
    return std::as_const(detail::CoreAccess::coreOf(breaker)).hub().template wants<Event>();
}

}  // namespace

TEST_CASE("A registry-wide listener hears every breaker, present and later, of whatever type") {
    CircuitBreakerRegistry registry;
    const auto before = registry.create("before");
    const auto manual = std::make_shared<Manual>("manual before");
    registry.add(manual);
    Names names;
    const auto subscription = collect<StateChanged>(registry, names);
    before->open();
    manual->open();
    registry.create("later")->open();
    registry.add(std::make_shared<Manual>("manual later"));
    registry.view("manual later")->open();
    withCircuitBreaker(registry, "by name", [&] { registry.view("by name")->open(); });
    CHECK(names == Names{"before", "manual before", "later", "manual later", "by name"});
}

TEST_CASE("Every event of a breaker can be heard registry-wide") {
    CircuitBreakerRegistry registry;
    Names heard;
    const auto call = [&](const char* what) { return [&heard, what] { heard.push_back(what); }; };
    const Subscription all[] = {
        registry.on<StateChanged>(call("state")),    registry.on<ModeChanged>(call("mode")),
        registry.on<WasReset>(call("reset")),        registry.on<CallSucceeded>(call("good")),
        registry.on<CallFailed>(call("bad")),        registry.on<CallTimedOut>(call("late")),
        registry.on<CallRejected>(call("rejected")), registry.on<CallIgnored>(call("ignored")),
        registry.on<SlowCall>(call("slow")),         registry.on<Reconfigured>(call("changed")),
    };
    const auto breaker = registry.create("a", SlowCallRate{});
    breaker->tryAcquire().success();
    breaker->tryAcquire().failure();
    breaker->tryAcquire().timeout();
    breaker->tryAcquire().ignore();
    breaker->tryAcquire().report(Outcome::Success, std::chrono::seconds{3});
    breaker->open();
    (void)breaker->tryAcquire();
    breaker->setMode(ControlMode::Shadow);
    breaker->reset();
    CHECK(heard == Names{"good", "bad", "late", "ignored", "good", "slow", "state", "rejected",
                         "mode", "state", "reset"});
}

TEST_CASE("The first event of a breaker made by name is heard") {
    CircuitBreakerRegistry registry;
    Names names;
    const auto subscription = collect<CallSucceeded>(registry, names);
    withCircuitBreaker(registry, "a", [] {});
    CHECK(names == Names{"a"});
}

TEST_CASE("A registry-wide subscription ends for a breaker that leaves, however it leaves") {
    auto registry = std::make_unique<CircuitBreakerRegistry>();
    Names names;
    const auto subscription = collect<StateChanged>(*registry, names);
    const auto a = registry->create("a");
    const auto b = registry->create("b");
    const auto c = registry->create("c");
    const auto own = c->on<StateChanged>([&] { names.push_back("own"); });
    registry->remove("a");
    a->open();
    CHECK(names.empty());
    CHECK_FALSE(wants<StateChanged>(*a));

    SECTION("cleared") {
        registry->clear();
    }
    SECTION("the registry is gone") {
        registry.reset();
    }
    b->open();
    CHECK(names.empty());
    CHECK_FALSE(wants<StateChanged>(*b));
    // Its own listeners stay.
    c->open();
    CHECK(names == Names{"own"});
}

TEST_CASE("A breaker that comes back is heard again, once") {
    CircuitBreakerRegistry registry;
    Names names;
    const auto subscription = collect<StateChanged>(registry, names);
    const auto manual = std::make_shared<Manual>("m");
    for (int i = 0; i < 3; ++i) {
        registry.add(manual);
        registry.remove("m");
    }
    registry.add(manual);
    manual->open();
    CHECK(names == Names{"m"});
    CHECK_THROWS_AS(registry.add(manual), ConfigError);
    manual->close();
    CHECK(names == Names{"m", "m"});
}

TEST_CASE(
    "Without its subscription a listener is gone from every breaker, and so is what it held") {
    CircuitBreakerRegistry registry;
    const auto a = registry.create("a");
    const auto witness = std::make_shared<int>();
    {
        const auto subscription = registry.on<CallSucceeded>([witness] { (void)witness; });
        const auto b = registry.create("b");
        CHECK(wants<CallSucceeded>(*a));
        CHECK(wants<CallSucceeded>(*b));
    }
    CHECK(witness.use_count() == 1);
    CHECK_FALSE(wants<CallSucceeded>(*a));
    CHECK_FALSE(wants<CallSucceeded>(*registry.get("b")));
    CHECK_FALSE(wants<CallSucceeded>(*registry.create("c")));
}

TEST_CASE("A registry-wide listener may unsubscribe itself, or outlive its registry") {
    Subscription orphan;
    int heard = 0;
    {
        CircuitBreakerRegistry registry;
        Subscription self;
        self = registry.on<StateChanged>([&] {
            ++heard;
            self.unsubscribe();
        });
        registry.create("a")->open();
        registry.view("a")->close();
        registry.create("b")->open();
        CHECK(heard == 1);
        orphan = registry.on<StateChanged>([&] { ++heard; });
    }
    orphan.unsubscribe();
    CHECK(heard == 1);
}

TEST_CASE("What a registry-wide listener throws is counted where it happened") {
    CircuitBreakerRegistry registry;
    const auto throws = registry.on<StateChanged>([] { throw std::runtime_error{"mine"}; });
    Names names;
    const auto hears = collect<StateChanged>(registry, names);
    const auto a = registry.create("a");
    const auto b = registry.create("b");
    a->open();
    CHECK(names == Names{"a"});
    CHECK(a->stats().listenerErrors == 1);
    CHECK(b->stats().listenerErrors == 0);
}

TEST_CASE("A registry-wide listener may use all of the registry") {
    CircuitBreakerRegistry registry;
    Names names;
    std::vector<Subscription> later;
    const auto subscription = registry.on<CallSucceeded>([&](const CallSucceeded& event) {
        if (!names.empty()) return;
        names.emplace_back(event.breaker);
        CHECK(registry.remove("a"));
        CHECK(registry.getOrCreate("a")->stats().totalCalls == 0);
        later.push_back(registry.on<CallSucceeded>([&] { names.push_back("later"); }));
        withCircuitBreaker(registry, "b", [] {});
        registry.clear();
        registry.setMaxBreakers(1);
        CHECK(registry.getAllStats().empty());
    });
    withCircuitBreaker(registry, "a", [] {});
    CHECK(names == Names{"a", "later"});
}

TEST_CASE("Unsubscribing waits for a listener that blocks, in any breaker") {
    CircuitBreakerRegistry registry;
    std::atomic<int> step{0};
    std::atomic<bool> left{false};
    Subscription subscription = registry.on<StateChanged>([&] {
        step = 1;
        while (step != 2) std::this_thread::yield();
        left = true;
    });
    const auto breaker = registry.create("a");
    std::thread caller{[&] { breaker->open(); }};
    while (step != 1) std::this_thread::yield();
    // The registry is not blocked meanwhile.
    CHECK(registry.create("b") != nullptr);
    CHECK(registry.remove("b"));
    std::thread helper{[&] { step = 2; }};
    subscription.unsubscribe();
    CHECK(left);
    caller.join();
    helper.join();
}

TEST_CASE("Registry-wide listeners that come and go leave nothing behind") {
    detail::WideListeners listeners;
    const auto come = [&] {
        auto one = std::make_shared<detail::WideListener>(
            std::make_shared<detail::Listener<WasReset>>([](const WasReset&) {}), nullptr);
        listeners.add(one);
        return one;
    };
    const auto stays = come();
    auto goes = come();
    const std::weak_ptr<detail::WideListener> left = goes;
    goes->sweep();
    goes.reset();
    (void)come();
    CHECK(left.expired());
    CHECK(stays.use_count() == 2);
}

TEST_CASE("A registry-wide listener whose subscription has just gone is given to nobody") {
    std::atomic<bool> any{false};
    detail::ListenerList list{any};
    int heard = 0;
    const auto gate =
        std::make_shared<detail::Listener<WasReset>>([&](const WasReset&) { ++heard; });
    detail::WideListener listener{gate, [](detail::EventHub<>& hub) -> detail::AnyListeners<>& {
                                      return hub.audience().of<WasReset>();
                                  }};
    const auto breaker = std::make_shared<Manual>("late");
    listener.sweep();
    CHECK(listener.ended());
    listener.attachTo(detail::CoreAccess::coreOf(*breaker).hub());
    breaker->reset();
    CHECK(heard == 0);
    CHECK_FALSE(wants<WasReset>(*breaker));
}

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

TEST_CASE("A registry-wide listener keeps nothing of a breaker that has gone") {
    std::vector<std::unique_ptr<Manual>> breakers;
    for (int i = 0; i < 100; ++i) {
        breakers.push_back(std::make_unique<Manual>(std::to_string(i)));
    }
    const auto comeAndGo = [&] {
        detail::WideListener listener{
            std::make_shared<detail::Listener<WasReset>>([](const WasReset&) {}),
            [](detail::EventHub<>& hub) -> detail::AnyListeners<>& {
                return hub.audience().of<WasReset>();
            }};
        for (const auto& breaker : breakers) {
            auto& hub = detail::CoreAccess::coreOf(*breaker).hub();
            listener.attachTo(hub);
            listener.detachFrom(hub);
        }
        return test::allocations().heldBytes;
    };
    (void)comeAndGo();  // What a breaker allocates for its first listener, it keeps.
    test::allocations().heldBytes = 0;
    std::size_t held = 0;
    test::allocationsIn([&] { held = comeAndGo(); });
    CHECK(held < 1'000);  // The listener itself.
}

#endif
