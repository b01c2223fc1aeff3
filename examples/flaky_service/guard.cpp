// SPDX-License-Identifier: MIT

#include "guard.hpp"

#include <fusebox/fusebox.hpp>

#include <string>

#include <fmt/format.h>

#include "latency.hpp"

namespace flaky {

Response Guard::call(ServiceClient& client) {
    return fusebox::withCircuitBreaker(
        kName,
        [&](const fusebox::CallContext& context) { return client.work(context.remaining()); },
        // Half of the last 40 calls: one hiccup that hits all eight callers is not an outage.
        fusebox::FailureRate{
            .threshold = 0.5, .minimumCalls = 20, .window = fusebox::lastCalls(40)},
        // One probe at a time, three good ones in a row: gentle to a service that is getting up.
        {.recoveryTimeout = kRecoveryTimeout,
         .recoveryJitter = 0.1,
         .successThreshold = 3,
         .halfOpenLimit = 1,
         .requestTimeout = kCallTimeout,
         .onStateChange = [this](const fusebox::StateChanged& change) { note(change); }});
}

fusebox::CircuitState Guard::state() const {
    const auto breaker = fusebox::circuitBreakerRegistry().get(kName);
    return breaker ? breaker->state() : fusebox::CircuitState::Closed;
}

std::vector<Transition> Guard::transitions() const {
    const std::lock_guard lock{mutex_};
    return transitions_;
}

void Guard::note(const fusebox::StateChanged& change) {
    const Clock::time_point now = Clock::now();
    const std::lock_guard lock{mutex_};
    std::string why;
    if (change.reason == fusebox::TransitionReason::PolicyTripped) {
        why = fmt::format(": {} of the last {} calls failed", change.snapshot.windowFailures,
                          change.snapshot.windowCalls);
    } else if (!transitions_.empty()) {
        why = " after " + inWords(now - transitions_.back().time);
    }
    transitions_.push_back({now, change.from, change.to, change.reason});
    fmt::print("{:>20}{} -> {} ({}){}\n", "", toString(change.from), toString(change.to),
               toString(change.reason), why);
}

}  // namespace flaky
