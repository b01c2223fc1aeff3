// SPDX-License-Identifier: MIT
// How metrics are named and labelled.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>

#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// Names and labels of metrics. The defaults are what dashboards for resilience4j ask for.
struct MetricOptions {
    /// Before the names that resilience4j has, too.
    std::string prefix = "resilience4j_circuitbreaker_";
    /// Before the names that only this library has.
    std::string ownPrefix = "fusebox_circuitbreaker_";
    /// Given to every time series, such as {"application", "shop"}.
    std::map<std::string, std::string> labels{};
    /// Whether a breaker's tags become labels of its time series.
    bool tagsAsLabels = true;
};

namespace detail {

/// Labels that the metrics themselves have, or that Prometheus gives.
inline constexpr std::array<std::string_view, 11> kReservedLabels{
    "name", "kind", "state", "mode", "outcome", "from", "to", "le", "quantile", "job", "instance"};

[[nodiscard]] constexpr bool isMetricLetter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
[[nodiscard]] constexpr bool isDigit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Letters, digits and underscores, not a digit first; `also` is allowed, too.
[[nodiscard]] constexpr bool isMetricName(std::string_view name, char also = '_') noexcept {
    if (name.empty() || isDigit(name.front())) return false;
    return std::ranges::all_of(
        name, [&](char c) { return isMetricLetter(c) || isDigit(c) || c == also; });
}

[[nodiscard]] constexpr bool isReservedLabel(std::string_view name) noexcept {
    return name.starts_with("__") || std::ranges::count(kReservedLabels, name) > 0;
}

}  // namespace detail

/// What is wrong with the options: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const MetricOptions& options) {
    const auto requirePrefix = [](std::string_view field, const std::string& prefix) -> Complaint {
        if (detail::isMetricName(prefix, ':')) return std::nullopt;
        return detail::complain(field, '"' + prefix + '"',
                                "letters, digits, underscores and colons, not a digit first");
    };
    if (auto complaint = requirePrefix("prefix", options.prefix)) return complaint;
    if (auto complaint = requirePrefix("ownPrefix", options.ownPrefix)) return complaint;
    if (options.prefix == options.ownPrefix) {
        return detail::complain("ownPrefix", '"' + options.ownPrefix + '"', "another than prefix");
    }
    for (const auto& [name, value] : options.labels) {
        if (!detail::isMetricName(name) || detail::isReservedLabel(name)) {
            return detail::complain("labels", '"' + name + '"',
                                    "letters, digits and underscores, not a digit first, and no "
                                    "name that metrics have themselves");
        }
    }
    return std::nullopt;
}

}  // namespace fusebox
