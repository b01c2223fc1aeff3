// SPDX-License-Identifier: MIT
// What a breaker knew, across a restart of the process.

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

namespace {

/// Stands for a file.
std::string file;

// [before]
void beforeTheRestart() {
    fusebox::CircuitBreaker breaker{
        "orders-db", fusebox::ConsecutiveFailures{3}, {.recoveryTimeout = 5min}};
    breaker.open();
    file = breaker.exportState();
}
// [/before]

bool afterTheRestart() {
    // [after]
    const fusebox::CircuitBreaker breaker{"orders-db",
                                          fusebox::ConsecutiveFailures{3},
                                          {.recoveryTimeout = 5min},
                                          std::chrono::steady_clock{},
                                          file};
    // [/after]
    fmt::print("{} is {}\n", breaker.name(), toString(breaker.state()));
    return breaker.isOpen() && *breaker.retryAfter() > 4min && *breaker.retryAfter() <= 5min;
}

}  // namespace

int main() {
    beforeTheRestart();
    return afterTheRestart() ? 0 : 1;
}
