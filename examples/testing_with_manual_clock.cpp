// SPDX-License-Identifier: MIT
// Testing what time does to a breaker, without waiting: a clock that only the test moves.

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

using namespace std::chrono_literals;
using fusebox::CircuitState;

namespace {

// [code_under_test]
/// What is tested takes the breaker as a parameter, of whatever clock.
template <class Breaker>
std::string priceOf(Breaker& breaker, bool serverIsUp) {
    return breaker.execute(
        [&] {
            if (!serverIsUp) throw "connection refused";
            return std::string{"9.99"};
        },
        fusebox::fallback([] { return std::string{"ask us"}; }));
}
// [/code_under_test]

bool expect(bool holds, const char* what) {
    fmt::print("{} {}\n", holds ? "ok  " : "FAIL", what);
    return holds;
}

}  // namespace

int main() {
    bool ok = true;
    // [cycle]
    fusebox::test::ManualClock clock;  // Copies share one time: the breaker gets one.
    fusebox::CircuitBreaker breaker{"shop",
                                    fusebox::ConsecutiveFailures{2},
                                    {.recoveryTimeout = 30s, .successThreshold = 2},
                                    clock};

    priceOf(breaker, false);
    priceOf(breaker, false);
    ok &= expect(breaker.state() == CircuitState::Open, "two failures in a row open it");
    ok &= expect(priceOf(breaker, true) == "ask us", "an open breaker rejects");

    clock.advance(29s);
    ok &= expect(breaker.retryAfter() == 1s, "a second of the wait is left");
    clock.advance(1s);
    ok &= expect(breaker.state() == CircuitState::HalfOpen, "after the wait it admits probes");

    ok &= expect(priceOf(breaker, true) == "9.99", "the first probe succeeds");
    ok &= expect(breaker.state() == CircuitState::HalfOpen, "one success is not enough");
    priceOf(breaker, true);
    ok &= expect(breaker.state() == CircuitState::Closed, "two close it");
    // [/cycle]
    return ok ? 0 : 1;
}
