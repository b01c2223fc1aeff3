// SPDX-License-Identifier: MIT
// What a registry tells: who has come, who has gone, and whose configuration was overruled.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/policy/composite.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "registry/names.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using fusebox::BreakerAdded;
using fusebox::BreakerRemoved;
using fusebox::CircuitBreakerRegistry;
using fusebox::ConfigConflict;
using fusebox::ConsecutiveFailures;
using fusebox::FailureRate;
using fusebox::test::Names;

namespace {

/// The conflicts of a registry, as text: events hold views.
class Conflicts {
public:
    explicit Conflicts(CircuitBreakerRegistry& registry)
        : subscription_(registry.onConfigConflict([this](const ConfigConflict& event) {
              names.emplace_back(event.breaker);
              existing = event.existing;
              given = event.given;
          })) {}

    Names names;
    std::string existing;
    std::string given;

private:
    fusebox::Subscription subscription_;
};

}  // namespace

TEST_CASE("onAdded and onRemoved tell of every breaker") {
    CircuitBreakerRegistry registry;
    Names added;
    Names removed;
    const auto before = std::chrono::system_clock::now();
    const auto onAdded = registry.onAdded([&](const BreakerAdded& event) {
        added.emplace_back(event.breaker);
        CHECK(event.time >= before);
        CHECK(registry.view(event.breaker) != nullptr);
    });
    const auto onRemoved = registry.onRemoved([&](const BreakerRemoved& event) {
        removed.emplace_back(event.breaker);
        CHECK(registry.view(event.breaker) == nullptr);
    });

    registry.create("a");
    registry.getOrCreate("b");
    registry.getOrCreate("b");
    registry.add(std::make_shared<fusebox::SteadyCircuitBreaker<FailureRate>>("c"));
    fusebox::withCircuitBreaker(registry, "d", [] {});
    CHECK(added == Names{"a", "b", "c", "d"});
    CHECK(removed.empty());

    registry.remove("b");
    registry.remove("b");
    CHECK(removed == Names{"b"});
    registry.clear();
    std::sort(removed.begin(), removed.end());
    CHECK(removed == Names{"a", "b", "c", "d"});
    registry.clear();
    CHECK(removed.size() == 4);
}

TEST_CASE("A registry's subscriptions end with their handles, or outlive the registry") {
    std::size_t heard = 0;
    std::optional<CircuitBreakerRegistry> registry{std::in_place};
    fusebox::Subscription orphan = registry->onRemoved([&] { ++heard; });
    {
        const auto brief = registry->onAdded([&] { ++heard; });
        registry->create("a");
        CHECK(heard == 1);
    }
    registry->create("b");
    CHECK(heard == 1);
    registry.reset();
    orphan.unsubscribe();
    CHECK(heard == 1);
}

TEST_CASE("A listener of a registry may throw, and may use the registry") {
    CircuitBreakerRegistry registry;
    const auto throws = registry.onAdded([] { throw std::runtime_error{"mine"}; });
    const auto uses = registry.onAdded([&](const BreakerAdded& event) {
        registry.getOrCreate(event.breaker)->open();
        if (event.breaker == "first") registry.create("second");
    });
    CHECK(registry.create("first")->isOpen());
    CHECK(registry.get("second")->isOpen());
}

TEST_CASE("A conflict of configurations is reported once a name") {
    CircuitBreakerRegistry registry;
    Conflicts conflicts{registry};
    registry.getOrCreate("db", ConsecutiveFailures{3}, {.recoveryTimeout = 5s});
    CHECK(conflicts.names.empty());

    registry.getOrCreate("db", FailureRate{.threshold = 0.25});
    CHECK(conflicts.names == Names{"db"});
    CHECK_THAT(conflicts.existing, ContainsSubstring("3 failures in a row"));
    CHECK_THAT(conflicts.given, ContainsSubstring("25 %"));

    registry.getOrCreate("db", FailureRate{.threshold = 0.75});
    registry.getOrCreate("db", {.recoveryTimeout = 1s});
    CHECK(conflicts.names.size() == 1);

    registry.getOrCreate("cache", ConsecutiveFailures{3}, {.recoveryTimeout = 5s});
    fusebox::withCircuitBreaker(registry, "cache", [] {}, {.recoveryTimeout = 6s});
    CHECK(conflicts.names == Names{"db", "cache"});
    CHECK_THAT(conflicts.existing, ContainsSubstring("5 s"));
    CHECK_THAT(conflicts.given, ContainsSubstring("6 s"));
}

TEST_CASE("Only what was given conflicts") {
    CircuitBreakerRegistry registry;
    Conflicts conflicts{registry};
    registry.setDefaults(FailureRate{}, {.recoveryTimeout = 9s});
    registry.getOrCreate("db", ConsecutiveFailures{3}, {.recoveryTimeout = 5s});

    registry.getOrCreate("db");
    registry.getOrCreate("db", ConsecutiveFailures{3});
    registry.getOrCreate("db", {.recoveryTimeout = 5s});
    registry.getOrCreate("db", ConsecutiveFailures{3}, {.recoveryTimeout = 5s});
    registry.getOrCreate("db", fusebox::AnyTripPolicy{ConsecutiveFailures{3}});
    fusebox::withCircuitBreaker(
        registry, "db", [] {}, ConsecutiveFailures{3});
    CHECK(conflicts.names.empty());

    SECTION("a policy of another value") {
        registry.getOrCreate("db", ConsecutiveFailures{4});
    }
    SECTION("a policy of another type") {
        registry.getOrCreate("db", fusebox::anyOf(ConsecutiveFailures{3}));
    }
    SECTION("other options") {
        registry.getOrCreate("db", ConsecutiveFailures{3}, {.recoveryTimeout = 6s});
    }
    SECTION("default options, which are not those in force") {
        registry.getOrCreate("db", {});
    }
    CHECK(conflicts.names == Names{"db"});
}

TEST_CASE("Callbacks are not compared") {
    CircuitBreakerRegistry registry;
    Conflicts conflicts{registry};
    registry.getOrCreate("db", {.recoveryTimeout = 5s, .onOpen = [] {}});
    registry.getOrCreate("db", {.recoveryTimeout = 5s});
    registry.getOrCreate("db", {.recoveryTimeout = 5s, .onStateChange = [] {}});
    CHECK(conflicts.names.empty());
}

TEST_CASE("Callbacks are not kept for comparisons, nor what they hold") {
    const auto held = std::make_shared<int>();
    fusebox::CircuitBreakerOptions options;
    options.classifyError = [held](const std::exception_ptr&) {
        (void)held;
        return fusebox::Outcome::Failure;
    };
    const auto callback = [held] { (void)held; };
    options.onStateChange = options.onOpen = options.onHalfOpen = options.onClose = callback;
    REQUIRE(held.use_count() == 7);
    const fusebox::detail::Registration registration{ConsecutiveFailures{}, std::move(options)};
    CHECK(held.use_count() == 2);
}

TEST_CASE("A name that comes again may conflict again") {
    CircuitBreakerRegistry registry;
    Conflicts conflicts{registry};
    for (int i = 1; i <= 2; ++i) {
        registry.getOrCreate("db", ConsecutiveFailures{3});
        registry.getOrCreate("db", ConsecutiveFailures{4});
        registry.remove("db");
    }
    CHECK(conflicts.names == Names{"db", "db"});
}
