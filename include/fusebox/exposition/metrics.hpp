// SPDX-License-Identifier: MIT
// All metrics of some breakers, as plain values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/exposition/metric_labels.hpp"
#include "fusebox/exposition/metric_options.hpp"
#include "fusebox/exposition/metric_table.hpp"
#include "fusebox/exposition/own_metrics.hpp"
#include "fusebox/exposition/resilience4j_metrics.hpp"
#include "fusebox/vocabulary/errors.hpp"

namespace fusebox {
namespace detail {

/// The breakers in the order of their names; of those with the same name the first.
[[nodiscard]] inline std::vector<const CircuitBreakerStats*> byName(
    std::span<const CircuitBreakerStats> all) {
    std::vector<const CircuitBreakerStats*> sorted;
    sorted.reserve(all.size());
    for (const CircuitBreakerStats& stats : all) sorted.push_back(&stats);
    const auto before = [](const auto* a, const auto* b) { return a->name < b->name; };
    const auto same = [](const auto* a, const auto* b) { return a->name == b->name; };
    std::stable_sort(sorted.begin(), sorted.end(), before);
    sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
    return sorted;
}

}  // namespace detail

/// The metrics of the breakers: the families in the order in which they are documented, the time
/// series in each by the breakers' names. A family without any is left out. No name appears twice.
/// @throws ConfigError if the options cannot work.
[[nodiscard]] inline std::vector<MetricFamily> metricFamilies(
    std::span<const CircuitBreakerStats> all, const MetricOptions& options = {}) {
    if (const auto complaint = validate(options)) {
        detail::raise(ConfigError{"MetricOptions: " + *complaint});
    }
    const auto breakers = detail::byName(all);
    std::vector<std::vector<MetricLabel>> labels;
    labels.reserve(breakers.size());
    for (const auto* stats : breakers) labels.push_back(detail::labelsOf(*stats, options));

    std::vector<MetricFamily> families;
    const auto add = [&](const std::string& prefix, const detail::MetricSpec& spec) {
        MetricFamily family{prefix + std::string{spec.name}, std::string{spec.help}, spec.type, {}};
        for (std::size_t i = 0; i < breakers.size(); ++i) {
            detail::MetricWriter writer{family, labels[i]};
            spec.write(*breakers[i], writer);
        }
        if (!family.samples.empty()) families.push_back(std::move(family));
    };
    for (const auto& spec : detail::kResilience4jMetrics) add(options.prefix, spec);
    for (const auto& spec : detail::kOwnMetrics) add(options.ownPrefix, spec);
    return families;
}

}  // namespace fusebox
