// SPDX-License-Identifier: MIT
// Sentences about configuration fields that cannot work: the field, the value, what is allowed.
#pragma once

#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "fusebox/vocabulary/text.hpp"

namespace fusebox {

/// The sentence that says what is wrong with a configuration; empty if nothing is.
using Complaint = std::optional<std::string>;

namespace detail {

/// "field is value; allowed: allowed".
[[nodiscard]] inline std::string complain(std::string_view field, std::string_view value,
                                          std::string_view allowed) {
    std::string text{field};
    return text.append(" is ").append(value).append("; allowed: ").append(allowed);
}

/// A count within [least, most].
[[nodiscard]] inline Complaint requireCount(std::string_view field, std::int64_t value,
                                            std::int64_t least, std::int64_t most) {
    if (value >= least && value <= most) return std::nullopt;
    return complain(field, std::to_string(value),
                    std::to_string(least) + " to " + std::to_string(most));
}

/// A rate within (0, 1].
[[nodiscard]] inline Complaint requireRate(std::string_view field, double value) {
    if (value > 0.0 && value <= 1.0) return std::nullopt;  // false for NaN
    return complain(field, toText(value), "a number above 0 and at most 1");
}

/// A duration above zero; "never" is one.
[[nodiscard]] inline Complaint requirePositive(std::string_view field,
                                               std::chrono::nanoseconds value) {
    if (value > std::chrono::nanoseconds::zero()) return std::nullopt;
    return complain(field, toText(value), "a duration above 0");
}

/// The first complaint of several, in the order of the fields.
template <std::same_as<Complaint>... More>
[[nodiscard]] Complaint firstOf(Complaint first, More... more) {
    ((first ? void() : first.swap(more)), ...);
    return first;
}

}  // namespace detail
}  // namespace fusebox
