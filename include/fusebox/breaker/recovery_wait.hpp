// SPDX-License-Identifier: MIT
// How long an open breaker waits: backoff, its bound, and jitter.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "fusebox/breaker/options.hpp"
#include "fusebox/vocabulary/detail/random_share.hpp"
#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

/// Draws recovery waits. Used under the breaker's mutex.
class RecoveryWait {
public:
    explicit RecoveryWait(const CircuitBreakerOptions& options)
        : first_(options.recoveryTimeout),
          most_(effectiveMaxRecoveryTimeout(options)),
          backoff_(options.recoveryBackoff),
          jitter_(options.recoveryJitter) {}

    /// The wait after `reopenings` reopenings without a close in between.
    [[nodiscard]] std::chrono::nanoseconds draw(std::uint64_t reopenings) noexcept {
        const double factor = std::pow(backoff_, static_cast<double>(reopenings));
        const auto wait = std::min(saturatingMultiply(first_, factor), most_);
        if (jitter_ == 0.0 || wait == kForever) return wait;
        return wait - saturatingMultiply(wait, jitter_ * random_.draw());
    }

private:
    std::chrono::nanoseconds first_;
    std::chrono::nanoseconds most_;
    double backoff_;
    double jitter_;
    RandomShare random_;
};

}  // namespace fusebox::detail
