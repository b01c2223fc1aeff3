// SPDX-License-Identifier: MIT
// Statistics are taken while calls end: histograms by outcome never count down, and add up in the
// end.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "stress/load.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox::test;
using fusebox::CircuitBreaker;
using fusebox::CircuitBreakerStats;
using fusebox::ConsecutiveFailures;
using fusebox::LatenciesByOutcome;
using fusebox::LatencyDistribution;
using fusebox::Outcome;

namespace {

/// How often a distribution counts less than before, or less than a bucket below.
std::uint64_t countedDown(const LatencyDistribution& before, const LatencyDistribution& now) {
    std::uint64_t wrong = now.calls < before.calls;
    for (std::size_t i = 0; i < LatencyDistribution::kBounds; ++i) {
        wrong += now.atMost[i] < before.atMost[i];
        wrong += now.atMost[i] > now.calls;
        if (i > 0) wrong += now.atMost[i] < now.atMost[i - 1];
    }
    return wrong;
}

std::uint64_t countedDown(const LatenciesByOutcome& before, const LatenciesByOutcome& now) {
    return countedDown(before.successes, now.successes) +
           countedDown(before.failures, now.failures) + countedDown(before.ignored, now.ignored);
}

}  // namespace

TEST_CASE("Histograms by outcome never count down while calls end, and add up at rest") {
    CircuitBreaker breaker{"busy", ConsecutiveFailures{1'000'000'000}};
    (void)breaker.stats();
    constexpr std::size_t kThreads = 4;
    const std::uint64_t calls = scaled(2'000'000) / kThreads;
    std::atomic<std::size_t> running{kThreads};
    std::array<std::array<std::uint64_t, 3>, kThreads> done{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            Random random{t + 1};
            for (std::uint64_t i = 0; i < calls; ++i) {
                const auto kind = static_cast<std::size_t>(random.below(3));
                constexpr std::array kOutcomes{Outcome::Success, Outcome::Failure,
                                               Outcome::Ignored};
                // Few buckets, so that their 16 bits run over.
                const std::chrono::nanoseconds elapsed = random.oneIn(100) ? 1ms : 20us;
                (void)breaker.tryAcquire().report(kOutcomes[kind], elapsed);
                ++done[t][kind];
            }
            --running;
        });
    }
    std::uint64_t wrong = 0;
    LatenciesByOutcome before;
    while (running > 0) {
        const LatenciesByOutcome now = breaker.stats().latencies;
        wrong += countedDown(before, now);
        before = now;
    }
    for (std::thread& thread : threads) thread.join();

    CHECK(wrong == 0);
    std::array<std::uint64_t, 3> all{};
    for (const auto& mine : done) {
        for (std::size_t kind = 0; kind < all.size(); ++kind) all[kind] += mine[kind];
    }
    const CircuitBreakerStats stats = breaker.stats();
    CHECK(stats.latencies.successes.calls == all[0]);
    CHECK(stats.latencies.failures.calls == all[1]);
    CHECK(stats.latencies.ignored.calls == all[2]);
    CHECK(stats.latencies.successes.calls == stats.totalSuccesses);
    CHECK(stats.latencies.failures.calls == stats.totalFailures);
    CHECK(stats.latencies.failures.atMost[0] == 0);
    CHECK(stats.latencies.failures.atMost.back() == all[1]);
}

TEST_CASE("Many threads that take the first statistics make one set of histograms") {
    for (std::uint64_t round = 0; round < scaled(2'000); ++round) {
        CircuitBreaker breaker{"new", ConsecutiveFailures{1'000'000}};
        std::vector<std::thread> threads;
        for (int t = 0; t < 3; ++t) {
            threads.emplace_back([&] {
                (void)breaker.stats();
                (void)breaker.tryAcquire().report(Outcome::Failure, 1ms);
            });
        }
        for (std::thread& thread : threads) thread.join();
        const CircuitBreakerStats stats = breaker.stats();
        REQUIRE(stats.latencies.known);
        REQUIRE(stats.latencies.failures.calls == 3);
    }
}

TEST_CASE("A call that fails while the first statistics are taken is not taken for a success") {
    std::uint64_t wrong = 0;
    for (std::uint64_t round = 0; round < scaled(2'000); ++round) {
        CircuitBreaker breaker{"new", ConsecutiveFailures{1'000'000}};
        std::atomic<bool> begun{false};
        std::thread failing{[&] {
            begun = true;
            for (int i = 0; i < 20; ++i) {
                (void)breaker.tryAcquire().report(Outcome::Failure, 1ms);
            }
        }};
        while (!begun) {
        }
        (void)breaker.stats();
        failing.join();
        wrong += breaker.stats().latencies.successes.calls;
    }
    CHECK(wrong == 0);
}
