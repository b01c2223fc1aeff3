// SPDX-License-Identifier: MIT
// Closed calls by name, beside what they cannot do without (the hash of the name, and the call),
// and beside the obvious way: a map under a shared lock that hands out shared pointers.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "fusebox/fusebox.hpp"
#include "support/hand_written.hpp"
#include "support/measure.hpp"
#include "support/work.hpp"

namespace {

using bench::kWork;
using fusebox::NamedCircuitBreaker;

std::string nameOf(std::size_t i) {
    std::string number = std::to_string(i);
    return "upstream-service-" + std::string(5 - number.size(), '0') + number;
}

fusebox::CircuitBreakerOptions options(bool measureLatency) {
    fusebox::CircuitBreakerOptions options;
    options.measureLatency = measureLatency;
    options.shards = 4;
    return options;
}

/// So many breakers, in a registry and in a map under a shared lock.
struct World {
    World(std::size_t count, bool measureLatency) {
        for (std::size_t i = 0; i < count; ++i) {
            names.push_back(nameOf(i));
            handles.push_back(registry.create(names.back(), fusebox::ConsecutiveFailures{},
                                              options(measureLatency)));
            map.insert(names.back(), handles.back());
        }
    }

    /// Names in an order that does not please a prefetcher.
    [[nodiscard]] std::size_t next(std::size_t i) const { return i + 1 < names.size() ? i + 1 : 0; }

    fusebox::CircuitBreakerRegistry registry;
    std::vector<std::string> names;
    std::vector<std::shared_ptr<NamedCircuitBreaker>> handles;
    bench::hand_written::Map<NamedCircuitBreaker> map;
};

World& world(const benchmark::State& state) {
    static std::mutex mutex;
    static std::unordered_map<std::int64_t, std::unique_ptr<World>> worlds;
    const std::lock_guard lock{mutex};
    auto& found = worlds[state.range(0) * 2 + state.range(1)];
    if (!found) {
        found =
            std::make_unique<World>(static_cast<std::size_t>(state.range(0)), state.range(1) != 0);
    }
    return *found;
}

/// The hash of the name, and a call through the handle.
void floorOf(benchmark::State& state) {
    World& here = world(state);
    std::size_t i = 0;
    (void)bench::measure(state, [&] {
        benchmark::DoNotOptimize(std::hash<std::string_view>{}(here.names[i]));
        benchmark::DoNotOptimize(here.handles[i]->execute(kWork));
        i = here.next(i);
    });
}

void byName(benchmark::State& state) {
    World& here = world(state);
    std::size_t i = 0;
    (void)bench::measure(state, [&] {
        benchmark::DoNotOptimize(fusebox::withCircuitBreaker(here.registry, here.names[i], kWork));
        i = here.next(i);
    });
}

void sharedLock(benchmark::State& state) {
    World& here = world(state);
    std::size_t i = 0;
    (void)bench::measure(state, [&] {
        const auto handle = here.map.find(here.names[i]);
        benchmark::DoNotOptimize(handle->execute(kWork));
        i = here.next(i);
    });
}

void cases(benchmark::internal::Benchmark* one) {
    one->ArgNames({"breakers", "latency"});
    for (const int latency : {0, 1}) {
        for (const int breakers : {1, 100, 10'000}) one->Args({breakers, latency});
    }
    // Real time: two threads that wait for each other's cache lines do not look slow in CPU time.
    one->Threads(1)->Threads(2)->Threads(4)->UseRealTime();
}

BENCHMARK(floorOf)->Name("floor")->Apply(cases);
BENCHMARK(byName)->Name("by_name")->Apply(cases);
BENCHMARK(sharedLock)->Name("shared_lock")->Apply(cases);

}  // namespace
