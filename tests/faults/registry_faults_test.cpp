// SPDX-License-Identifier: MIT
// Whatever fails inside an operation on a registry: it did not happen, and can be tried again.
#include "faults/faults.hpp"

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

constexpr std::string_view kFirst = "the first breaker, with a name of some length";
constexpr std::string_view kSecond = "the second breaker, with a name of some length";

struct Registered {
    CircuitBreakerRegistry registry{};
    Registered() { (void)registry.create(kFirst); }
};

std::unique_ptr<Registered> one() {
    return std::make_unique<Registered>();
}

/// The first is there; the second can be had, called and removed.
bool isSound(CircuitBreakerRegistry& registry) {
    bool sound = registry.get(kFirst) != nullptr;
    const auto second = registry.getOrCreate(kSecond);
    sound &= second == registry.get(kSecond);
    sound &= withCircuitBreaker(registry, kSecond, [] { return 1; }) == 1;
    sound &= registry.size() == 2 && registry.getAllStats().size() == 2;
    sound &= second->stats().totalSuccesses >= 1;
    return sound && registry.remove(kSecond) && !registry.remove(kSecond) && registry.size() == 1;
}

template <class Act, class Check>
void registrySurvives(const Act& act, const Check& check, int atLeast) {
    const Sweep result = sweep(&one, act, check);
    INFO(result.points << " points, wrong first at " << result.firstWrong);
    CHECK(result.points >= atLeast);
    CHECK(result.leaks == 0);
    CHECK(result.wrong == 0);
}

constexpr auto kSoundRegistry = [](Registered& world, bool) { return isSound(world.registry); };

}  // namespace

TEST_CASE("I 47-49, faults: a breaker is registered as a whole or not at all") {
    registrySurvives(
        [](Registered& world) {
            (void)world.registry.create(kSecond, FailureRate{}, {.recoveryTimeout = 5s});
        },
        [](Registered& world, bool escaped) {
            const bool there = world.registry.get(kSecond) != nullptr;
            return there == !escaped && world.registry.size() == (escaped ? 1U : 2U) &&
                   isSound(world.registry);
        },
        5);
}

TEST_CASE("I 47-49, faults: so is one that joins") {
    registrySurvives(
        [](Registered& world) {
            world.registry.add(std::make_shared<SteadyCircuitBreaker<FailureCount>>(
                std::string{kSecond}, FailureCount{}));
        },
        [](Registered& world, bool escaped) {
            const bool there = world.registry.view(kSecond) != nullptr;
            world.registry.remove(kSecond);
            return there == !escaped && isSound(world.registry);
        },
        5);
}

TEST_CASE("I 47-49, faults: calls by name, look-ups, removal, presets and the bound") {
    registrySurvives(
        [](Registered& world) {
            (void)withCircuitBreaker(world.registry, kSecond, [bomb = Bomb{}] {
                bomb.use();
                return 1;
            });
            (void)withCircuitBreaker(world.registry, kFirst, [] { return 1; },
                                     anyOf(ConsecutiveFailures{2}, Cusum{}), {});
        },
        kSoundRegistry, 5);
    registrySurvives(
        [](Registered& world) {
            (void)world.registry.getAll();
            (void)world.registry.getAllStats();
            (void)world.registry.view(kFirst);
            world.registry.resetAll();
        },
        kSoundRegistry, 5);
    registrySurvives(
        [](Registered& world) {
            world.registry.setDefaults(FailureRate{}, {.recoveryTimeout = 7s});
            world.registry.definePreset("external", Cusum{}, {.recoveryTimeout = 8s});
            (void)world.registry.createFromPreset(kSecond, "external");
            (void)world.registry.remove(kSecond);
        },
        kSoundRegistry, 8);
    registrySurvives(
        [](Registered& world) {
            world.registry.setMaxBreakers(2);
            for (const char* name : {"a", "b", "c"}) (void)world.registry.create(name);
            world.registry.setMaxBreakers(0);
            for (const char* name : {"a", "b", "c"}) (void)world.registry.remove(name);
        },
        [](Registered& world, bool) {
            world.registry.setMaxBreakers(0);
            for (const char* name : {"a", "b", "c"}) (void)world.registry.remove(name);
            // The bound may have had to evict the first.
            if (!world.registry.get(kFirst)) (void)world.registry.create(kFirst);
            return isSound(world.registry);
        },
        10);
}

TEST_CASE("I 47-49, faults: a bound is set as a whole or not at all") {
    const Sweep result = sweep(
        [] {
            auto world = one();
            (void)world->registry.create(kSecond);
            return world;
        },
        [](Registered& world) { world.registry.setMaxBreakers(1); },
        [](Registered& world, bool escaped) {
            const std::size_t before = world.registry.size();
            (void)world.registry.create("the third breaker, with a name of some length");
            return before == (escaped ? 2U : 1U) && world.registry.size() == (escaped ? 3U : 1U);
        });
    INFO(result.points << " points, wrong first at " << result.firstWrong);
    CHECK(result.points >= 1);
    CHECK(result.leaks == 0);
    CHECK(result.wrong == 0);
}

TEST_CASE("I 47-49, faults: listeners of a registry") {
    registrySurvives(
        [](Registered& world) {
            const auto listener = [bomb = Bomb{}] { bomb.use(); };
            const auto added = world.registry.onAdded(listener);
            const auto removed = world.registry.onRemoved(listener);
            const auto conflicts = world.registry.onConfigConflict(listener);
            const auto changed = world.registry.on<StateChanged>(listener);
            (void)world.registry.create(kSecond);
            (void)world.registry.getOrCreate(kSecond, Cusum{});
            world.registry.get(kSecond)->open();
            (void)world.registry.remove(kSecond);
        },
        [](Registered& world, bool) {
            world.registry.remove(kSecond);
            return isSound(world.registry);
        },
        15);
}

#endif
