// SPDX-License-Identifier: MIT
// The steady clock's time line, read from a counter by many threads.
#pragma once

#include <cstdint>
#include <mutex>

#include "fusebox/vocabulary/detail/latched.hpp"
#include "fusebox/vocabulary/detail/tick_line.hpp"
#include "fusebox/vocabulary/detail/tick_steering.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The time is a function of the counter alone: every thread reads the same line, or an older one
/// that says the same. So it goes back only where the counter does, from one thread to the next.
///
/// In the second half of its second piece a line is followed by the next: one of the threads that
/// come by draws it, the others read on. Only where nobody came by in that half (8 ms) the first
/// waits for a reading of the steady clock, and those who come at that very moment wait for it.
/// @tparam Counter has `ticks()`, and `steady()` in nanoseconds.
template <class Counter, class Platform = StdPlatform>
class TickTimeline {
public:
    TickTimeline(const Counter& counter, const TickSteering& steering) noexcept
        : line_(steering.start()), counter_(counter), steering_(steering) {}

    /// The nanoseconds of a reading of the counter that was just taken.
    [[nodiscard]] FUSEBOX_HOT std::int64_t at(std::uint64_t ticks) noexcept {
        const TickLine line = line_.load();
        const std::uint64_t age = line.age(ticks);
        if (line.isYoung(age)) [[likely]]
            return line.at(age);
        return atLate(ticks);
    }

private:
    static constexpr int kAttempts = 3;

    /// Where the line grows old, has been overtaken, or is over.
    FUSEBOX_COLD std::int64_t atLate(std::uint64_t ticks) noexcept {
        const TickLine line = line_.load();
        const std::uint64_t age = line.age(ticks);
        if (!line.covers(age)) return nowWithoutLine();
        if (line.isOld(age)) {
            const std::unique_lock lock{mutex_, std::try_to_lock};
            // Whoever had the lock before may have seen to it.
            if (lock.owns_lock() && line_.load().begin == line.begin) {
                line_.store(steering_.extend(line, takeSample(counter_, kAttempts)));
            }
        }
        return line.at(age);
    }

    FUSEBOX_COLD std::int64_t nowWithoutLine() noexcept {
        const std::lock_guard lock{mutex_};
        TickLine line = line_.load();
        const std::uint64_t age = line.age(counter_.ticks());
        if (line.covers(age)) return line.at(age);
        line = steering_.restart(line, takeSample(counter_, kAttempts));
        line_.store(line);
        return line.first.base;
    }

    Latched<TickLine, Platform> line_;
    alignas(kCacheLine) typename Platform::Mutex mutex_;
    [[no_unique_address]] Counter counter_;
    TickSteering steering_;
};

}  // namespace fusebox::detail
