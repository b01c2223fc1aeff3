// SPDX-License-Identifier: MIT
// The timed loop of every case.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>

#include "support/core_probe.hpp"
#include "support/pinned.hpp"

namespace bench {

/// Times `step()` on a core for each thread, and notes beside it what probes of these cores took:
/// so that a repetition can be left out whose threads had company there.
template <class Step>
void measure(benchmark::State& state, Step step) {
    const Pinned pinned{state.thread_index()};
    // Threads that must share a core among themselves would wait in vain.
    const bool alone = state.threads() <= benchmark::CPUInfo::Get().num_cpus;
    const auto before = alone ? awaitOwnCore() : probeCore();
    for (auto _ : state) step();
    const auto core = static_cast<double>(std::max(before, probeCore()).count());
    state.counters["core"] = {core, benchmark::Counter::kAvgThreads};
}

}  // namespace bench
