// SPDX-License-Identifier: MIT
// No heap allocation on any path of a call.

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>
#include "support/allocations.hpp"

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "breaker/own_types.hpp"
#include "breaker/policy_cases.hpp"
#include "breaker/rig.hpp"
#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/executor_task.hpp"
#include "fusebox/async/thread_pool.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "support/catch.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

const auto kHealthy = [] { return std::error_code{}; };

/// A call that fails by its result after two seconds.
auto sick(ManualClock& clock) {
    return [&clock] {
        clock.advance(2s);
        return std::make_error_code(std::errc::io_error);
    };
}

/// Every path of a call that throws nothing, once around the cycle.
template <class Breaker>
void goRound(Breaker& breaker, ManualClock& clock) {
    const auto cached = fallback([] { return std::error_code{}; });
    const auto ignored = judgedBy(kHealthy, [](std::error_code) { return Outcome::Ignored; });
    for (int i = 0; i < 100; ++i) {
        (void)breaker.execute(kHealthy);
        (void)breaker.execute(ignored);
        (void)breaker.execute([](const CallContext& c) {
            return std::error_code{c.remaining() == 0s ? 1 : 0, std::generic_category()};
        });
        breaker.tryAcquire().success();
        { const auto cancelled = breaker.tryAcquire(); }
    }
    breaker.reset();
    // Failed by result, until it trips.
    for (int i = 0; i < 3; ++i) (void)breaker.execute(sick(clock));
    // Rejected by permit, answered by a fallback, in an error code.
    (void)breaker.tryAcquire().rejection();
    (void)breaker.execute(kHealthy, cached);
    (void)breaker.execute(kHealthy);
    (void)breaker.state();
    (void)breaker.retryAfter();
    // Probes: failed, lost, beyond the limit, ignored, succeeded.
    clock.advance(10s);
    (void)breaker.execute(sick(clock), cached);
    clock.advance(10s);
    auto lost = breaker.tryAcquire();
    auto busy = breaker.tryAcquire();
    (void)breaker.execute(kHealthy);
    clock.advance(1h);
    (void)lost.success();
    (void)busy.ignore();
    clock.advance(10s);
    (void)breaker.execute(ignored);
    (void)breaker.execute(kHealthy);
    (void)breaker.execute(kHealthy);
    // Overtaken by control.
    auto stale = breaker.tryAcquire();
    breaker.open(1s);
    (void)stale.failure();
    breaker.close();
    breaker.setMode(ControlMode::Shadow);
    breaker.open();
    (void)breaker.execute(kHealthy);
    breaker.setMode(ControlMode::Automatic);
    breaker.close();
}

}  // namespace

TEST_CASE("The counter of allocations counts them") {
    CHECK(allocationsIn([] { ::operator delete(::operator new(8)); }) == 1);
    CHECK(allocationsIn([] { ::operator delete[](::operator new[](8)); }) == 1);
    CHECK(allocationsIn([] {
              ::operator delete (::operator new (64, std::align_val_t{64}), std::align_val_t{64});
          }) == 1);
    CHECK(allocationsIn([] { (void)std::make_shared<std::string>(100, 'x'); }) == 2);
    CHECK(allocationsIn([] {}) == 0);
}

TEMPLATE_TEST_CASE("No path of a call allocates, under any policy", "", ByConsecutiveFailures,
                   ByFailureCountInTime, ByFailureCountInCalls, ByFailureRateInCalls,
                   ByFailureRateInTime, BySlowCallRate, ByCusum, ByAnyOf, ByAllOf, ByAnyTripPolicy,
                   ByOwnPolicy, ByOwnPolicyToldOfSuccesses) {
    for (const bool tracked : {false, true}) {
        Rig rig{{.recoveryTimeout = 10s,
                 .recoveryJitter = tracked ? 0.1 : 0.0,
                 .halfOpenLimit = 2,
                 .probeTimeout = 5s,
                 .trackInFlight = tracked},
                TestType::policy()};
        CHECK(allocationsIn([&] { goRound(rig.breaker, rig.clock); }) == 0);
        // It has been everywhere.
        CHECK(rig.stats().timesOpened >= 3);
        CHECK(rig.stats().totalRejected >= 4);
        CHECK(rig.stats().totalFailures >= 3);
        CHECK(rig.stats().totalStale >= 2);
    }
}

