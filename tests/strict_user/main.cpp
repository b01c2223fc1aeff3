// SPDX-License-Identifier: MIT
// Compiled with a strict user's -Wall -Wextra -Werror: leaving fields out must never warn.
#include "fusebox/fusebox.hpp"

#include <chrono>
#include <exception>
#include <limits>
#include <string>

using namespace std::chrono_literals;
using fusebox::CircuitBreaker;
using fusebox::CircuitBreakerOptions;

namespace {

int work() {
    return 1;
}

// Every field alone, in order; then several; then all of them.
void optionsByName() {
    [[maybe_unused]] const CircuitBreakerOptions each[] = {
        {},
        {.recoveryTimeout = 30s},
        {.recoveryBackoff = 2.0},
        {.maxRecoveryTimeout = 5min},
        {.recoveryJitter = 0.2},
        {.successThreshold = 1},
        {.halfOpenLimit = 1},
        {.probeTimeout = 10s},
        {.requestTimeout = 250ms},
        {.requestTimeout = std::chrono::nanoseconds::max()},
        {.measureLatency = false},
        {.trackInFlight = true},
        {.shards = 1},
        {.classifyError = [](std::exception_ptr) { return fusebox::Outcome::Failure; }},
        {.onStateChange = [](const fusebox::StateChanged&) {}},
        {.onOpen = [] {}},
        {.onHalfOpen = [] {}},
        {.onClose = [](const fusebox::StateChanged&) {}},
        {.recoveryTimeout = 30s, .successThreshold = 2, .requestTimeout = 10s},
        {.recoveryTimeout = 1h, .onOpen = [] {}, .onClose = [] {}},
    };

    [[maybe_unused]] const CircuitBreakerOptions all{
        .recoveryTimeout = 30s,
        .recoveryBackoff = 2.0,
        .maxRecoveryTimeout = 5min,
        .recoveryJitter = 0.1,
        .successThreshold = 2,
        .halfOpenLimit = 3,
        .probeTimeout = 10s,
        .requestTimeout = 10s,
        .measureLatency = true,
        .trackInFlight = true,
        .shards = 4,
        .classifyError = [](std::exception_ptr) { return fusebox::Outcome::Failure; },
        .onStateChange = [](const fusebox::StateChanged&) {},
        .onOpen = [](const fusebox::StateChanged&) {},
        .onHalfOpen = [](const fusebox::StateChanged&) {},
        .onClose = [](const fusebox::StateChanged&) {},
    };

    // The other spellings of an aggregate.
    [[maybe_unused]] CircuitBreakerOptions assigned = {.recoveryTimeout = 30s};
    assigned = {.recoveryTimeout = 5s};
    assigned = CircuitBreakerOptions{.shards = 2};
    assigned.requestTimeout = 1s;
}

void policiesByName() {
    [[maybe_unused]] fusebox::ConsecutiveFailures inARow[] = {{}, {3}, {.threshold = 3}};
    [[maybe_unused]] fusebox::FailureCount count[] = {
        {}, {.threshold = 3}, {.window = 30s}, {.threshold = 3, .window = fusebox::lastCalls(50)}};
    [[maybe_unused]] fusebox::FailureRate rate[] = {
        {},
        {.threshold = 0.3},
        {.minimumCalls = 20},
        {.window = 60s},
        {.window = fusebox::lastCalls(200)},
        {.threshold = 0.3, .window = 60s},
        {.threshold = 0.5, .minimumCalls = 10, .window = fusebox::lastCalls(100)},
    };
    [[maybe_unused]] fusebox::SlowCallRate slow[] = {
        {},
        {.threshold = 0.8},
        {.slowerThan = 500ms},
        {.minimumCalls = 5},
        {.window = 1min},
        {.threshold = 0.8, .slowerThan = 1s, .minimumCalls = 5, .window = 1min},
    };
    [[maybe_unused]] fusebox::Cusum cusum[] = {
        {},
        {.acceptableFailureRate = 0.02},
        {.unacceptableFailureRate = 0.5},
        {.callsBetweenFalseTrips = 1e7},
        {.acceptableFailureRate = 0.01,
         .unacceptableFailureRate = 0.30,
         .callsBetweenFalseTrips = 1e6},
    };
    [[maybe_unused]] const auto any =
        fusebox::anyOf(fusebox::ConsecutiveFailures{.threshold = 5},
                       fusebox::FailureRate{.window = 60s}, fusebox::SlowCallRate{});
    [[maybe_unused]] const auto all =
        fusebox::allOf(fusebox::FailureCount{.threshold = 3}, fusebox::FailureRate{});
    [[maybe_unused]] const fusebox::AnyTripPolicy chosen = fusebox::FailureRate{.threshold = 0.3};
}

int breakers() {
    CircuitBreaker byDefault{"default"};
    CircuitBreaker optionsOnly{"options only", {.recoveryTimeout = 30s}};
    CircuitBreaker policyOnly{"policy only", fusebox::ConsecutiveFailures{3}};
    CircuitBreaker both{
        "both", fusebox::FailureRate{.threshold = 0.3, .window = 60s}, {.recoveryTimeout = 5s}};
    fusebox::SteadyCircuitBreaker<fusebox::FailureCount> named{
        "named type", {.threshold = 3}, {.recoveryTimeout = 5s, .onOpen = [] {}}};

    int sum = byDefault.execute(work) + optionsOnly.execute(work) + policyOnly.execute(work) +
              both.execute(work) + named.execute(work);
    if (auto permit = both.tryAcquire()) {
        permit.success();
        ++sum;
    }
    return sum;
}

int byName() {
    const auto handle = fusebox::createCircuitBreaker("orders-db", fusebox::ConsecutiveFailures{3},
                                                      {.recoveryTimeout = 30s});
    return handle->execute(work) + fusebox::withCircuitBreaker("payments-api", work) +
           fusebox::withCircuitBreaker(
               "listings-api", work,
               fusebox::FailureRate{
                   .threshold = 0.5, .minimumCalls = 10, .window = fusebox::lastCalls(100)},
               {.recoveryTimeout = 30s, .successThreshold = 2, .requestTimeout = 10s}) +
           fusebox::withCircuitBreaker("weather-api", work, fusebox::fallback([] { return 0; }));
}

}  // namespace

int main() {
    optionsByName();
    policiesByName();
    return breakers() + byName() == 10 ? 0 : 1;
}
