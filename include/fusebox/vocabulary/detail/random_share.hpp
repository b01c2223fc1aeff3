// SPDX-License-Identifier: MIT
// A number from [0, 1), to spread what would else happen in step.
#pragma once

#include <chrono>
#include <cstdint>

namespace fusebox::detail {

/// SplitMix64 (Steele, Lea, Flood 2014) over the time of each draw, so that processes forked from
/// one parent, whose generators begin alike, do not draw alike. Not for more than one thread at a
/// time, and not for secrets.
class RandomShare {
public:
    /// A number from [0, 1).
    [[nodiscard]] double draw() noexcept {
        const auto time = std::chrono::steady_clock::now().time_since_epoch().count();
        state_ += static_cast<std::uint64_t>(time) + 0x9e3779b97f4a7c15U;
        std::uint64_t z =
            state_ ^ static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
    }

private:
    std::uint64_t state_ = 0;
};

}  // namespace fusebox::detail
