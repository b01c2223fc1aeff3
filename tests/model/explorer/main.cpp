// SPDX-License-Identifier: MIT
// Explores the state machine; the first argument says what, and `all` is everything.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "breaker/suites.hpp"
#include "campaign.hpp"
#include "engine/execution.hpp"
#include "fusebox/window/thread_number.hpp"
#include "litmus.hpp"
#include "order_table.hpp"

namespace {

using namespace fusebox::model;

constexpr const char* kUsage =
    "usage: fusebox_explorer <what> [n]\n"
    "  litmus       small programs with known results: is the memory model right?\n"
    "  reduction    is nothing left out, compared with all orders of threads and all values?\n"
    "  pairs        every pair of actions on a breaker, from every start\n"
    "  triples [n]  every triple; with n, one of each n\n"
    "  special      shards, latencies, ticks, deadlines, longer threads\n"
    "  orders [n]   each memory order made weaker: which scenario notices?\n";

[[nodiscard]] bool holds(const Figures& figures) {
    return figures.violations == 0 && figures.cut == 0;
}

[[nodiscard]] bool run(std::string_view what, std::size_t stride) {
    constexpr std::uint64_t kMost = 1'000'000;
    if (what == "litmus") return checkLitmus();
    if (what == "reduction") return checkReduction(20'000);
    if (what == "pairs") return holds(explore("pairs", forEachPair, kMost));
    if (what == "special") return holds(explore("special", forEachSpecial, kMost));
    if (what == "orders") return printOrderTable(stride);
    if (what == "triples") {
        const auto suite = [=](const Visit& visit) { forEachTriple(stride, visit); };
        return holds(explore("triples", suite, kMost));
    }
    std::fputs(kUsage, stderr);
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    const long stride = argc > 2 ? std::atol(argv[2]) : 1;
    // Those of the explored threads, which keep them.
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
        (void)fusebox::detail::threadNumbers.take();
    }
    return run(what, stride > 0 ? static_cast<std::size_t>(stride) : 1) ? EXIT_SUCCESS
                                                                        : EXIT_FAILURE;
}
