// SPDX-License-Identifier: MIT
// What a thread knows of the others: how far each of them had come.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace fusebox::model {

/// Thread 0 prepares and judges, before and after the others.
inline constexpr std::size_t kThreads = 4;

/// The number of an access of one thread, from 1.
using Time = std::uint32_t;

class VectorClock {
public:
    [[nodiscard]] Time operator[](std::size_t thread) const noexcept { return times_[thread]; }
    Time tick(std::size_t thread) noexcept { return ++times_[thread]; }
    void note(std::size_t thread, Time time) noexcept {
        times_[thread] = std::max(times_[thread], time);
    }
    void join(const VectorClock& other) noexcept {
        for (std::size_t t = 0; t < kThreads; ++t) times_[t] = std::max(times_[t], other.times_[t]);
    }
    [[nodiscard]] bool knows(std::size_t thread, Time time) const noexcept {
        return time <= times_[thread];
    }

private:
    std::array<Time, kThreads> times_{};
};

}  // namespace fusebox::model