TEMPLATE_TEST_CASE("E 30, 31: a breaker is no larger after any number of calls", "",
                   ByConsecutiveFailures, ByFailureCountInTime, ByFailureCountInCalls,
                   ByFailureRateInCalls, ByFailureRateInTime, BySlowCallRate, ByCusum) {
    Rig rig{{.requestTimeout = kForever}, TestType::policy()};
    const auto run = [&rig](int calls) {
        for (int i = 0; i < calls; ++i) {
            if (auto permit = rig.breaker.tryAcquire()) {
                rig.clock.advance(i % 7 == 0 ? 2s : 1ms);
                permit.report(i % 3 == 0 ? Outcome::Failure : Outcome::Success);
            } else {
                rig.breaker.close();
            }
        }
    };
    run(5'000);  // What grows by the call has grown; buckets of latencies are as wide as they get.
    CHECK(allocationsIn([&] { run(20'000); }) == 0);
    CHECK(rig.stats().totalCalls > 12'000);
}

TEST_CASE("Without latencies no path of a call allocates either") {
    Rig rig{
        {.recoveryTimeout = 10s, .halfOpenLimit = 2, .probeTimeout = 5s, .measureLatency = false},
        ConsecutiveFailures{3}};
    CHECK(allocationsIn([&] { goRound(rig.breaker, rig.clock); }) == 0);
    CHECK(rig.stats().timesOpened >= 3);
}

TEST_CASE("A breaker that nobody listens to any more allocates as little as before") {
    Rig rig{{.recoveryTimeout = 10s, .halfOpenLimit = 2, .probeTimeout = 5s},
            ConsecutiveFailures{3}};
    {
        const Subscription calls = rig.breaker.on<CallFailed>([](const CallFailed&) {});
        const Subscription transitions = rig.breaker.on<StateChanged>([](const StateChanged&) {});
        goRound(rig.breaker, rig.clock);
    }
    rig.breaker.reset();
    CHECK(allocationsIn([&] { goRound(rig.breaker, rig.clock); }) == 0);
}

TEST_CASE("Telling listeners of calls allocates nothing") {
    Rig rig;
    int heard = 0;
    const Subscription succeeded = rig.breaker.on<CallSucceeded>([&](const auto&) { ++heard; });
    const Subscription failed = rig.breaker.on<CallFailed>([&](const auto&) { ++heard; });
    const Subscription rejected = rig.breaker.on<CallRejected>([&](const auto&) { ++heard; });
    CHECK(allocationsIn([&] {
              (void)rig.breaker.execute(kHealthy);
              for (int i = 0; i < 5; ++i) (void)rig.breaker.execute(sick(rig.clock));
              (void)rig.breaker.execute(kHealthy);
          }) == 0);
    CHECK(heard == 7);
}

TEST_CASE("A result with a rejection in it costs no more than the result") {
    Rig rig;
    rig.breaker.open();
    CHECK(allocationsIn([&] {
              (void)rig.breaker.execute([] { return Response{200}; });
              (void)rig.breaker.execute([] { return Expected<int, std::error_code>{1}; });
          }) == 0);
    CHECK(rig.stats().totalRejected == 2);
}

TEST_CASE("A call by name allocates only when it creates the breaker") {
    CircuitBreakerRegistry registry;
    const std::string name = "a name too long for any small-string buffer";
    const CircuitBreakerOptions options{.recoveryTimeout = 1h,
                                        .classifyError = ignoring<int>(),
                                        .onOpen = [copy = name] { (void)copy; }};
    const auto cached = fallback([] { return std::error_code{}; });
    const auto call = [&] {
        (void)withCircuitBreaker(registry, name, kHealthy);
        (void)withCircuitBreaker(registry, name, kHealthy, cached);
        (void)withCircuitBreaker(registry, name, kHealthy, ConsecutiveFailures{2});
        (void)withCircuitBreaker(registry, name, kHealthy, options);
        (void)withCircuitBreaker(registry, name, kHealthy, ConsecutiveFailures{2}, options, cached);
        (void)withCircuitBreaker(registry, name, kHealthy, {.recoveryTimeout = 1h});
        (void)withCircuitBreaker(registry, name, kHealthy, anyOf(ConsecutiveFailures{2}, Cusum{}),
                                 options);
    };
    (void)withCircuitBreaker(registry, name, kHealthy, ConsecutiveFailures{2}, options);
    CHECK(allocationsIn(call) == 0);
    registry.get(name)->open();
    CHECK(allocationsIn(call) == 0);
    const auto handle = registry.get(name);
    CHECK(allocationsIn([&] {
              (void)withCircuitBreaker(handle, kHealthy);
              (void)withCircuitBreaker(*handle, kHealthy, cached);
          }) == 0);
    CHECK(handle->stats().totalSuccesses == 8);
    CHECK(handle->stats().totalRejected == 9);
}

TEST_CASE("Looking a name up allocates nothing, found or not, bounded or not") {
    CircuitBreakerRegistry registry;
    const std::string name = "a name too long for any small-string buffer";
    const std::string unknown = "another name too long for any small-string buffer";
    (void)registry.create(name);
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}}) {
        registry.setMaxBreakers(most);
        int found = 0;
        CHECK(allocationsIn([&] {
                  found += registry.get(name) != nullptr;
                  found += registry.view(name) != nullptr;
                  found += registry.getOrCreate(name) != nullptr;
                  found += registry.getOrCreate(name, ConsecutiveFailures{2}) != nullptr;
                  found += registry.get(unknown) != nullptr;
                  found += registry.view(unknown) != nullptr;
                  found += registry.size() == 1;
              }) == 0);
        CHECK(found == 5);
    }
}

TEST_CASE("Calls by name within calls by name allocate nothing, however deep") {
    CircuitBreakerRegistry registry;
    const std::string name = "a name too long for any small-string buffer";
    const auto within = [&](const auto& self, int depth) -> int {
        if (depth == 0) return 0;
        return withCircuitBreaker(registry, name, [&] { return 1 + self(self, depth - 1); });
    };
    (void)registry.create(name);
    (void)within(within, 8);
    CHECK(allocationsIn([&] { (void)within(within, 8); }) == 0);
}

TEST_CASE("A composite policy by name is compared without a conversion") {
    CircuitBreakerRegistry registry;
    const auto call = [&] {
        (void)withCircuitBreaker(registry, "composite", kHealthy,
                                 allOf(FailureRate{}, anyOf(ConsecutiveFailures{2}, Cusum{})),
                                 {.recoveryTimeout = 1h});
    };
    call();
    CHECK(allocationsIn(call) == 0);
}

#if defined(__GLIBC__) && defined(__x86_64__)

TEST_CASE("A breaker with default options takes less than 2 KiB, with all that it allocates") {
    allocations().heldBytes = 0;
    std::optional<SteadyCircuitBreaker<ConsecutiveFailures>> breaker;
    (void)allocationsIn([&] {
        breaker.emplace("payments-api");
        for (int i = 0; i < 1000; ++i) (void)breaker->execute(kHealthy);
    });
    INFO(sizeof(*breaker) << " + " << allocations().heldBytes);
    CHECK(allocations().heldBytes > 0);
    CHECK(sizeof(*breaker) + allocations().heldBytes < 2048);
}

TEST_CASE("A breaker gives back all that it took, histograms by outcome included") {
    allocations().heldBytes = 0;
    (void)allocationsIn([] {
        CircuitBreaker breaker{"gone"};
        (void)breaker.stats();
        (void)breaker.tryAcquire().failure();
    });
    CHECK(allocations().heldBytes == 0);
}

TEST_CASE("Who first takes statistics makes histograms by outcome, about 1 KiB, once") {
    CircuitBreaker breaker{"looked-at"};
    for (const bool first : {true, false}) {
        allocations().heldBytes = 0;
        (void)allocationsIn([&] { (void)breaker.stats(); });
        INFO(allocations().heldBytes);
        CHECK((allocations().heldBytes > 0) == first);
        CHECK(allocations().heldBytes < 1024);
    }
    // Calls still allocate nothing.
    CHECK(allocationsIn([&] {
              (void)breaker.tryAcquire().failure();
              (void)breaker.tryAcquire().ignore();
              (void)breaker.tryAcquire().success();
          }) == 0);
}

TEST_CASE("Calls of like length allocate once: when one bucket of latencies is half full") {
    ManualClock clock;
    CircuitBreaker breaker{"counted", ConsecutiveFailures{3}, {}, clock};
    const auto call = [&](int times) {
        for (int i = 0; i < times; ++i) (void)breaker.execute(kHealthy);
    };
    CHECK(allocationsIn([&] { call(32'000); }) == 0);
    CHECK(allocationsIn([&] { call(200'000); }) == 1);
    CHECK(breaker.stats().totalSuccesses == 232'000);
    CHECK(breaker.stats().latency.max == 0ns);
}

#if FUSEBOX_HAS_STOP_TOKEN
TEST_CASE("A stop token allocates what the standard's does, and its deadline nothing") {
    CircuitBreaker breaker{"b"};
    const auto ask = [&] { breaker.execute([](std::stop_token) {}); };
    ask();  // Starts the thread.
    const int standard = allocationsIn([] { const std::stop_source source; });
    CHECK(standard > 0);
    CHECK(allocationsIn([&] {
              for (int i = 0; i < 100; ++i) ask();
          }) == 100 * standard);
    CHECK(allocationsIn([&] {
              breaker.execute([](const CallContext& call) {
                  return call.remaining() > 0s && call.deadline() > call.deadline() - 1s;
              });
          }) == 0);

    // A call does not fail for want of a token.
    allocations().outOfMemory = true;
    const bool stoppable =
        breaker.execute([](std::stop_token token) { return token.stop_possible(); });
    allocations().outOfMemory = false;
    CHECK_FALSE(stoppable);
    CHECK(breaker.stats().totalFailures == 0);
}
#endif

TEST_CASE("A call in an executor allocates once, beyond what the executor needs") {
    CircuitBreaker breaker{"b"};
    struct {
        void execute(const detail::TaskHandle& task) { task(); }
    } atOnce;
    const auto call = [&] { breaker.executeOn(atOnce, [] {}); };
    call();
    CHECK(allocationsIn([&] {
              for (int i = 0; i < 100; ++i) call();
          }) == 100);

    // A pool keeps a call as it is; its queue takes memory now and then.
    ThreadPool pool{1, 10};
    const int allocated = allocationsIn([&] {
        for (int i = 0; i < 100; ++i) breaker.executeOn(pool, [] {});
    });
    CHECK(allocated >= 100);
    CHECK(allocated <= 125);
}

TEST_CASE("Without memory for wider counts calls go on, and are counted") {
    ManualClock clock;
    CircuitBreaker breaker{"counted", ConsecutiveFailures{3}, {}, clock};
    allocations().outOfMemory = true;
    for (int i = 0; i < 50'000; ++i) (void)breaker.execute(kHealthy);
    allocations().outOfMemory = false;
    (void)breaker.execute([&] {
        clock.advance(1s);
        return std::error_code{};
    });
    const CircuitBreakerStats stats = breaker.stats();
    CHECK(stats.totalSuccesses == 50'001);
    CHECK(stats.averageResponseTime == std::chrono::nanoseconds{1s} / 50'001);
    CHECK(stats.latency.p99 == 0ns);
    CHECK(stats.latency.max == 1s);
}

#endif

TEST_CASE("Without memory for a histogram of its own a shard's calls are in the first one's") {
    std::mutex mutex;
    detail::ShardedCounters<StdPlatform, detail::CallLatencies<StdPlatform>> shards{1, mutex};
    shards.beside().measure(shards);
    detail::Shard<StdPlatform> mine;
    allocations().outOfMemory = true;
    shards.beside().recordSuccess(shards, mine, 5ms);
    detail::LatencyHistogram<StdPlatform> histogram;
    detail::LatencyRoom<StdPlatform> room;
    const bool recorded = histogram.record(room, 5ms);
    allocations().outOfMemory = false;
    CHECK_FALSE(recorded);
    CHECK_FALSE(room.get());
    CircuitBreakerStats stats;
    shards.beside().fill(stats, shards);
    CHECK(stats.latency.max == 5ms);
    CHECK_FALSE(mine.latencies.get());
}

TEST_CASE("Without memory for shards threads go on sharing one") {
    std::mutex mutex;
    detail::ShardedCounters<> counters{4, mutex};
    // Threads of a test have memory; only this one, which meets them, has none.
    std::atomic<bool> over{false};
    std::vector<std::thread> others;
    {
        const std::lock_guard busy{mutex};
        for (int i = 0; i < 2; ++i) {
            others.emplace_back([&] {
                allocations().outOfMemory = true;
                while (!over) counters.addAlone(detail::Tally::Rejected);
                allocations().outOfMemory = false;
            });
        }
    }
    allocations().outOfMemory = true;
    for (int i = 0; i < 300'000; ++i) counters.addAlone(detail::Tally::Rejected);
    allocations().outOfMemory = false;
    over = true;
    for (auto& other : others) other.join();
    CHECK(counters.size() == 1);
    CHECK(counters.total(detail::Tally::Rejected) >= 300'000);
}

#endif
