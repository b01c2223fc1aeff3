// SPDX-License-Identifier: MIT
// One listener for all breakers of a registry, and a log of what happened last.

#include <exception>
#include <stdexcept>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

namespace {

void fail(fusebox::NamedCircuitBreaker& breaker) {
    try {
        breaker.execute([] { throw std::runtime_error{"no route to host"}; });
    } catch (const std::exception& error) {
        fmt::print("caller: {}\n", error.what());
    }
}

}  // namespace

int main() {
    fusebox::CircuitBreakerRegistry registry;
    int opened = 0;

    // [registry_wide]
    // Those that are there, and those that come.
    const auto subscription =
        registry.on<fusebox::StateChanged>([&](const fusebox::StateChanged& event) {
            if (event.to == fusebox::CircuitState::Open) ++opened;
        });
    // [/registry_wide]

    // [event_log]
    const fusebox::EventLog log{registry, 100};  // Holds the last 100 events.
    const auto breaker =
        registry.create("mail", fusebox::ConsecutiveFailures{2}, {.tags = {{"team", "support"}}});
    for (int i = 0; i < 2; ++i) fail(*breaker);
    breaker->reset();

    for (const auto& event : log.events()) {
        fmt::print("{} {} {}: {}\n", event.sequence, event.breaker, toString(event.kind),
                   event.text);
    }
    // [/event_log]
    return opened == 1 && !log.events().empty() ? 0 : 1;
}
