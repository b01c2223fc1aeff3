// SPDX-License-Identifier: MIT
// Keys and values that say whose a breaker is: team, region, tier.
#pragma once

#include <map>
#include <string>

#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// Keys (not empty) and values, sorted by key. They travel from the options into the statistics and
/// mean nothing to the breaker.
using Tags = std::map<std::string, std::string>;

namespace detail {

/// A complaint unless every key has at least one character.
[[nodiscard]] inline Complaint requireKeys(const Tags& tags) {
    // They are sorted: an empty key is the first.
    if (tags.empty() || !tags.begin()->first.empty()) return std::nullopt;
    return complain("tags", "a value without a key (\"" + tags.begin()->second + "\")",
                    "keys of at least one character");
}

/// "region=eu, team=payments"
[[nodiscard]] inline std::string toText(const Tags& tags) {
    std::string text;
    for (const auto& [key, value] : tags) {
        if (!text.empty()) text += ", ";
        text.append(key).append("=").append(value);
    }
    return text;
}

}  // namespace detail
}  // namespace fusebox
