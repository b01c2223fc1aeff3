// SPDX-License-Identifier: MIT
// A configuration before it is in force.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "fusebox/breaker/configuration.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

[[nodiscard]] inline ConfigError complaintAbout(const std::string& name,
                                                const std::string& complaint) {
    return ConfigError{"circuit breaker \"" + name + "\": " + complaint};
}

/// A configuration that can work, and what it means to the state machine.
template <class Policy, class Rules>
struct Draft {
    using Config = Configuration<Policy>;
    using Handle = std::shared_ptr<const Config>;

    /// @throws ConfigError if it cannot work.
    Draft(const std::string& name, Policy policy, CircuitBreakerOptions options)
        : config(checked(name, std::move(policy), std::move(options))),
          rules(config->policy, config->options, config),
          slowerThan(rules.needs.slowerThan) {
        if (!config->options.measureLatency && slowerThan != kForever) {
            raise(complaintAbout(name, complain("measureLatency", "false",
                                                "true with a policy that decides on slow calls")));
        }
    }

    Handle config;
    Rules rules;
    std::chrono::nanoseconds slowerThan;

private:
    [[nodiscard]] static Handle checked(const std::string& name, Policy policy,
                                        CircuitBreakerOptions options) {
        const Complaint complaint = firstOf(
            name.empty() ? Complaint{complain("name", "empty", "a text of at least one character")}
                         : std::nullopt,
            complaintOf(policy), validate(options));
        if (complaint) raise(complaintAbout(name, *complaint));
        return std::make_shared<const Config>(std::move(policy), std::move(options));
    }
};

}  // namespace fusebox::detail
