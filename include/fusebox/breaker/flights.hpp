// SPDX-License-Identifier: MIT
// The calls in flight of one breaker, by when they began: which of them take too long.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/thread_number.hpp"

namespace fusebox::detail {

/// Counts calls by the slice of time in which they began, a sixteenth of the deadline. Each call is
/// told apart once: either it ends here in time, or `takeOverdue` takes it, together with all
/// others of its slice, once all of them are over their deadline. Calls of another epoch than the
/// slice's are nobody's any more.
///
/// Threads spread over lanes as they do over shards. A call keeps the number of its lane, since it
/// may end on another thread.
template <class Platform = StdPlatform>
class Flights {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    /// The most that a ticket has room for.
    static constexpr std::size_t kMostLanes = 128;

    /// @param lanes a power of two.
    explicit Flights(std::size_t lanes)
        : mask_(std::min(lanes, kMostLanes) - 1), lanes_(new Lane[mask_ + 1]) {}

    /// What follows is of the epoch that is published next. Under the mutex.
    void setTimeout(Nanoseconds timeout) noexcept {
        const Nanoseconds slice = std::max(timeout / kSlicesOfTimeout, Nanoseconds{1});
        // relaxed, both: they are read for an epoch that is published after this, with release; who
        // reads them for an older one counts what is nobody's any more.
        slice_.store(slice.count(), std::memory_order_relaxed);
        nextLook_.store(Nanoseconds::min().count(), std::memory_order_relaxed);
        timeout_ = timeout;
    }
    [[nodiscard]] Nanoseconds timeout() const noexcept { return timeout_; }

    /// Whether it is time to ask `takeOverdue`.
    [[nodiscard]] bool lookIsDue(Nanoseconds now) const noexcept {
        // relaxed: a hint; who misses the change finds out a slice later.
        return now.count() >= nextLook_.load(std::memory_order_relaxed);
    }

    enum class Begun { Counted, NotCounted, LookFirst };
    /// Counts the call of a ticket, which gets the number of its lane. Not counted is one that was
    /// held up between its admission and this for longer than the slices remember. In the way may
    /// be calls of long ago that nobody has looked at since.
    [[nodiscard]] Begun begin(Ticket& ticket) noexcept {
        const std::uint64_t slice = sliceOf(ticket.time);
        const std::uint64_t mine = tagged(ticket.word, slice);
        for (;;) {
            const std::size_t lane = thisThreadNumber() & mask_;
            auto& count = countOf(lane, slice);
            // relaxed throughout: the counts order nothing, each call is in one of them.
            std::uint64_t seen = count.load(std::memory_order_relaxed);
            const std::uint64_t calls = callsOf(seen);
            const bool sameEpoch = ((seen ^ mine) & kEpochMask) == 0;
            const int age = ageOf(seen, mine);
            const bool occupied = sameEpoch && calls > 0;
            if (occupied && age < 0) return Begun::NotCounted;
            if (occupied && age > 0) return Begun::LookFirst;
            const std::uint64_t next = occupied ? seen + 1 : mine + 1;
            if (count.compare_exchange_strong(seen, next, std::memory_order_relaxed,
                                              std::memory_order_relaxed)) {
                ticket.word = ticket.word.withProbes(static_cast<int>(lane) + 1);
                return Begun::Counted;
            }
            if (mask_ > 0 && thisThreadNumber() == 0) numberThisThread();
        }
    }

    /// The call of a ticket ends; false if it was taken as overdue before.
    [[nodiscard]] bool end(Ticket ticket) noexcept {
        if (ticket.word.probes() == 0) return true;  // Not counted.
        const std::uint64_t slice = sliceOf(ticket.time);
        const std::uint64_t mine = tagged(ticket.word, slice);
        const auto lane = static_cast<std::size_t>(ticket.word.probes()) - 1;
        auto& count = countOf(lane & mask_, slice);
        std::uint64_t seen = count.load(std::memory_order_relaxed);
        do {
            if (((seen ^ mine) & ~kCallsMask) != 0 || callsOf(seen) == 0) return false;
        } while (!count.compare_exchange_weak(seen, seen - 1, std::memory_order_relaxed,
                                              std::memory_order_relaxed));
        return true;
    }

