// SPDX-License-Identifier: MIT
// The long runs: tests/reference/run.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fusebox/policy/any_trip_policy.hpp"
#include "reference/histories.hpp"
#include "reference/walks.hpp"
#include "reference/window_stories.hpp"

using namespace fusebox;
using namespace fusebox::test;

namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t number(const char* text) {
    return std::strtoull(text, nullptr, 10);
}
unsigned long long print(std::uint64_t n) {
    return n;
}

/// Stories for breakers of one policy type.
template <class Policy>
bool walk(const char* name, std::uint64_t seed, std::uint64_t operations) {
    const auto begin = Clock::now();
    Census census;
    // In slices, so that a figure stands after each. Long stories and short ones.
    constexpr std::uint64_t kSlice = 2'000'000;
    for (std::uint64_t slice = 0; census.operations < operations; ++slice) {
        const std::size_t longest = slice % 4 == 3 ? 400 : 60;
        const std::uint64_t now = std::min(kSlice, operations - census.operations);
        const std::string found = walkAbout<Policy>(seed + slice * 1'000'003, now, longest, census);
        if (found.empty()) continue;
        std::printf("%s, seed %llu:\n%s\n", name, print(seed + slice * 1'000'003), found.c_str());
        return false;
    }
    const std::chrono::duration<double> taken = Clock::now() - begin;
    std::printf(
        "%-20s seed %llu: %llu operations in %llu stories, 0 differences; %llu openings, "
        "%llu closings, %llu rejections, %llu stale calls; %.0f s, %.0f operations/s\n",
        name, print(seed), print(census.operations), print(census.stories), print(census.openings),
        print(census.closings), print(census.rejections), print(census.staleCalls), taken.count(),
        static_cast<double>(census.operations) / taken.count());
    std::fflush(stdout);
    return true;
}

/// Windows beside deques.
bool windows(std::uint64_t seed, std::uint64_t operations) {
    const auto begin = Clock::now();
    std::uint64_t done = 0;
    for (std::uint64_t slice = 0; done < operations; ++slice) {
        const std::string found = walkWindows(seed + 2 * slice, 100'000, done);
        if (found.empty()) continue;
        std::printf("windows, seed %llu:\n%s\n", print(seed + 2 * slice), found.c_str());
        return false;
    }
    const std::chrono::duration<double> taken = Clock::now() - begin;
    std::printf("%-20s seed %llu: %llu operations, 0 differences; %.0f s\n", "windows", print(seed),
                print(done), taken.count());
    std::fflush(stdout);
    return true;
}

/// Histories of threads.
template <class Subject>
bool explain(const char* name, std::uint64_t seed, std::uint64_t histories) {
    const auto begin = Clock::now();
    Historian<Subject> historian{seed};
    while (historian.figures().histories < histories) {
        const std::string unexplained = historian.next();
        if (unexplained.empty()) continue;
        std::printf("%s, seed %llu:\n%s\n", name, print(seed), unexplained.c_str());
        return false;
    }
    const auto& figures = historian.figures();
    const std::chrono::duration<double> taken = Clock::now() - begin;
    std::printf(
        "%-20s seed %llu: %llu histories of %llu operations, 0 without an order; %llu with "
        "operations at once; %llu steps of the search; %.0f s\n",
        name, print(seed), print(figures.histories), print(figures.operations),
        print(figures.overlapping), print(figures.steps), taken.count());
    std::fflush(stdout);
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return EXIT_FAILURE;
    const std::uint64_t seed = number(argv[1]);
    const std::uint64_t operations = number(argv[2]);
    const std::uint64_t histories = number(argv[3]);
    // Half of them on a breaker whose policy may become any other.
    const std::uint64_t share = operations / 12;
    const bool right =
        walk<ConsecutiveFailures>("ConsecutiveFailures", seed, share) &&
        walk<FailureCount>("FailureCount", seed, share) &&
        walk<FailureRate>("FailureRate", seed, share) &&
        walk<SlowCallRate>("SlowCallRate", seed, share) && walk<Cusum>("Cusum", seed, share) &&
        walk<AllOfRates>("allOf", seed, share) &&
        walk<AnyTripPolicy>("any policy", seed, operations - 6 * share) &&
        windows(seed, operations / 4) && explain<SharedBreaker>("threads", seed, histories) &&
        explain<InterruptedBreaker>("threads in turns", seed, histories);
    return right ? EXIT_SUCCESS : EXIT_FAILURE;
}
