// SPDX-License-Identifier: MIT
// Many threads, few names: breakers come and go under the calls that use them.
#include "fusebox/registry/registry.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fusebox/registry/with_circuit_breaker.hpp"
#include "stress/load.hpp"
#include "support/catch.hpp"

using namespace fusebox::test;
using fusebox::CircuitBreakerRegistry;

namespace {

constexpr std::array<std::string_view, 4> kNames{"payments", "listings", "weather", "orders"};

/// Does to a registry what threads do to it, at random, and counts what cannot be.
class Visitor {
public:
    Visitor(CircuitBreakerRegistry& registry, std::uint64_t seed)
        : registry_(registry), random_(seed) {}

    [[nodiscard]] std::uint64_t wrong() const noexcept { return wrong_; }

    void visit() {
        const std::string_view name = kNames[random_.below(kNames.size())];
        switch (random_.below(32)) {
            case 0: registry_.remove(name); break;
            case 1:
                if (random_.oneIn(8)) registry_.clear();
                break;
            case 2: look(); break;
            case 3:
                if (const auto view = registry_.view(name)) expect(view->stats().name == name);
                break;
            case 4: registry_.reset(name); break;
            case 5:
                registry_.getOrCreate(name, fusebox::FailureRate{}, {.recoveryTimeout = kOther});
                break;
            case 6:
                if (const auto breaker = registry_.get(name)) {
                    breaker->open();
                    expect(breaker->name() == name);
                    breaker->close();
                }
                break;
            default: call(name); break;
        }
    }

private:
    static constexpr std::chrono::seconds kOther{7};

    void call(std::string_view name) {
        const auto sent = random_();
        const auto got = fusebox::withCircuitBreaker(
            registry_, name,
            [&] {
                // The breaker leaves while a call of its own is in flight.
                if (sent % 64 == 0) registry_.remove(name);
                return sent;
            },
            fusebox::fallback([&] { return sent; }));
        expect(got == sent);
    }

    void look() {
        const auto all = registry_.getAllStats();
        expect(all.size() <= kNames.size());
        expect(std::ranges::is_sorted(all, {}, &fusebox::CircuitBreakerStats::name));
        for (const auto& stats : all) {
            expect(std::ranges::count(kNames, std::string_view{stats.name}) == 1);
        }
    }

    void expect(bool condition) { wrong_ += condition ? 0 : 1; }

    CircuitBreakerRegistry& registry_;
    Random random_;
    std::uint64_t wrong_ = 0;
};

}  // namespace

TEST_CASE("Breakers come and go by name under the calls that use them") {
    CircuitBreakerRegistry registry;
    Count added;
    Count removed;
    Count wrong;
    const auto onAdded = registry.onAdded(
        [&](const fusebox::BreakerAdded& event) { added.addIf(!event.breaker.empty()); });
    const auto onRemoved = registry.onRemoved(
        [&](const fusebox::BreakerRemoved& event) { removed.addIf(!event.breaker.empty()); });
    onThreads(4, [&](int i) {
        Visitor visitor{registry, static_cast<std::uint64_t>(i) + 1};
        for (std::uint64_t n = scaled(200'000); n > 0; --n) visitor.visit();
        wrong.add(visitor.wrong());
    });
    CHECK(wrong.get() == 0);
    CHECK(removed.get() > 0);
    CHECK(added.get() - removed.get() == registry.getAll().size());
    registry.clear();
    CHECK(added.get() == removed.get());
}

TEST_CASE("Registrations of a name at the same instant make one breaker and one conflict") {
    constexpr int kThreads = 4;
    CircuitBreakerRegistry registry;
    std::array<CircuitBreakerRegistry::Handle, kThreads> handles;
    Count added;
    Count conflicts;
    const auto onAdded = registry.onAdded([&](const fusebox::BreakerAdded&) { added.add(); });
    const auto onConflict =
        registry.onConfigConflict([&](const fusebox::ConfigConflict&) { conflicts.add(); });
    std::uint64_t round = 0;
    std::string name;
    const auto failed = failedRounds(
        scaled(4'000), kThreads, [&] { name = "breaker " + std::to_string(++round); },
        [&](int i) {
            handles[static_cast<std::size_t>(i)] =
                registry.getOrCreate(name, fusebox::ConsecutiveFailures{i + 1});
        },
        [&] {
            return std::ranges::count(handles, registry.get(name)) == kThreads &&
                   added.get() == round && conflicts.get() == round;
        });
    CHECK(failed == 0);
    CHECK(registry.getAll().size() == round);
}
