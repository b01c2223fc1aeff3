// SPDX-License-Identifier: MIT
// Small numbers for threads, so that they can spread over a few counters.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// Gives out the smallest number that is free. So the threads that are alive have numbers close to
/// each other, whatever others came and went. Beyond 1024 at once numbers are shared.
class ThreadNumbers {
public:
    static constexpr std::uint32_t kMost = 1024;

    [[nodiscard]] std::uint32_t take() noexcept {
        const std::uint32_t number = takeBelow(kMost);
        if (number < kMost) return number;
        // relaxed, as everywhere here: only distinctness matters, which the values themselves give.
        return kMost + beyond_.fetch_add(1, std::memory_order_relaxed);
    }

    /// Takes the smallest number that is free, if it is below `limit`; else returns `limit`.
    [[nodiscard]] std::uint32_t takeBelow(std::uint32_t limit) noexcept {
        std::uint32_t first = 0;
        for (auto& taken : taken_) {
            std::uint64_t seen = taken.load(std::memory_order_relaxed);
            while (seen != kFull) {
                const int bit = std::countr_one(seen);
                const std::uint32_t number = first + static_cast<std::uint32_t>(bit);
                if (number >= limit) return limit;
                if (taken.compare_exchange_weak(seen, seen | std::uint64_t{1} << bit,
                                                std::memory_order_relaxed,
                                                std::memory_order_relaxed)) {
                    return number;
                }
            }
            first += 64;
        }
        return limit;
    }

    void giveBack(std::uint32_t number) noexcept {
        if (number >= kMost) return;
        taken_[number / 64].fetch_and(~(std::uint64_t{1} << number % 64),
                                      std::memory_order_relaxed);
    }

private:
    static constexpr std::uint64_t kFull = ~std::uint64_t{0};

    std::array<std::atomic<std::uint64_t>, kMost / 64> taken_{};
    std::atomic<std::uint32_t> beyond_{0};
};

/// Those of the process: constant-initialised, and never destroyed in effect.
inline constinit ThreadNumbers threadNumbers{};

/// A number of one thread for as long as it lives, or until there is a smaller one.
class OwnThreadNumber {
public:
    OwnThreadNumber() noexcept : number_(threadNumbers.take()) {}
    OwnThreadNumber(const OwnThreadNumber&) = delete;
    OwnThreadNumber& operator=(const OwnThreadNumber&) = delete;
    ~OwnThreadNumber() { threadNumbers.giveBack(number_); }

    [[nodiscard]] std::uint32_t get() const noexcept { return number_; }

    /// Moves to the smallest number that has become free, if it is smaller than this.
    void closeUp() noexcept {
        const std::uint32_t smaller = threadNumbers.takeBelow(number_);
        if (smaller == number_) return;
        threadNumbers.giveBack(number_);
        number_ = smaller;
    }

private:
    std::uint32_t number_;
};

// Trivially destructible and constant-initialised, so that reading it costs one load and works
// during thread exit: a call there may share the number of a later thread, which does no harm.
inline constinit thread_local std::uint32_t threadNumber{};

/// The number of this thread: 0 until it asks for one of its own, as soon as it meets another
/// thread where their number makes the difference.
[[nodiscard]] FUSEBOX_HOT std::uint32_t thisThreadNumber() noexcept {
    return threadNumber;
}

/// Not 0, and of no other thread that is alive.
[[nodiscard]] inline std::uintptr_t thisThreadIdentity() noexcept {
    const std::uint32_t number = thisThreadNumber();
    return number != 0 ? number : reinterpret_cast<std::uintptr_t>(&threadNumber);
}

/// Gives this thread a number from 1, unlike that of every other thread that is alive and has one:
/// a smaller one than it had, where others have ended since. Else two that are left over from many,
/// say the first and the third, would share one of two counters while the other is free.
FUSEBOX_COLD inline void numberThisThread() noexcept {
    static thread_local OwnThreadNumber own;
    own.closeUp();
    threadNumber = own.get() + 1;
}

}  // namespace fusebox::detail
