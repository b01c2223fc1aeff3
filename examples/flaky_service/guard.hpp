// SPDX-License-Identifier: MIT
// The guarded way to ask the service, and a record of what the breaker did.
#pragma once

#include <fusebox/breaker/events.hpp>

#include <mutex>
#include <string_view>
#include <vector>

#include "script.hpp"
#include "service_client.hpp"

namespace flaky {

struct Transition {
    Clock::time_point time;
    fusebox::CircuitState from;
    fusebox::CircuitState to;
    fusebox::TransitionReason reason;
};

/// Must outlive every call. Guards one named breaker of the process, so there is one of it.
class Guard {
public:
    static constexpr std::string_view kName = "flaky-service";
    static constexpr milliseconds kRecoveryTimeout = 500ms;

    Guard() = default;
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

    /// Asks the service unless the breaker says no.
    [[nodiscard]] Response call(ServiceClient& client);

    [[nodiscard]] fusebox::CircuitState state() const;
    [[nodiscard]] std::vector<Transition> transitions() const;

private:
    void note(const fusebox::StateChanged& change);

    mutable std::mutex mutex_;
    std::vector<Transition> transitions_;
};

}  // namespace flaky
