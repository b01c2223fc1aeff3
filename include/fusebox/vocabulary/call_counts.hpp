// SPDX-License-Identifier: MIT
// How many calls, how many of them failed, how many were slow; and the rates that follow.
#pragma once

#include <cstdint>
#include <optional>

namespace fusebox {

/// Counts of the calls in a window. Timeouts are failures; a call may be failed and slow at once.
struct CallCounts {
    std::uint64_t calls = 0;
    std::uint64_t failures = 0;
    std::uint64_t slow = 0;

    /// The share of failures, 0..1; empty while there are fewer than `minimumCalls` calls, or none.
    [[nodiscard]] constexpr std::optional<double> failureRate(
        std::uint64_t minimumCalls = 1) const noexcept {
        return rate(failures, minimumCalls);
    }

    /// The share of slow calls, 0..1; empty while there are fewer than `minimumCalls`, or none.
    [[nodiscard]] constexpr std::optional<double> slowCallRate(
        std::uint64_t minimumCalls = 1) const noexcept {
        return rate(slow, minimumCalls);
    }

    friend bool operator==(const CallCounts&, const CallCounts&) = default;

private:
    [[nodiscard]] constexpr std::optional<double> rate(std::uint64_t hits,
                                                       std::uint64_t minimumCalls) const noexcept {
        if (calls == 0 || calls < minimumCalls) return std::nullopt;
        // A quotient, not a product with the threshold: 7 of 100 then compares equal to 0.07.
        return static_cast<double>(hits) / static_cast<double>(calls);
    }
};

}  // namespace fusebox
