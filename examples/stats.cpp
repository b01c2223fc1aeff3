// SPDX-License-Identifier: MIT
// What a breaker knows about itself, and why it opened.

#include <chrono>
#include <exception>
#include <stdexcept>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

int main() {
    fusebox::CircuitBreaker breaker{
        "search", fusebox::FailureRate{.minimumCalls = 4}, {.recoveryTimeout = 30s}};
    for (int i = 0; i < 8; ++i) {
        try {
            breaker.execute([&] {
                if (i >= 3) throw std::runtime_error{"index offline"};
            });
        } catch (const std::exception&) {
        }
    }

    // [stats]
    const auto stats = breaker.stats();
    fmt::print("{} calls: {} succeeded, {} failed; {} rejected\n", stats.totalCalls,
               stats.totalSuccesses, stats.totalFailures, stats.totalRejected);
    if (stats.failureRate) fmt::print("failure rate {:.0f} %\n", *stats.failureRate * 100);
    if (stats.lastTrip) fmt::print("{}\n", stats.lastTrip->summary);
    // [/stats]
    return stats.totalFailures == 3 && stats.totalRejected == 2 && stats.failureRate == 0.5 ? 0 : 1;
}
