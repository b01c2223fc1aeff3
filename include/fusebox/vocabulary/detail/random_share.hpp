// SPDX-License-Identifier: MIT
// A number from [0, 1), to spread what would else happen in step.
#pragma once

#include <chrono>
#include <cstdint>

namespace fusebox::detail {

/// What SplitMix64 makes of a state (Steele, Lea, Flood 2014, with the constants of Vigna's
/// splitmix64.c): on average each bit of it changes half of the bits.
[[nodiscard]] constexpr std::uint64_t splitMix64(std::uint64_t z) noexcept {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

/// SplitMix64 over the time of each draw, so that processes forked from one parent, whose
/// generators begin alike, do not draw alike. Not for more than one thread at a time, and not for
/// secrets.
class RandomShare {
public:
    /// A number from [0, 1).
    [[nodiscard]] double draw() noexcept {
        const auto time = std::chrono::steady_clock::now().time_since_epoch().count();
        state_ += static_cast<std::uint64_t>(time) + 0x9e3779b97f4a7c15U;
        const auto self = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
        return static_cast<double>(splitMix64(state_ ^ self) >> 11) * 0x1.0p-53;
    }

private:
    std::uint64_t state_ = 0;
};

}  // namespace fusebox::detail
