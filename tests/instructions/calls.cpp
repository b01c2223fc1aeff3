// SPDX-License-Identifier: MIT
// Calls of each kind, N times and then 2N times, to be counted by callgrind: it dumps each batch
// apart, under the name of the kind. The difference of two batches is that of N calls alone.
#include <valgrind/callgrind.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "fusebox/fusebox.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitBreaker;
using fusebox::CircuitBreakerOptions;
using fusebox::SteadyCircuitBreaker;

namespace {

constexpr int kCalls = 1000;

[[gnu::noinline]] int work() {
    int value = 1;
    asm volatile("" : "+r"(value));
    return value;
}

[[gnu::noinline]] std::error_code failing() {
    int value = 1;
    asm volatile("" : "+r"(value));
    return {value, std::generic_category()};
}

/// A call site: what a program of a user's has where it calls.
template <class Site>
[[gnu::noinline]] void callFrom(const Site& site) {
    site();
}

template <class Site>
void count(const std::string& kind, const Site& site) {
    // Linking and all that is made on first use are not what is counted.
    for (int i = 0; i < 10; ++i) callFrom(site);
    for (const int calls : {kCalls, 2 * kCalls}) {
        CALLGRIND_ZERO_STATS;
        for (int i = 0; i < calls; ++i) callFrom(site);
        CALLGRIND_DUMP_STATS_AT(kind.c_str());
    }
}

template <class Breaker>
void countSuccess(const std::string& kind, Breaker& breaker) {
    count("success, " + kind, [&] { (void)breaker.execute(work); });
}

template <class Policy>
void countSuccess(const std::string& kind, Policy policy, CircuitBreakerOptions options) {
    SteadyCircuitBreaker<Policy> breaker{"counted", std::move(policy), std::move(options)};
    countSuccess(kind, breaker);
}

}  // namespace

int main() {
    const CircuitBreakerOptions untimed{.measureLatency = false};
    const fusebox::ConsecutiveFailures never{.threshold = 1'000'000};
    // Slices of minutes: none ends meanwhile.
    const fusebox::FailureRate overTime{.window = std::chrono::nanoseconds{1h}};

    count("no breaker", [] { (void)work(); });

    countSuccess("latency off", never, untimed);
    countSuccess("latency on", never, {});
    countSuccess("time window", overTime, untimed);
    countSuccess("tracked in flight", never, {.measureLatency = false, .trackInFlight = true});
    countSuccess("AnyTripPolicy", fusebox::AnyTripPolicy{never}, untimed);

    (void)fusebox::circuitBreakerRegistry().create("payments-api", never, untimed);
    count("success, by name", [] { (void)fusebox::withCircuitBreaker("payments-api", work); });

    SteadyCircuitBreaker<fusebox::ConsecutiveFailures> breaker{"counted", never, untimed};
    count("failure, by result", [&] { (void)breaker.execute(failing); });

    breaker.open();
    count("rejected, permit", [&] {
        if (breaker.tryAcquire()) std::puts("admitted");
    });
    count("rejected, fallback",
          [&] { (void)breaker.execute(work, fusebox::fallback([] { return 2; })); });
}
