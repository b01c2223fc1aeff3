// SPDX-License-Identifier: MIT
// The probes in flight of a half-open breaker, and when the oldest of them is presumed lost.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

/// One slot a probe, numbered from 1. Used under the breaker's mutex; never allocates after
/// construction.
class ProbeSlots {
public:
    ProbeSlots(int limit, std::chrono::nanoseconds timeout)
        : starts_(static_cast<std::size_t>(limit), kFree), timeout_(timeout) {}

    [[nodiscard]] int limit() const noexcept { return static_cast<int>(starts_.size()); }

    /// Takes a free slot for a probe that begins now.
    /// @pre fewer than `limit()` slots are taken.
    [[nodiscard]] int take(std::chrono::nanoseconds now) noexcept {
        std::size_t slot = 0;
        while (starts_[slot] != kFree) ++slot;
        starts_[slot] = now;
        return static_cast<int>(slot) + 1;
    }

    void release(int slot) noexcept { starts_[static_cast<std::size_t>(slot) - 1] = kFree; }
    void clear() noexcept {
        for (auto& start : starts_) start = kFree;
    }

    /// The last instant at which no probe is lost; never, without probes.
    [[nodiscard]] std::chrono::nanoseconds lease() const noexcept {
        static_assert(kFree == kForever, "no other start is later");
        auto oldest = kFree;
        for (const auto start : starts_) oldest = std::min(oldest, start);
        return saturatingAdd(oldest, timeout_);
    }

private:
    static constexpr std::chrono::nanoseconds kFree = kForever;

    std::vector<std::chrono::nanoseconds> starts_;
    std::chrono::nanoseconds timeout_;
};

}  // namespace fusebox::detail
