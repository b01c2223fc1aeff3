// SPDX-License-Identifier: MIT
// Trip policies and options for {fmt}: in words, under any spec of a string.
//
// needs: fmt
#pragma once

#include <fmt/format.h>

#include "fusebox/breaker/options.hpp"
#include "fusebox/exposition/word_formatter.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/policy/composite.hpp"
#include "fusebox/policy/consecutive_failures.hpp"
#include "fusebox/policy/cusum.hpp"
#include "fusebox/policy/failure_count.hpp"
#include "fusebox/policy/failure_rate.hpp"
#include "fusebox/policy/slow_call_rate.hpp"
#include "fusebox/registry/presets.hpp"

template <>
struct fmt::formatter<fusebox::ConsecutiveFailures> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::FailureCount> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::FailureRate> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::SlowCallRate> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::Cusum> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::AnyTripPolicy> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::CircuitBreakerOptions> : fusebox::detail::WordFormatter {};

/// What `anyOf` and `allOf` make.
template <fusebox::detail::Combination How, class... Policies>
struct fmt::formatter<fusebox::detail::CompositePolicy<How, Policies...>>
    : fusebox::detail::WordFormatter {};

/// The policy, then the options.
template <>
struct fmt::formatter<fusebox::BreakerPreset> : fusebox::detail::TextFormatter {
    template <class Context>
    auto format(const fusebox::BreakerPreset& preset, Context& context) const {
        return formatText(toString(preset.policy) + "; " + toString(preset.options), context);
    }
};