    /// Takes the calls of that epoch that are over their deadline; says how many. Under the mutex.
    [[nodiscard]] std::uint64_t takeOverdue(StateWord word, Nanoseconds now) noexcept {
        std::uint64_t taken = 0;
        for (std::size_t lane = 0; lane <= mask_; ++lane) {
            for (auto& count : lanes_[lane].counts) taken += takeFrom(count, word, now);
        }
        nextLook_.store(
            saturatingAdd(startOf(sliceOf(now) + 1), Nanoseconds{timeout_ % slice()}).count(),
            std::memory_order_relaxed);
        return taken;
    }

private:
    using Count = typename Platform::template Atomic<std::uint64_t>;

    static constexpr int kSlicesOfTimeout = 16;
    // Twice the deadline, so that a slice is seldom used again before it was looked at.
    static constexpr std::size_t kSlices = 32;

    // The low bits of the epoch, those of the slice, and how many calls began there and are neither
    // ended nor taken.
    static constexpr int kEpochShift = 48;
    static constexpr int kSliceShift = 24;
    static constexpr std::uint64_t kSliceMask = 0xff'ffff;
    static constexpr std::uint64_t kCallsMask = 0xff'ffff;
    static constexpr std::uint64_t kEpochMask = ~std::uint64_t{0} << kEpochShift;

    struct alignas(kCacheLine) Lane {
        std::array<Count, kSlices> counts{};
    };

    [[nodiscard]] static constexpr std::uint64_t tagged(StateWord word,
                                                        std::uint64_t slice) noexcept {
        return std::uint64_t{word.tag()} << kEpochShift | (slice & kSliceMask) << kSliceShift;
    }
    [[nodiscard]] static constexpr std::uint64_t callsOf(std::uint64_t count) noexcept {
        return count & kCallsMask;
    }
    /// How many slices `count` is older than `than`: right within 2^23 slices, half a million
    /// deadlines.
    [[nodiscard]] static constexpr int ageOf(std::uint64_t count, std::uint64_t than) noexcept {
        constexpr int kUnused = 8;  // The number of a slice has 24 bits of 32.
        const auto age = static_cast<std::uint32_t>((than >> kSliceShift) - (count >> kSliceShift));
        return static_cast<std::int32_t>(age << kUnused) >> kUnused;
    }

    [[nodiscard]] Nanoseconds slice() const noexcept {
        return Nanoseconds{slice_.load(std::memory_order_relaxed)};
    }
    /// Slices are numbered from the earliest instant there is.
    [[nodiscard]] std::uint64_t sliceOf(Nanoseconds time) const noexcept {
        return sinceEver(time) / static_cast<std::uint64_t>(slice().count());
    }
    [[nodiscard]] Nanoseconds startOf(std::uint64_t number) const noexcept {
        const std::uint64_t start = number * static_cast<std::uint64_t>(slice().count());
        return Nanoseconds{static_cast<Nanoseconds::rep>(start ^ kSign)};
    }
    static constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
    [[nodiscard]] static constexpr std::uint64_t sinceEver(Nanoseconds time) noexcept {
        return static_cast<std::uint64_t>(time.count()) ^ kSign;
    }

    [[nodiscard]] Count& countOf(std::size_t lane, std::uint64_t slice) const noexcept {
        return lanes_[lane].counts[slice % kSlices];
    }

    [[nodiscard]] std::uint64_t takeFrom(Count& count, StateWord word, Nanoseconds now) noexcept {
        const std::uint64_t present = sliceOf(now);
        std::uint64_t seen = count.load(std::memory_order_relaxed);
        for (;;) {
            const int age = ageOf(seen, tagged(word, present));
            const bool known = ((seen ^ tagged(word, present)) & kEpochMask) == 0 && age > 0;
            if (!known || callsOf(seen) == 0) return 0;
            const Nanoseconds last =
                startOf(present - static_cast<std::uint64_t>(age) + 1) - Nanoseconds{1};
            if (saturatingSubtract(now, last) <= timeout_) return 0;
            if (count.compare_exchange_weak(seen, 0, std::memory_order_relaxed,
                                            std::memory_order_relaxed)) {
                return callsOf(seen);
            }
        }
    }

    // Read by every call, written once a slice.
    typename Platform::template Atomic<Nanoseconds::rep> slice_{1};
    typename Platform::template Atomic<Nanoseconds::rep> nextLook_{0};
    Nanoseconds timeout_{kForever};  // Under the mutex.
    std::size_t mask_;
    std::unique_ptr<Lane[]> lanes_;
};

}  // namespace fusebox::detail
