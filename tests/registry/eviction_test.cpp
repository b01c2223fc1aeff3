// SPDX-License-Identifier: MIT
// Registries with a bound: who goes, and who may stay.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "registry/names.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"

using fusebox::BreakerRemoved;
using fusebox::CircuitBreakerRegistry;
using fusebox::ControlMode;
using fusebox::RemovalReason;
using fusebox::withCircuitBreaker;
using fusebox::test::Names;
using fusebox::test::namesIn;

namespace {

/// The next look-up is later than the last: idle times have the resolution of the coarse clock.
void nextTick() {
    const auto now = fusebox::CoarseSteadyClock::now();
    while (fusebox::CoarseSteadyClock::now() == now) {
    }
}

}  // namespace

TEST_CASE("The breaker that was idle for longest goes first") {
    CircuitBreakerRegistry registry;
    registry.setMaxBreakers(3);
    for (const char* name : {"a", "b", "c"}) {
        registry.create(name);
        nextTick();
    }
    // Each way to look a name up counts; looking at all of them does not.
    withCircuitBreaker(registry, "a", [] {});
    (void)registry.getAll();
    (void)registry.getAllStats();
    registry.create("d");
    CHECK(namesIn(registry) == Names{"a", "c", "d"});
    nextTick();
    (void)registry.view("c");
    registry.create("e");
    CHECK(namesIn(registry) == Names{"c", "d", "e"});
    nextTick();
    (void)registry.get("d");
    nextTick();
    (void)registry.getOrCreate("c");
    registry.create("f");
    CHECK(namesIn(registry) == Names{"c", "d", "f"});
    registry.create("g");
    CHECK(namesIn(registry) == Names{"c", "f", "g"});
    CHECK(registry.size() == 3);
}

