// SPDX-License-Identifier: MIT
// What calls cost, beside their physical floors and beside hand-written breakers: all in one
// program, so that every figure can be read as a ratio within one run.
//
// What is chosen, since the full product of policies, clocks, options, entries and threads has
// thousands of cases:
// - a success through a closed breaker: every policy, with and without latencies, by 1, 2, 4 and 8
//   threads; calls in flight tracked for every policy that can do without latencies;
// - clocks and entries (permit, fallback, result type, by name, subscriber): in a row, which has
//   the shortest path, so that what they add shows best; clocks also with a time window;
// - a failure that is returned: every policy, since that is where their arithmetic is;
// - what is thrown, rejected, half-open, or read: in a row. No policy is asked there, but for the
//   one that trips.
// The names say what a case is and which floor it has; bench/report evaluates them.
#include <benchmark/benchmark.h>

#include "calls/families.hpp"

int main(int argc, char** argv) {
    bench::addFloors();
    bench::addClosedSuccess();
    bench::addClosedFailure();
    bench::addOpenRejected();
    bench::addHalfOpen();
    bench::addByName();
    bench::addDeadlines();
    bench::addReadings();

#if defined(__clang__)
    benchmark::AddCustomContext("compiler", __VERSION__);
#else
    benchmark::AddCustomContext("compiler", "gcc " __VERSION__);
#endif
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
