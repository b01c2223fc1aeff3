// SPDX-License-Identifier: MIT
// Calls in executors: completion, deadline and the end of the pool race for every call, and one of
// them reports it.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "breaker/conservation.hpp"
#include "fusebox/async/execute_async.hpp"
#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/thread_pool.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "stress/load.hpp"
#include "support/catch.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;
using std::chrono::steady_clock;

namespace {

/// What became of calls, as their callers saw it.
struct Seen {
    Count values, failures, timeouts, full, dropped, rejected;

    template <class Call>
    void of(Call&& call) {
        try {
            std::forward<Call>(call)();
            values.add();
        } catch (const CallTimeoutError&) {
            timeouts.add();
        } catch (const QueueFullError&) {
            full.add();
        } catch (const CallDroppedError&) {
            dropped.add();
        } catch (const CircuitOpenError&) {
            rejected.add();
        } catch (const std::runtime_error&) {
            failures.add();
        }
    }
    [[nodiscard]] std::uint64_t calls() const {
        return values.get() + failures.get() + timeouts.get() + full.get() + dropped.get();
    }
};

/// A call that takes about as long as its deadline, and sometimes throws.
auto closeCall(std::uint64_t seed, std::chrono::nanoseconds deadline) {
    return [seed, deadline, owned = std::make_unique<std::uint64_t>(seed)] {
        Random random{seed};
        const auto until = steady_clock::now() + deadline * static_cast<int>(random.below(20)) / 10;
        while (steady_clock::now() < until) std::this_thread::yield();
        if (random.oneIn(4)) throw std::runtime_error{"close"};
        return std::make_unique<std::uint64_t>(*owned);
    };
}

void checkTotals(const CircuitBreakerStats& stats, const Seen& seen) {
    CHECK(stats.totalCalls == seen.calls());
    CHECK(stats.totalCancelled == seen.full.get() + seen.dropped.get());
    CHECK(stats.totalRejected == seen.rejected.get());
    // What came just in time for its caller may be late by the breaker's clock.
    CHECK(stats.totalTimeouts >= seen.timeouts.get());
    CHECK(stats.totalSuccesses <= seen.values.get());
    CHECK(stats.totalFailures <= seen.failures.get());
    CHECK(stats.probesInFlight == 0);
    CHECK(stats.inFlight == 0);
    checkConservation(stats);
}

CircuitBreakerOptions quick(std::chrono::nanoseconds deadline) {
    return {.recoveryTimeout = 200us,
            .successThreshold = 1,
            .halfOpenLimit = 2,
            .requestTimeout = deadline,
            .trackInFlight = true};
}

}  // namespace

