// SPDX-License-Identifier: MIT
#include "fusebox/registry/circuit_breaker_view.hpp"

#include <chrono>
#include <memory>

#include "fusebox/registry/registry.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::ControlMode;
using fusebox::test::ManualClock;

TEST_CASE("A view watches and steers a breaker of whatever clock and policy") {
    ManualClock clock;
    fusebox::CircuitBreakerRegistry registry;
    const auto breaker = std::make_shared<fusebox::CircuitBreaker<ManualClock>>(
        "viewed", fusebox::ConsecutiveFailures{1},
        fusebox::CircuitBreakerOptions{.recoveryTimeout = 10s}, clock);
    registry.add(breaker);
    const std::shared_ptr<fusebox::CircuitBreakerView> view = registry.view("viewed");
    REQUIRE(view);

    CHECK(view->name() == "viewed");
    CHECK(view->state() == CircuitState::Closed);
    CHECK_FALSE(view->isOpen());
    breaker->tryAcquire().failure();
    CHECK(view->isOpen());
    CHECK(view->retryAfter() == 10s);
    CHECK(view->stats().totalFailures == 1);
    view->close();
    CHECK(breaker->state() == CircuitState::Closed);
    view->open();
    CHECK(breaker->retryAfter() == 10s);
    view->close();
    view->open(3s);
    CHECK(breaker->retryAfter() == 3s);
    clock.advance(3s);
    CHECK(view->state() == CircuitState::HalfOpen);
    view->setMode(ControlMode::ForcedOpen);
    CHECK(breaker->mode() == ControlMode::ForcedOpen);
    CHECK(view->mode() == ControlMode::ForcedOpen);
    CHECK(view->isOpen());
    view->setMode(ControlMode::Automatic);
    view->reset();
    CHECK(view->state() == CircuitState::Closed);
    CHECK(breaker->stats().timesOpened == 0);
    CHECK_THROWS_AS(view->open(0s), fusebox::ConfigError);
}

TEST_CASE("A view outlives its registry and the removal of its breaker") {
    std::shared_ptr<fusebox::CircuitBreakerView> removed;
    std::shared_ptr<fusebox::CircuitBreakerView> orphan;
    {
        fusebox::CircuitBreakerRegistry registry;
        registry.create("removed");
        registry.create("orphan");
        removed = registry.view("removed");
        orphan = registry.view("orphan");
        registry.remove("removed");
        CHECK(registry.view("unknown") == nullptr);
    }
    removed->open();
    CHECK(removed->isOpen());
    CHECK(orphan->stats().name == "orphan");
}
