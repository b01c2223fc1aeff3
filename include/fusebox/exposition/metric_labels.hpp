// SPDX-License-Identifier: MIT
// The labels of a breaker's time series.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/exposition/metric_options.hpp"

namespace fusebox::detail {

/// How many bytes the UTF-8 character has that `text` begins with; 0 if it begins with none.
[[nodiscard]] constexpr std::size_t utf8Length(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80U) return 1;
    // The lowest and highest second byte exclude overlong forms, surrogates and what is too large.
    unsigned char least = 0x80U;
    unsigned char most = 0xbfU;
    std::size_t length = 0;
    if (first >= 0xc2U && first <= 0xdfU) {
        length = 2;
    } else if (first >= 0xe0U && first <= 0xefU) {
        length = 3;
        if (first == 0xe0U) least = 0xa0U;
        if (first == 0xedU) most = 0x9fU;
    } else if (first >= 0xf0U && first <= 0xf4U) {
        length = 4;
        if (first == 0xf0U) least = 0x90U;
        if (first == 0xf4U) most = 0x8fU;
    }
    if (length == 0 || text.size() < length || byte(1) < least || byte(1) > most) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return 0;
    }
    return length;
}

/// The text in UTF-8: a byte that is none becomes the four characters \xNN, so that different names
/// stay different.
[[nodiscard]] inline std::string toUtf8(std::string_view text) {
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = utf8Length(text);
        if (length > 0) {
            valid.append(text.substr(0, length));
        } else {
            const auto byte = static_cast<unsigned char>(text.front());
            valid.append({'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]});
            length = 1;
        }
        text.remove_prefix(length);
    }
    return valid;
}

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
