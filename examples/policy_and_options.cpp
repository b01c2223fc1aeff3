// SPDX-License-Identifier: MIT
// When to trip, and how to recover: by name, through a handle, as an object of your own.

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

namespace {

std::string listings() {
    return "3 houses";
}

std::string callByName() {
    // [by_name]
    const auto body = fusebox::withCircuitBreaker(
        "listings-api", listings,
        fusebox::FailureRate{
            .threshold = 0.5, .minimumCalls = 10, .window = fusebox::lastCalls(100)},
        {.recoveryTimeout = 30s, .successThreshold = 2, .requestTimeout = 10s});
    // [/by_name]
    return body;
}

std::string callThroughHandle() {
    // [handle]
    const auto breaker = fusebox::createCircuitBreaker("orders-db", fusebox::ConsecutiveFailures{3},
                                                       {.recoveryTimeout = 30s});
    const auto body = breaker->execute(listings);
    fmt::print("{} is {}\n", breaker->name(), toString(breaker->state()));
    // [/handle]
    return body;
}

std::string callOwnBreaker() {
    // [local]
    // No registry: the policy is part of the type, and the breaker lives where you put it.
    fusebox::CircuitBreaker breaker{
        "cache", fusebox::FailureRate{.threshold = 0.3, .window = 60s}, {.recoveryTimeout = 5s}};
    const auto body = breaker.execute(listings);
    // [/local]
    return body;
}

std::string complaint() {
    // [config_error]
    try {
        fusebox::CircuitBreaker breaker{"typo", fusebox::FailureRate{.threshold = 50}};
    } catch (const fusebox::ConfigError& error) {
        return error.what();
    }
    // [/config_error]
    return "none";
}

}  // namespace

int main() {
    const bool answered = callByName() == "3 houses" && callThroughHandle() == "3 houses" &&
                          callOwnBreaker() == "3 houses";
    const std::string sentence = complaint();
    fmt::print("{}\n", sentence);
    return answered && sentence.find("FailureRate.threshold is 50") != std::string::npos ? 0 : 1;
}
