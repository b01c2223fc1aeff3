// SPDX-License-Identifier: MIT
// The registry and listeners, without exceptions or RTTI.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "checks.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::withCircuitBreaker;

namespace {

void byName() {
    const auto answer = fusebox::fallback([] { return -1; });
    FUSEBOX_CHECK(withCircuitBreaker(
                      "api", [] { return 1; }, answer) == 1);
    FUSEBOX_CHECK(withCircuitBreaker(
                      "db", [] { return 2; }, fusebox::Cusum{}, {.recoveryTimeout = 5s}, answer) ==
                  2);
    const auto breaker = fusebox::createCircuitBreaker("api");
    breaker->open();
    FUSEBOX_CHECK(withCircuitBreaker(
                      "api", [] { return 1; }, answer) == -1);
    FUSEBOX_CHECK(withCircuitBreaker(
                      breaker, [] { return 1; }, answer) == -1);
    FUSEBOX_CHECK(breaker->stats().totalRejected == 2);
    FUSEBOX_CHECK(fusebox::createCircuitBreaker("db")->hasPolicy(fusebox::Cusum{}));
}

void typesWithoutRtti() {
    using Manual = fusebox::CircuitBreaker<fusebox::test::ManualClock, fusebox::FailureRate>;
    fusebox::CircuitBreakerRegistry registry;
    const auto manual = std::make_shared<Manual>("manual");
    registry.add(manual);
    FUSEBOX_CHECK(registry.get<Manual>("manual") == manual);
    FUSEBOX_CHECK(registry.get<Manual>("unknown") == nullptr);
    registry.view("manual")->open();
    FUSEBOX_CHECK(manual->isOpen());
    FUSEBOX_CHECK(registry.getAllStats().size() == 1);
    registry.resetAll();
    FUSEBOX_CHECK(manual->state() == CircuitState::Closed);
    FUSEBOX_CHECK(registry.remove("manual"));
}

void boundsAndLogs() {
    fusebox::CircuitBreakerRegistry registry;
    const fusebox::EventLog log{registry, 10};
    int opened = 0;
    const auto subscription = registry.on<fusebox::StateChanged>([&] { ++opened; });
    registry.setMaxBreakers(1);
    registry.create("first");
    registry.create("second")->open();
    FUSEBOX_CHECK(registry.size() == 1);
    FUSEBOX_CHECK(opened == 1);
    FUSEBOX_CHECK(log.events().size() == 4);
}

void manyNames() {
    fusebox::CircuitBreakerRegistry registry;
    for (int i = 0; i < 100; ++i) registry.create("service " + std::to_string(i));
    FUSEBOX_CHECK(registry.get("service 0") && registry.get("service 99"));
    FUSEBOX_CHECK(!registry.get("service 100"));
}

void listeners() {
    using enum CircuitState;
    fusebox::test::ManualClock clock;
    std::vector<CircuitState> states;
    int opened = 0;
    int failed = 0;
    fusebox::CircuitBreaker breaker{
        "listeners",
        fusebox::ConsecutiveFailures{1},
        {.recoveryTimeout = 1s,
         .successThreshold = 1,
         .onStateChange = [&](const fusebox::StateChanged& event) { states.push_back(event.to); },
         .onOpen = [&] { ++opened; }},
        clock};
    {
        const auto subscription = breaker.on<fusebox::CallFailed>(
            [&](const fusebox::CallFailed& event) { failed += event.error == nullptr; });
        breaker.tryAcquire().failure();
    }
    clock.advance(1s);
    breaker.tryAcquire().success();
    breaker.tryAcquire().failure();
    FUSEBOX_CHECK(states == std::vector{Open, HalfOpen, Closed, Open});
    FUSEBOX_CHECK(opened == 2);
    FUSEBOX_CHECK(failed == 1);
    FUSEBOX_CHECK(breaker.stats().listenerErrors == 0);
}

}  // namespace

int main() {
    byName();
    typesWithoutRtti();
    boundsAndLogs();
    manyNames();
    listeners();
    return fusebox::test::failedChecks == 0 ? 0 : 1;
}