TEST_CASE("Within a tick, the breaker that was created first goes first") {
    CircuitBreakerRegistry registry;
    registry.setMaxBreakers(2);
    for (int i = 0; i < 1'000; ++i) registry.create("name " + std::to_string(i));
    CHECK(namesIn(registry) == Names{"name 998", "name 999"});
}

TEST_CASE("A look-up under the lock counts as any other") {
    // This thread works with the domain of the process, so it looks up without hazard pointers.
    CircuitBreakerRegistry usual;
    withCircuitBreaker(usual, "first", [] {});
    fusebox::detail::HazardDomain domain;
    CircuitBreakerRegistry registry{domain};
    registry.setMaxBreakers(2);
    registry.create("a");
    registry.create("b");
    nextTick();
    (void)registry.view("a");
    registry.create("c");
    CHECK(namesIn(registry) == Names{"a", "c"});
}

TEST_CASE("Without a bound a look-up writes nothing") {
    using fusebox::detail::BreakerStore;
    using fusebox::detail::RegistryEntry;
    BreakerStore store{fusebox::detail::processHazardDomain<fusebox::detail::kVersion>()};
    BreakerStore::EntryPtrs evicted;
    const auto entry =
        std::make_shared<RegistryEntry>(std::make_shared<fusebox::NamedCircuitBreaker>("a"));
    REQUIRE(store.insert(entry, evicted) == entry);
    const auto writes = [&] {
        const auto before = entry->lastUsed();
        nextTick();
        CHECK(store.find("a"));
        return entry->lastUsed() != before;
    };
    CHECK_FALSE(writes());
    store.setMost(1, evicted);
    CHECK(writes());
    store.setMost(0, evicted);
    CHECK_FALSE(writes());
}

TEST_CASE("Whoever creates or adds evicts, also by name") {
    CircuitBreakerRegistry registry;
    registry.setMaxBreakers(1);
    Names told;
    const auto added =
        registry.onAdded([&](const auto& event) { told.emplace_back(event.breaker); });
    const auto removed = registry.onRemoved([&](const BreakerRemoved& event) {
        told.push_back("-" + std::string{event.breaker});
        CHECK(event.reason == RemovalReason::Evicted);
    });
    registry.create("a");
    (void)registry.getOrCreate("b");
    withCircuitBreaker(registry, "c", [] {});
    registry.add(std::make_shared<fusebox::SteadyCircuitBreaker<fusebox::Cusum>>("d"));
    registry.create("e");
    CHECK(told == Names{"a", "-a", "b", "-b", "c", "-c", "d", "-d", "e"});
}

TEST_CASE("A breaker that protects, is steered, held or in flight stays, and the registry grows") {
    CircuitBreakerRegistry registry;
    registry.setMaxBreakers(1);
    fusebox::test::ManualClock clock;
    fusebox::CircuitBreakerRegistry::Handle held;
    std::shared_ptr<fusebox::CircuitBreakerView> view;

    SECTION("open") {
        registry.create("a")->open();
        registry.create("b");
        CHECK(namesIn(registry) == Names{"a", "b"});
        registry.view("a")->close();
    }
    SECTION("half-open") {
        using OnManualClock = fusebox::CircuitBreaker<fusebox::test::ManualClock>;
        registry.add(std::make_shared<OnManualClock>("a", fusebox::ConsecutiveFailures{},
                                                     fusebox::CircuitBreakerOptions{}, clock));
        registry.view("a")->open();
        clock.advance(std::chrono::hours{1});
        REQUIRE(registry.view("a")->state() == fusebox::CircuitState::HalfOpen);
        registry.create("b");
        CHECK(namesIn(registry) == Names{"a", "b"});
        registry.view("a")->close();
    }
    SECTION("forced closed, and shadow") {
        const auto mode =
            GENERATE(ControlMode::ForcedClosed, ControlMode::Shadow, ControlMode::ForcedOpen);
        registry.create("a")->setMode(mode);
        registry.create("b");
        CHECK(namesIn(registry) == Names{"a", "b"});
        registry.view("a")->setMode(ControlMode::Automatic);
    }
    SECTION("held by a handle") {
        held = registry.create("a");
        registry.create("b");
        CHECK(namesIn(registry) == Names{"a", "b"});
        held.reset();
    }
    SECTION("held by a view") {
        registry.create("a");
        view = registry.view("a");
        registry.create("b");
        CHECK(namesIn(registry) == Names{"a", "b"});
        view.reset();
    }
    SECTION("in flight by name") {
        registry.create("a");
        withCircuitBreaker(registry, "a", [&] {
            registry.create("b");
            CHECK(namesIn(registry) == Names{"a", "b"});
            CHECK(registry.get("a") != nullptr);
            // And when the index is sure of what it does not find.
            registry.remove("b");
            CHECK(registry.get("a") != nullptr);
        });
    }
    SECTION("in flight by name since its creation") {
        withCircuitBreaker(registry, "a", [&] {
            registry.create("b");
            CHECK(namesIn(registry) == Names{"a", "b"});
        });
    }
    // It can be found as before, and the registry shrinks when the next one comes.
    CHECK(registry.view("a") != nullptr);
    registry.create("c");
    CHECK(namesIn(registry) == Names{"c"});
}

TEST_CASE("A bound may come late, go, and be met again") {
    CircuitBreakerRegistry registry;
    Names told;
    const auto removed = registry.onRemoved([&](const BreakerRemoved& event) {
        told.emplace_back(event.breaker);
        CHECK(event.reason == RemovalReason::Evicted);
    });
    for (int i = 0; i < 10; ++i) registry.create(std::to_string(i));
    CHECK(registry.size() == 10);
    registry.setMaxBreakers(4);
    CHECK(namesIn(registry) == Names{"6", "7", "8", "9"});
    CHECK(told == Names{"0", "1", "2", "3", "4", "5"});
    registry.setMaxBreakers(0);
    for (int i = 0; i < 6; ++i) registry.create(std::to_string(i));
    CHECK(registry.size() == 10);
    registry.setMaxBreakers(20);
    CHECK(registry.size() == 10);
}

TEST_CASE("Each reason for a removal is told") {
    CircuitBreakerRegistry registry;
    std::vector<RemovalReason> reasons;
    const auto removed =
        registry.onRemoved([&](const BreakerRemoved& event) { reasons.push_back(event.reason); });
    registry.create("a");
    registry.remove("a");
    registry.create("b");
    registry.clear();
    registry.create("c");
    registry.setMaxBreakers(1);
    registry.create("d");
    CHECK(reasons ==
          std::vector{RemovalReason::Removed, RemovalReason::Cleared, RemovalReason::Evicted});
    CHECK(toString(RemovalReason::Removed) == "REMOVED");
    CHECK(toString(RemovalReason::Cleared) == "CLEARED");
    CHECK(toString(RemovalReason::Evicted) == "EVICTED");
}

TEST_CASE("A creation that is refused evicts nobody") {
    CircuitBreakerRegistry registry;
    registry.setMaxBreakers(2);
    registry.create("a");
    registry.create("b");
    CHECK_THROWS_AS(registry.create("a"), fusebox::ConfigError);
    CHECK_THROWS_AS(registry.create("c", fusebox::ConsecutiveFailures{0}), fusebox::ConfigError);
    CHECK(namesIn(registry) == Names{"a", "b"});
}

TEST_CASE("A breaker that was looked up since goes where it belongs, also at the end of the row") {
    CircuitBreakerRegistry registry;
    SECTION("alone") {
        registry.create("a");
        nextTick();
        (void)registry.get("a");
        registry.setMaxBreakers(1);
        (void)registry.view("a");
        nextTick();
        (void)registry.get("a");
        registry.create("b");
        CHECK(namesIn(registry) == Names{"b"});
    }
    SECTION("before one that came later") {
        registry.setMaxBreakers(2);
        registry.create("a");
        nextTick();
        (void)registry.get("a");
        nextTick();
        registry.create("b");
        nextTick();
        registry.create("c");
        CHECK(namesIn(registry) == Names{"b", "c"});
    }
    SECTION("where only one may stay") {
        registry.setMaxBreakers(1);
        auto a = registry.create("a");
        auto b = registry.create("b");
        nextTick();
        (void)registry.get("a");
        a.reset();
        b.reset();
        registry.setMaxBreakers(1);
        CHECK(namesIn(registry) == Names{"a"});
    }
}

TEST_CASE("One that was looked up in the tick in which another came does not hide it") {
    const auto tick = [] { return fusebox::CoarseSteadyClock::now(); };
    for (bool withinOneTick = false; !withinOneTick;) {
        CircuitBreakerRegistry registry;
        registry.setMaxBreakers(5);
        const auto held = registry.create("held");
        nextTick();
        const auto before = tick();
        registry.create("other");
        (void)registry.get("held");
        withinOneTick = tick() == before;
        registry.setMaxBreakers(1);
        CHECK(namesIn(registry) == Names{"held"});
    }
}

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

TEST_CASE("In a registry with a bound, names that come and go take no more memory") {
    CircuitBreakerRegistry registry;
    registry.setMaxBreakers(8);
    const auto comeAndGo = [&](int from, int to) {
        for (int i = from; i < to; ++i) registry.create(std::to_string(i));
    };
    comeAndGo(0, 100);
    fusebox::test::allocations().heldBytes = 0;
    fusebox::test::allocationsIn([&] { comeAndGo(100, 1'000); });
    CHECK(static_cast<std::ptrdiff_t>(fusebox::test::allocations().heldBytes) < 1'000);
}

#endif
