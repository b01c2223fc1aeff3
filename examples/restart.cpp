// SPDX-License-Identifier: MIT
// What a breaker knew, across a restart of the process.

#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

namespace {

// [restore]
using Breaker = fusebox::SteadyCircuitBreaker<fusebox::ConsecutiveFailures>;

/// The orders' breaker as it was saved, or a new one if there is nothing that can be restored.
Breaker ordersBreaker(std::string_view saved) {
    const fusebox::ConsecutiveFailures policy{3};
    const fusebox::CircuitBreakerOptions options{.recoveryTimeout = 5min};
    if (saved.empty()) return Breaker{"orders-db", policy, options};
    try {
        return Breaker{"orders-db", policy, options, std::chrono::steady_clock{}, saved};
    } catch (const fusebox::ConfigError& error) {
        fmt::print("not restored: {}\n", error.what());
        return Breaker{"orders-db", policy, options};
    }
}
// [/restore]

std::string firstRun() {
    Breaker breaker = ordersBreaker("");
    breaker.open();
    // [save]
    const std::string saved = breaker.exportState();  // To be written to a file.
    // [/save]
    return saved;
}

bool nextRun(std::string_view saved) {
    const Breaker breaker = ordersBreaker(saved);
    fmt::print("{} is {}\n", breaker.name(), toString(breaker.state()));
    return breaker.isOpen() && *breaker.retryAfter() > 4min && *breaker.retryAfter() <= 5min;
}

}  // namespace

int main() {
    const std::string saved = firstRun();
    const bool restored = nextRun(saved);
    const bool refused = !nextRun(saved.substr(0, saved.size() / 2));
    return restored && refused ? 0 : 1;
}