TEST_CASE("Each call that is waited for ends once, and all probes give their slots back") {
    const auto deadline = 200us;
    const std::uint64_t calls = scaled(20'000);
    Seen seen;
    CircuitBreaker breaker{"storm", ConsecutiveFailures{3}, quick(deadline)};
    {
        ThreadPool pool{2, 1};
        onThreads(4, [&](int thread) {
            for (std::uint64_t i = 0; i < calls; ++i) {
                const std::uint64_t seed = i * 4 + static_cast<std::uint64_t>(thread);
                seen.of([&] { (void)breaker.executeOn(pool, closeCall(seed, deadline)); });
                if (i % 8 == 0) std::this_thread::sleep_for(100us);
            }
        });
    }
    CHECK(seen.calls() + seen.rejected.get() == 4 * calls);
    CHECK(seen.timeouts.get() > 0);
    CHECK(seen.values.get() > 0);
    checkTotals(breaker.stats(), seen);
}

TEST_CASE("Each call with a future ends once, whoever is first") {
    const auto deadline = 200us;
    const std::uint64_t rounds = scaled(10'000);
    Seen seen;
    CircuitBreaker breaker{"storm", ConsecutiveFailures{3}, quick(deadline)};
    {
        ThreadPool pool{2, 4};
        onThreads(2, [&](int thread) {
            for (std::uint64_t i = 0; i < rounds; ++i) {
                std::vector<std::future<std::unique_ptr<std::uint64_t>>> futures;
                for (std::uint64_t k = 0; k < 3; ++k) {
                    const std::uint64_t seed = (i * 3 + k) * 2 + static_cast<std::uint64_t>(thread);
                    futures.push_back(breaker.executeAsync(pool, closeCall(seed, deadline)));
                }
                for (auto& future : futures) seen.of([&] { (void)future.get(); });
            }
        });
    }
    CHECK(seen.calls() + seen.rejected.get() == 6 * rounds);
    CHECK(seen.timeouts.get() > 0);
    checkTotals(breaker.stats(), seen);
}

TEST_CASE("A breaker may go as soon as its futures are ready and its callers are back") {
    const std::uint64_t rounds = scaled(2'000);
    Seen seen;
    ThreadPool pool{2, 100};
    onThreads(2, [&](int thread) {
        for (std::uint64_t i = 0; i < rounds; ++i) {
            auto breaker = std::make_unique<CircuitBreaker<>>(
                "brief", CircuitBreakerOptions{.requestTimeout = 50us});
            auto future = breaker->executeAsync(pool, [](const CallContext& context) {
                while (context.remaining() > 0ns) std::this_thread::yield();
                std::this_thread::yield();
                return context.remaining() == 0ns;
            });
            seen.of([&] {
                (void)breaker->executeOn(
                    pool, closeCall(i * 2 + static_cast<std::uint64_t>(thread), 50us));
            });
            seen.of([&] { (void)future.get(); });
            breaker.reset();
        }
    });
    CHECK(seen.calls() == 4 * rounds);
}

TEST_CASE("A pool that is destroyed in the middle leaves nobody waiting") {
    const std::uint64_t rounds = scaled(400);
    Seen seen;
    CircuitBreaker breaker{
        "orphaned", ConsecutiveFailures{1'000'000}, {.requestTimeout = 1h, .trackInFlight = true}};
    for (std::uint64_t round = 0; round < rounds; ++round) {
        std::optional<ThreadPool> pool{std::in_place, 1, 8};
        std::atomic<int> submitted{0};
        std::vector<std::future<void>> futures;
        for (int i = 0; i < 3; ++i) {
            futures.push_back(breaker.executeAsync(*pool, [] { std::this_thread::yield(); }));
        }
        std::vector<std::thread> callers;
        // Runs the call in the pool's own time, so that callers wait when it is destroyed.
        for (int i = 0; i < 2; ++i) {
            callers.emplace_back([&] {
                struct Announcing {
                    ThreadPool& pool;
                    std::atomic<int>& submitted;
                    bool tryExecute(const detail::TaskHandle& task) {
                        const bool accepted = pool.tryExecute(task);
                        submitted.fetch_add(1, std::memory_order_release);
                        return accepted;
                    }
                };
                Announcing announcing{*pool, submitted};
                seen.of([&] { breaker.executeOn(announcing, [] { std::this_thread::yield(); }); });
            });
        }
        while (submitted.load(std::memory_order_acquire) < 2) std::this_thread::yield();
        pool.reset();
        for (auto& caller : callers) caller.join();
        for (auto& future : futures) seen.of([&] { future.get(); });
    }
    CHECK(seen.calls() == 5 * rounds);
    CHECK(seen.timeouts.get() == 0);
    checkTotals(breaker.stats(), seen);
}

#if FUSEBOX_HAS_STOP_TOKEN
TEST_CASE("Tokens are armed and disarmed while they stop") {
    const std::uint64_t calls = scaled(100'000);
    Count stopped;
    Count callbacks;
    onThreads(4, [&](int thread) {
        CircuitBreaker breaker{
            "tokens", ConsecutiveFailures{1'000'000}, {.requestTimeout = 5us * (thread + 1)}};
        for (std::uint64_t i = 0; i < calls; ++i) {
            breaker.execute([&](std::stop_token token) {
                const std::stop_callback counting{token, [&] { callbacks.add(); }};
                for (std::uint64_t spin = 0; spin < i % 256; ++spin) {
                    if (token.stop_requested()) break;
                }
                stopped.addIf(token.stop_requested());
            });
        }
    });
    // A callback's destructor waits for it, and it runs if a stop was seen.
    CHECK(callbacks.get() >= stopped.get());
    CHECK(callbacks.get() <= 4 * calls);
}
#endif
