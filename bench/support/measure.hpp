// SPDX-License-Identifier: MIT
// The timed loop of every case.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "support/core_probe.hpp"
#include "support/pinned.hpp"

namespace bench {

/// Lets threads that share a breaker find that out: until then they write the same line, for some
/// thousand calls in its life. Returns how many steps that were.
template <class Step>
std::uint64_t warmUp(Step& step) {
    constexpr std::uint64_t kAtATime = 64;
    constexpr std::chrono::microseconds kEnough{500};
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t steps = 0;
    do {
        for (std::uint64_t i = 0; i < kAtATime; ++i) step();
        steps += kAtATime;
    } while (std::chrono::steady_clock::now() - start < kEnough);
    return steps;
}

/// Times `step()` on a core for each thread, and notes beside it what probes of these cores took:
/// so that a repetition can be left out whose threads had company there. Returns how many steps
/// this thread made before it was timed.
template <class Step>
std::uint64_t measure(benchmark::State& state, Step step) {
    const Pinned pinned{state.thread_index()};
    const std::uint64_t untimed = state.threads() > 1 ? warmUp(step) : 0;
    // Threads that must share a core among themselves would wait in vain.
    const bool alone = state.threads() <= benchmark::CPUInfo::Get().num_cpus;
    const auto before = alone ? awaitOwnCore() : probeCore();
    for (auto _ : state) step();
    const auto core = static_cast<double>(std::max(before, probeCore()).count());
    state.counters["core"] = {core, benchmark::Counter::kAvgThreads};
    return untimed;
}

}  // namespace bench
