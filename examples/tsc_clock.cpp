// SPDX-License-Identifier: MIT
// Cheaper latencies: a breaker on the time stamp counter where it can be trusted, and on the steady
// clock elsewhere.

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/vocabulary/tsc_clock.hpp>

namespace {

/// Makes some calls through a breaker of whatever clock.
template <class Breaker>
int serve(Breaker& breaker) {
    for (int i = 0; i < 1'000; ++i) breaker.execute([&] { return std::to_string(i); });
    const fusebox::CircuitBreakerStats stats = breaker.stats();
    if (!stats.averageResponseTime) return 1;
    fmt::print("{} calls, {} ns on average\n", stats.totalCalls,
               stats.averageResponseTime->count());
    return stats.totalSuccesses == 1'000 ? 0 : 1;
}

}  // namespace

int main() {
    // [choose]
    if (const fusebox::Complaint complaint = fusebox::TscClock::complaint()) {
        fmt::print("on the steady clock: {}\n", *complaint);
        fusebox::CircuitBreaker breaker{"prices"};
        return serve(breaker);
    }
    fmt::print("on the time stamp counter\n");
    fusebox::CircuitBreaker<fusebox::RelaxedTscClock> breaker{"prices"};
    return serve(breaker);
    // [/choose]
}
