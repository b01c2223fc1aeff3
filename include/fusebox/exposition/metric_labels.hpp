// SPDX-License-Identifier: MIT
// The labels of a breaker's time series.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/exposition/metric_options.hpp"
#include "fusebox/vocabulary/utf8.hpp"

namespace fusebox::detail {

/// A tag's key as the name of a label.
[[nodiscard]] inline std::string labelNameOf(std::string_view key) {
    std::string name{key};
    for (char& c : name) {
        if (!isMetricLetter(c) && !isDigit(c)) c = '_';
    }
    const bool taken = name.empty() || isDigit(name.front()) || isReservedLabel(name);
    return taken ? "tag_" + name : name;
}

/// What every time series of a breaker is labelled with: its name, the labels of the options, its
/// tags. Of tags whose keys become the same name the first is kept.
[[nodiscard]] inline std::vector<MetricLabel> labelsOf(const CircuitBreakerStats& stats,
                                                       const MetricOptions& options) {
    std::vector<MetricLabel> labels{{"name", toUtf8(stats.name)}};
    const auto add = [&](std::string name, std::string_view value) {
        const auto same = [&](const MetricLabel& label) { return label.name == name; };
        if (std::ranges::any_of(labels, same)) return;
        labels.push_back({std::move(name), toUtf8(value)});
    };
    for (const auto& [name, value] : options.labels) add(name, value);
    if (!options.tagsAsLabels) return labels;
    for (const auto& [key, value] : stats.tags) add(labelNameOf(key), value);
    return labels;
}

}  // namespace fusebox::detail
