// SPDX-License-Identifier: MIT
// The breakers of a process: defaults, presets, who is there, and who asked for something else.

#include <chrono>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

using namespace std::chrono_literals;

int main() {
    auto& registry = fusebox::circuitBreakerRegistry();

    // [presets]
    registry.setDefaults(fusebox::ConsecutiveFailures{3}, {.recoveryTimeout = 10s});
    registry.definePreset("external-api", fusebox::FailureRate{.threshold = 0.3},
                          {.recoveryTimeout = 30s, .requestTimeout = 5s});

    registry.create("orders-db");  // With the defaults.
    auto preset = registry.preset("external-api");
    preset.options.requestTimeout = 2s;
    registry.create("listings-api", preset.policy, preset.options);
    // [/presets]

    // [join]
    // A breaker of another clock or policy joins, to be seen and steered.
    using Breaker = fusebox::CircuitBreaker<fusebox::test::ManualClock, fusebox::FailureCount>;
    registry.add(std::make_shared<Breaker>("sensor", fusebox::FailureCount{.threshold = 2}));
    // [/join]

    // [conflict]
    std::string conflict;
    const auto subscription = registry.onConfigConflict([&](const fusebox::ConfigConflict& event) {
        conflict =
            fmt::format("{}: has {}; asked for {}", event.breaker, event.existing, event.given);
    });
    const auto query = [] {};
    fusebox::withCircuitBreaker("orders-db", query, fusebox::ConsecutiveFailures{7});
    fmt::print("{}\n\n", conflict);
    // [/conflict]

    // [all]
    registry.view("sensor")->open();
    for (const auto& stats : registry.getAllStats()) {
        fmt::print("{:<14}{:<8}{}\n", stats.name, toString(stats.state), stats.policy);
    }
    // [/all]
    return registry.getAll().size() == 3 && !conflict.empty() ? 0 : 1;
}
