// SPDX-License-Identifier: MIT
// Steering by hand: trip and close now, and modes that stay until they are changed.

#include <chrono>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;
using fusebox::ControlMode;

namespace {

/// Whether a call gets through.
bool admits(auto& breaker) {
    return breaker.execute([] { return true; }, fusebox::fallback([] { return false; }));
}

}  // namespace

int main() {
    fusebox::CircuitBreaker breaker{"billing", {.recoveryTimeout = 30s}};
    bool ok = true;
    const auto show = [&](const char* what, bool admitted) {
        const bool now = admits(breaker);
        fmt::print("{:<24} {:<10} admits: {}\n", what, toString(breaker.state()), now);
        ok = ok && now == admitted;
    };

    // [open_close]
    breaker.open();  // As if the policy had tripped: probes after 30 s.
    show("open()", false);
    breaker.close();  // As if the probes had succeeded.
    show("close()", true);
    breaker.open(5min);  // This once, probes after five minutes.
    show("open(5min)", false);
    breaker.reset();  // Closed, and every statistic as in a new breaker.
    show("reset()", true);
    // [/open_close]

    // [modes]
    breaker.setMode(ControlMode::ForcedOpen);  // Maintenance: nothing goes through.
    show("ForcedOpen", false);
    breaker.setMode(ControlMode::ForcedClosed);  // Everything goes through, nothing trips.
    show("ForcedClosed", true);
    breaker.setMode(ControlMode::Shadow);  // Everything goes through; would it have?
    breaker.open();
    show("Shadow, open", true);
    fmt::print("would have rejected {}\n", breaker.stats().totalShadowRejected);
    breaker.setMode(ControlMode::Automatic);  // The cycle goes on where it stands.
    show("Automatic, open", false);
    // [/modes]
    return ok ? 0 : 1;
}
