// SPDX-License-Identifier: MIT
// The program that every way of getting the library must be able to build and run.
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

int failing() {
    throw std::runtime_error("the service is down");
}

int complain(const char* what) {
    std::fprintf(stderr, "consumer: %s\n", what);
    return 1;
}

}  // namespace

int main() {
    fusebox::test::ManualClock clock;
    fusebox::CircuitBreaker breaker{"consumer",
                                    fusebox::ConsecutiveFailures{2},
                                    {.recoveryTimeout = 5s, .successThreshold = 1},
                                    clock};

    for (int i = 0; i < 2; ++i) {
        try {
            breaker.execute(failing);
            return complain("a failure did not leave execute");
        } catch (const fusebox::CircuitOpenError&) {
            return complain("open too early");
        } catch (const std::runtime_error&) {
        }
    }
    if (!breaker.isOpen()) return complain("two failures in a row did not open it");

    try {
        breaker.execute(failing);
        return complain("an open breaker called");
    } catch (const fusebox::CircuitOpenError& error) {
        if (error.retryAfter() != 5s) return complain("retryAfter is not the recovery timeout");
    }

    clock.advance(5s);
    if (breaker.execute([] { return 7; }) != 7) return complain("a probe lost its result");
    if (breaker.state() != fusebox::CircuitState::Closed) return complain("did not close");
    return 0;
}
