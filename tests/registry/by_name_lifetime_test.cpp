// SPDX-License-Identifier: MIT
// How long a breaker lives that is called by name.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "support/catch.hpp"

using fusebox::CircuitBreakerRegistry;
using fusebox::withCircuitBreaker;

namespace {

/// Says how many of the breakers live that were made with its options: each holds a callback.
class Witness {
public:
    [[nodiscard]] fusebox::CircuitBreakerOptions options() {
        const auto held = std::make_shared<int>();
        all_.push_back(held);
        fusebox::CircuitBreakerOptions options;
        options.onOpen = [held] { (void)held; };
        return options;
    }
    [[nodiscard]] int alive() const {
        int count = 0;
        for (const auto& one : all_) count += one.expired() ? 0 : 1;
        return count;
    }

private:
    std::vector<std::weak_ptr<int>> all_;
};

}  // namespace

TEST_CASE("A breaker removed during its own call lives until the call ends, and no longer") {
    CircuitBreakerRegistry registry;
    Witness witness;
    registry.create("a", witness.options());
    REQUIRE(witness.alive() == 1);
    const int result = withCircuitBreaker(registry, "a", [&] {
        CHECK(registry.remove("a"));
        CHECK(registry.get("a") == nullptr);
        CHECK(witness.alive() == 1);
        // Its name is free, and a call within has the next one.
        return withCircuitBreaker(registry, "a", [&] { return registry.size() == 1 ? 3 : 0; });
    });
    CHECK(result == 3);
    CHECK(witness.alive() == 0);
    CHECK(registry.get("a")->stats().totalSuccesses == 1);
}

TEST_CASE("A breaker that is not called goes when it is removed") {
    CircuitBreakerRegistry registry;
    Witness witness;
    registry.create("a", witness.options());
    registry.create("b", witness.options());
    auto held = registry.create("c", witness.options());
    withCircuitBreaker(registry, "a", [] {});
    CHECK(witness.alive() == 3);
    registry.remove("a");
    CHECK(witness.alive() == 2);
    registry.clear();
    CHECK(witness.alive() == 1);
    held.reset();
    CHECK(witness.alive() == 0);
}

TEST_CASE("The breakers of a registry go with it, but for those that are held") {
    std::optional<CircuitBreakerRegistry> registry{std::in_place};
    Witness witness;
    registry->create("a", witness.options());
    registry->create("b", witness.options());
    auto held = registry->create("c", witness.options());
    withCircuitBreaker(*registry, "a", [] {});
    registry.reset();
    CHECK(witness.alive() == 1);
    held.reset();
    CHECK(witness.alive() == 0);
}

TEST_CASE("A call that throws lets go of its breaker, too") {
    CircuitBreakerRegistry registry;
    Witness witness;
    registry.create("a", witness.options());
    CHECK_THROWS_AS(withCircuitBreaker(registry, "a",
                                       [&]() -> int {
                                           registry.clear();
                                           throw std::runtime_error{"mine"};
                                       }),
                    std::runtime_error);
    CHECK(witness.alive() == 0);
}

TEST_CASE("Calls by name may be nested deeper than a thread has hazard pointers") {
    CircuitBreakerRegistry registry;
    Witness witness;
    const auto name = [](int i) { return "level " + std::to_string(i); };
    for (int i = 0; i < 8; ++i) registry.create(name(i), witness.options());
    const std::function<int(int)> call = [&](int depth) -> int {
        if (depth == 8) {
            registry.clear();
            CHECK(witness.alive() == 8);
            return 0;
        }
        return 1 + withCircuitBreaker(registry, name(depth), [&] { return call(depth + 1); });
    };
    CHECK(call(0) == 8);
    registry.clear();
    CHECK(witness.alive() == 0);
    // All slots are free again.
    for (int i = 0; i < 8; ++i) registry.create(name(i), witness.options());
    CHECK(call(0) == 8);
}

TEST_CASE("A registry may be destroyed during a call by name in it") {
    std::optional<CircuitBreakerRegistry> registry{std::in_place};
    Witness witness;
    registry->create("a", witness.options());
    const int result = withCircuitBreaker(*registry, "a", [&] {
        registry.reset();
        return witness.alive();
    });
    CHECK(result == 1);
    CHECK(witness.alive() == 0);
}

TEST_CASE("A call by name on another thread keeps its breaker") {
    CircuitBreakerRegistry registry;
    Witness witness;
    registry.create("a", witness.options());
    std::atomic<int> step{0};
    std::thread other{[&] {
        withCircuitBreaker(registry, "a", [&] {
            step = 1;
            while (step != 2) std::this_thread::yield();
        });
    }};
    while (step != 1) std::this_thread::yield();
    registry.remove("a");
    CHECK(witness.alive() == 1);
    // The end of a thread that has worked with the registry takes nothing of it along.
    std::thread{[&] { withCircuitBreaker(registry, "b", [] {}); }}.join();
    CHECK(witness.alive() == 1);
    step = 2;
    other.join();
    registry.remove("b");
    CHECK(witness.alive() == 0);
}

TEST_CASE("Registries of another domain, and threads past their end, do without hazard pointers") {
    static fusebox::detail::HazardDomain domain;
    static CircuitBreakerRegistry registry{domain};
    Witness witness;
    registry.create("a", witness.options());
    const auto callAndRemove = [&] {
        const bool alive = withCircuitBreaker(registry, "a", [&] {
            registry.remove("a");
            return witness.alive() == 1;
        });
        return alive && witness.alive() == 0;
    };
    SECTION("this thread works with the domain of the process") {
        CircuitBreakerRegistry usual;
        withCircuitBreaker(usual, "first", [] {});
        CHECK(callAndRemove());
    }
    SECTION("the thread's guard is gone") {
        bool right = false;
        std::thread{[&] {
            struct AtEnd {
                std::function<void()> work;
                ~AtEnd() { work(); }
            };
            // Made before the guard, so destroyed after it.
            static thread_local AtEnd atEnd{[&] { right = callAndRemove(); }};
            (void)&atEnd;
            withCircuitBreaker(registry, "b", [] {});
        }}.join();
        CHECK(right);
    }
    registry.clear();
}

TEST_CASE("Names that collide in the index are found all the same") {
    // More names than the index has places for: nothing of a user's, but the map knows them all.
    CircuitBreakerRegistry registry;
    for (int i = 0; i < 3'000; ++i) registry.create("service " + std::to_string(i));
    int missed = 0;
    for (int i = 0; i < 3'000; ++i) {
        missed += registry.get("service " + std::to_string(i)) == nullptr;
        missed += registry.get("nothing " + std::to_string(i)) != nullptr;
    }
    CHECK(missed == 0);
    CHECK(registry.size() == 3'000);
}
