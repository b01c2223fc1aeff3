// SPDX-License-Identifier: MIT
// What listeners are told. Each event is a plain value.
#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <string_view>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox {

/// What all events have. `breaker` is a view into the breaker: copy it to keep it.
struct Event {
    std::string_view breaker{};
    std::chrono::system_clock::time_point time{};
};

/// The cycle made a transition. `snapshot` is the breaker just before it: what led to it.
struct StateChanged : Event {
    CircuitState from = CircuitState::Closed;
    CircuitState to = CircuitState::Closed;
    TransitionReason reason = TransitionReason::PolicyTripped;
    CircuitBreakerStats snapshot{};
};

/// `setMode` changed the mode.
struct ModeChanged : Event {
    ControlMode from = ControlMode::Automatic;
    ControlMode to = ControlMode::Automatic;
};

/// `reconfigure` gave the breaker another policy or other options: both before and after, in words.
struct Reconfigured : Event {
    std::string previous{};
    std::string current{};
};

/// `reset()` returned the breaker to its beginning.
struct WasReset : Event {};

/// A call succeeded. In every event `elapsed` is 0 when it was neither measured nor reported.
struct CallSucceeded : Event {
    std::chrono::nanoseconds elapsed{0};
};

/// A call failed. `error` is null when a result was judged, or a permit reported.
struct CallFailed : Event {
    std::chrono::nanoseconds elapsed{0};
    std::exception_ptr error{};
};

/// A call ended after its deadline, or was reported as a timeout.
struct CallTimedOut : Event {
    std::chrono::nanoseconds elapsed{0};
};

/// A call was not admitted.
struct CallRejected : Event {
    Rejection rejection{};
};

/// A call was judged neutral.
struct CallIgnored : Event {
    std::chrono::nanoseconds elapsed{0};
};

/// A call took at least the policy's `slowerThan`, however it ended.
struct SlowCall : Event {
    std::chrono::nanoseconds elapsed{0};
    Outcome outcome = Outcome::Success;
};

}  // namespace fusebox
