// SPDX-License-Identifier: MIT
// The shortest use: a name and a call.

// [named_breaker]
#include <exception>
#include <stdexcept>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

int main() {
    int reached = 0;
    const auto charge = [&] {
        ++reached;
        throw std::runtime_error{"connection refused"};
    };
    for (int i = 0; i < 8; ++i) {
        try {
            fusebox::withCircuitBreaker("payments-api", charge);
        } catch (const fusebox::CircuitOpenError& error) {
            fmt::print("rejected: {}\n", error.what());
        } catch (const std::exception& error) {
            fmt::print("failed: {}\n", error.what());
        }
    }
    // Five failures in a row open the circuit; the other three calls never reach the service.
    return reached == 5 ? 0 : 1;
}
// [/named_breaker]
