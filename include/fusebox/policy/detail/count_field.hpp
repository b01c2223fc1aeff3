// SPDX-License-Identifier: MIT
// The fields that count calls or failures, and their bounds.
#pragma once

#include <algorithm>
#include <string_view>

#include "fusebox/vocabulary/validation.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox::detail {

/// The largest number of failures that a policy may wait for, or of calls that it may ask for.
inline constexpr int kMaxThreshold = 1'000'000;

/// A count of 1 to `kMaxThreshold`.
[[nodiscard]] inline Complaint requireThreshold(std::string_view field, int value) {
    return requireCount(field, value, 1, kMaxThreshold);
}

/// A count of 1 to `kMaxThreshold`, and no more than the calls that `window` can hold.
[[nodiscard]] inline Complaint requireThreshold(std::string_view field, int value,
                                                const Window& window) {
    // A window below 1 is refused for itself.
    const bool bounded = !window.isTime() && window.calls() >= 1;
    return requireCount(field, value, 1,
                        bounded ? std::min(window.calls(), kMaxThreshold) : kMaxThreshold);
}

}  // namespace fusebox::detail
