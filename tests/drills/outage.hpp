// SPDX-License-Identifier: MIT
// An outage to go through: what fails, and who is guarded how.
#pragma once

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "drills/fault.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/policy/any_trip_policy.hpp"

namespace fusebox::test {

/// How callers use the breaker.
enum class Form { Remaining, StopToken, Permit, Fallback };

struct Outage {
    std::string name;
    FaultScript script;
    AnyTripPolicy policy;
    CircuitBreakerOptions options;
    /// The breaker opens after at most so many calls of the kind that the policy decides on, and
    /// those that other callers have in flight; 0: it must not open.
    int evidence = 0;
    int threads = 4;
    std::chrono::milliseconds length{250};
    Form form = Form::Remaining;

    /// Whether each admitted call is one request at the proxy, whatever happens to it there.
    [[nodiscard]] bool everyRequestArrives() const {
        return form != Form::StopToken &&
               std::ranges::none_of(script.steps, [](const FaultScript::Step& step) {
                   return step.fault.breaksConnections();
               });
    }
};

/// The longest that a caller waits between two calls, and the shortest.
inline constexpr std::chrono::milliseconds kLongestPause{12};
inline constexpr std::chrono::milliseconds kShortestPause{4};

/// All of them.
[[nodiscard]] std::vector<Outage> outages();

}  // namespace fusebox::test
