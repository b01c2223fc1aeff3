// SPDX-License-Identifier: MIT
// Another policy and other options for a breaker that is at work.

#include <chrono>
#include <exception>
#include <stdexcept>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

namespace {

void fail(auto& breaker) {
    try {
        breaker.execute([] { throw std::runtime_error{"disk full"}; });
    } catch (const std::exception& error) {
        fmt::print("{}\n", error.what());
    }
}

}  // namespace

int main() {
    fusebox::CircuitBreaker breaker{
        "uploads", fusebox::ConsecutiveFailures{5}, {.recoveryTimeout = 30s}};
    for (int i = 0; i < 2; ++i) fail(breaker);

    // [reconfigure]
    const auto told = breaker.on<fusebox::Reconfigured>([](const fusebox::Reconfigured& event) {
        fmt::print("was: {}\nis:  {}\n", event.previous, event.current);
    });

    auto options = breaker.options();  // Given options replace the old ones as a whole.
    options.recoveryTimeout = 5s;
    breaker.reconfigure(fusebox::ConsecutiveFailures{3}, options);
    // [/reconfigure]

    // [refused]
    try {
        breaker.reconfigure(fusebox::ConsecutiveFailures{0});
    } catch (const fusebox::ConfigError& error) {
        fmt::print("{}\n", error.what());  // All is as it was.
    }
    // [/refused]

    for (int i = 0; i < 3; ++i) fail(breaker);
    const auto stats = breaker.stats();
    return breaker.isOpen() && stats.totalFailures <= 5 && stats.timesReconfigured == 1 &&
                   *breaker.retryAfter() <= 5s
               ? 0
               : 1;
}
