// SPDX-License-Identifier: MIT
// What a configuration means to the cycle.
#pragma once

#include <memory>
#include <utility>

#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/policy_words.hpp"
#include "fusebox/breaker/probe_slots.hpp"
#include "fusebox/breaker/recovery_wait.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/policy/trip_policy.hpp"

namespace fusebox::detail {

/// The parts of a cycle that a policy and options bring along. Made before the mutex is taken,
/// since that allocates; the cycle swaps them for its own.
template <class Tracker>
struct CycleRules {
    template <class Policy>
    CycleRules(const Policy& policy, const CircuitBreakerOptions& options, PolicyWords policyWords)
        : words(std::move(policyWords)),
          tracker(std::make_unique<Tracker>(policy)),
          needs(needsOf(std::as_const(*tracker))),
          wait(options),
          slots(options.halfOpenLimit, effectiveProbeTimeout(options)),
          successThreshold(options.successThreshold),
          instruments{.measured = options.measureLatency,
                      .tracked = options.trackInFlight,
                      .ticks = needs.ticks,
                      .preciseTicks = needs.ticks && needs.preciseTicks,
                      .successes = needs.successes,
                      .watched = options.detectOverdue},
          requestTimeout(options.requestTimeout) {}

    PolicyWords words;
    std::unique_ptr<Tracker> tracker;
    TrackerNeeds needs;
    RecoveryWait wait;
    ProbeSlots slots;
    int successThreshold;
    Instruments instruments;
    std::chrono::nanoseconds requestTimeout;
};

}  // namespace fusebox::detail
