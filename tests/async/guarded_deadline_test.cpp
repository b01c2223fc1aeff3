// SPDX-License-Identifier: MIT
// The deadline of a guarded await: a stop is requested on the token that its function was given.

#include "fusebox/vocabulary/platform.hpp"

#if FUSEBOX_HAS_STOP_TOKEN

#include <chrono>
#include <coroutine>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <utility>

#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// Throws once it is resumed.
Task<int> waitsAndThrows(ValueGate<int>& gate) {
    co_await gate;
    throw std::runtime_error{"stopped"};
    co_return 0;
}

}  // namespace

TEST_CASE("At the deadline a stop is requested, and what is thrown then is a timeout") {
    SteadyCircuitBreaker<ConsecutiveFailures> breaker{
        "service", ConsecutiveFailures{3}, {.requestTimeout = 20ms}};
    ValueGate<int> gate;
    std::promise<void> stopped;
    std::stop_token token;
    const Root root = [](auto& b, ValueGate<int>& inside, std::stop_token& out) -> Root {
        co_await b.guard([&](std::stop_token given) {
            out = std::move(given);
            return waitsAndThrows(inside);
        });
    }(breaker, gate, token);
    {
        const std::stop_callback tells{token, [&] { stopped.set_value(); }};
        stopped.get_future().wait();
    }
    gate.open(1);
    REQUIRE(root.done());
    try {
        root.rethrow();
        FAIL("it should have thrown");
    } catch (const CallTimeoutError& error) {
        CHECK(error.timeout() == 20ms);
        CHECK_THROWS_WITH(std::rethrow_if_nested(error), "stopped");
    }
    CHECK(breaker.stats().totalTimeouts == 1);
}

TEST_CASE("A frame destroyed before its deadline leaves no deadline behind") {
    SteadyCircuitBreaker<ConsecutiveFailures> breaker{
        "service", ConsecutiveFailures{3}, {.requestTimeout = 20ms}};
    for (int i = 0; i < 100; ++i) {
        ValueGate<int> gate;
        const Root root = [](auto& b, ValueGate<int>& inside) -> Root {
            co_await b.guard([&](std::stop_token) { return waitsAndThrows(inside); });
        }(breaker, gate);
        CHECK(gate.waitedFor());
    }
    CHECK(breaker.stats().totalCancelled == 100);
    CHECK(framesAlive == 0);
}

#endif
