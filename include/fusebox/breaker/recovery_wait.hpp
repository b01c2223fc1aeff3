// SPDX-License-Identifier: MIT
// How long an open breaker waits: backoff, its bound, and jitter.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "fusebox/breaker/options.hpp"
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
        return wait - saturatingMultiply(wait, jitter_ * uniform());
    }

private:
    /// A number from [0, 1): SplitMix64 (Steele, Lea, Flood 2014) over the time of the draw, so
    /// that processes forked from one parent, whose generators begin alike, do not wait alike.
    [[nodiscard]] double uniform() noexcept {
        const auto time = std::chrono::steady_clock::now().time_since_epoch().count();
        state_ += static_cast<std::uint64_t>(time) + 0x9e3779b97f4a7c15U;
        std::uint64_t z =
            state_ ^ static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
    }

    std::chrono::nanoseconds first_;
    std::chrono::nanoseconds most_;
    double backoff_;
    double jitter_;
    std::uint64_t state_ = 0;
};

}  // namespace fusebox::detail
