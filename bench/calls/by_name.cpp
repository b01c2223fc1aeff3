// SPDX-License-Identifier: MIT
// Successful calls by name: one breaker, found anew by each call. registry_bench.cpp has many.
#include <memory>
#include <string>

#include "calls/families.hpp"
#include "support/cases.hpp"
#include "support/entries.hpp"
#include "support/floor.hpp"
#include "support/hand_written.hpp"
#include "support/subjects.hpp"
#include "support/work.hpp"

namespace bench {
namespace {

using Handle = fusebox::CircuitBreakerRegistry::Handle;
constexpr auto breakerOfHandle = [](auto& fixture) -> auto& {
    return *fixture.breaker;
};

/// A breaker in a registry of its own.
struct InRegistry {
    explicit InRegistry(const fusebox::CircuitBreakerOptions& options)
        : breaker(registry.create(name, options)) {}

    std::string name{kName};
    fusebox::CircuitBreakerRegistry registry;
    Handle breaker;
};

/// A breaker in the registry of the process.
struct InProcess {
    explicit InProcess(const fusebox::CircuitBreakerOptions& options)
        : breaker(fusebox::createCircuitBreaker(name, options)) {}
    InProcess(const InProcess&) = delete;
    InProcess& operator=(const InProcess&) = delete;
    ~InProcess() { fusebox::circuitBreakerRegistry().remove(name); }

    std::string name{kName};
    Handle breaker;
};

template <class Fixture, class Step>
void addCase(Measuring measuring, const char* entry, const std::string& floor, Step step) {
    add(
        {.what = "by name",
         .policy = "AnyTripPolicy(in a row)",
         .clock = kSteady.name,
         .options = nameOf(measuring),
         .entry = entry,
         .floor = floor},
        kManyThreads, [=] { return std::make_unique<Fixture>(optionsFor(measuring)); }, step,
        counted(fusebox::CircuitState::Closed, &fusebox::CircuitBreakerStats::totalSuccesses,
                breakerOfHandle));
}

void addFusebox(Measuring measuring) {
    const std::string floor =
        measuring == Measuring::Nothing ? floors::kName : floors::twoReadings(kSteady.name);
    addCase<InRegistry>(measuring, "registry", floor, [](InRegistry& here) {
        benchmark::DoNotOptimize(fusebox::withCircuitBreaker(here.registry, here.name, kWork));
    });
    addCase<InRegistry>(measuring, "registry,fallback", floor, [](InRegistry& here) {
        benchmark::DoNotOptimize(fusebox::withCircuitBreaker(here.registry, here.name, kWork,
                                                             fusebox::fallback([] { return 0; })));
    });
    addCase<InProcess>(measuring, "process", floor, [](InProcess& here) {
        benchmark::DoNotOptimize(fusebox::withCircuitBreaker(here.name, kWork));
    });
    // Not a call by name, but what one would be if looking up cost no more than the hash.
    addCase<InRegistry>(measuring, "hash+handle", floor, [](InRegistry& here) {
        floors::hash(here.name);
        Execute::call(*here.breaker, kWork);
    });
}

void addHandWritten() {
    hand_written::forEach([]<class Breaker>(std::type_identity<Breaker>, const char* by) {
        struct Fixture {
            Fixture() { map.insert(kName, std::make_shared<Breaker>()); }
            std::string name{kName};
            hand_written::Map<Breaker> map;
        };
        add(
            {.what = "by name", .by = by, .entry = "shared_mutex", .floor = floors::kName},
            kManyThreads, [] { return std::make_unique<Fixture>(); },
            [](Fixture& here) {
                const auto breaker = here.map.find(here.name);
                benchmark::DoNotOptimize(hand_written::execute(*breaker, kWork));
            },
            unchecked);
    });
}

}  // namespace

void addByName() {
    addFusebox(Measuring::Nothing);
    addFusebox(Measuring::Latency);
    addHandWritten();
}

}  // namespace bench
