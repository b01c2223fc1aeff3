// SPDX-License-Identifier: MIT
// How long the calls of one breaker took: a histogram that threads fill without waiting.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <new>

#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/latency_buckets.hpp"
#include "fusebox/window/latency_counts.hpp"
#include "fusebox/window/latency_scale.hpp"

namespace fusebox::detail {

/// The latencies of one breaker. The buckets stand in rooms, one for each shard; here is what they
/// share.
///
/// **Threads.** Everything may be called concurrently.
template <class Platform = StdPlatform>
class LatencyHistogram {
public:
    using Room = LatencyRoom<Platform>;
    using Buckets = LatencyBuckets<Platform>;

    LatencyHistogram() = default;
    LatencyHistogram(const LatencyHistogram&) = delete;
    LatencyHistogram& operator=(const LatencyHistogram&) = delete;
    // relaxed: as in LatencyRoom.
    ~LatencyHistogram() { delete carried_.load(std::memory_order_relaxed); }

    /// Counts a call; false, and nothing is counted, if there is no memory for the room's buckets.
    FUSEBOX_HOT bool record(Room& room, std::chrono::nanoseconds elapsed) noexcept {
        Buckets* mine = room.get();
        if (!mine) [[unlikely]] {
            mine = made(room);
            if (!mine) return false;
        }
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed.count(), 0));
        const std::size_t bucket = LatencyScale::bucketOf(value);
        // relaxed throughout: statistics order nothing.
        const std::uint16_t before = mine->counts[bucket].fetch_add(1, std::memory_order_relaxed);
        if (before >= kHalf) [[unlikely]]
            carry(*mine, bucket, before >= kNearlyFull);
        std::uint64_t seen = mine->longest.load(std::memory_order_relaxed);
        while (value > seen &&
               !mine->longest.compare_exchange_weak(seen, value, std::memory_order_relaxed,
                                                    std::memory_order_relaxed)) {
        }
        return true;
    }

    /// What stands in all rooms; `forEachRoom(f)` calls `f` with each of them. Every call that has
    /// been recorded is counted once, also while counts are carried over.
    template <class ForEachRoom>
    [[nodiscard]] LatencyCounts counts(ForEachRoom&& forEachRoom) const noexcept {
        // relaxed, twice: only whether they are there.
        if (!carried_.load(std::memory_order_relaxed)) {
            const LatencyCounts counts = sum(forEachRoom);
            // Else the first counts were carried over meanwhile, and may be missing; who misses
            // them has learned so in `sum`.
            if (!carried_.load(std::memory_order_relaxed)) return counts;
        }
        const Carried& carried = *carried_.load(std::memory_order_acquire);
        const std::lock_guard lock{carried.mutex};
        LatencyCounts counts = sum(forEachRoom);
        for (std::size_t b = 0; b < LatencyScale::kBuckets; ++b) {
            counts.buckets[b] += carried.counts[b];
            counts.calls += carried.counts[b];
        }
        return counts;
    }

    /// Forgets all calls.
    template <class ForEachRoom>
    void clear(ForEachRoom&& forEachRoom) noexcept {
        Carried* const carried = carried_.load(std::memory_order_acquire);
        std::unique_lock<Mutex> lock;
        if (carried) {
            lock = std::unique_lock{carried->mutex};
            carried->counts = {};
        }
        forEachRoom([](const Room& room) {
            Buckets* const buckets = room.get();
            if (!buckets) return;
            for (auto& count : buckets->counts) count.store(0, std::memory_order_relaxed);
            buckets->longest.store(0, std::memory_order_relaxed);
        });
    }

private:
    using Mutex = typename Platform::Mutex;

    [[nodiscard]] FUSEBOX_COLD static Buckets* made(Room& room) noexcept {
        room.put(std::unique_ptr<Buckets>{new (std::nothrow) Buckets});
        return room.get();
    }

    /// So many calls are carried over at a time. A caller who cannot do so just then leaves it to a
    /// later one, until the bucket is nearly full: then callers wait for each other, and for
    /// readers.
    static constexpr std::uint16_t kHalf = 0x8000;
    static constexpr std::uint16_t kNearlyFull = 0xf000;

    struct Carried {
        mutable Mutex mutex;
        std::array<std::uint64_t, LatencyScale::kBuckets> counts{};
    };

    /// Without memory for it a bucket overflows in the end, and 2^16 calls are lost.
    FUSEBOX_COLD void carry(Buckets& mine, std::size_t bucket, bool urgent) noexcept {
        Carried* const to = carriedOrMade();
        if (!to) return;
        std::unique_lock lock{to->mutex, std::defer_lock};
        if (urgent) {
            lock.lock();
        } else if (!lock.try_lock()) {
            return;
        }
        auto& count = mine.counts[bucket];
        std::uint16_t seen = count.load(std::memory_order_relaxed);
        do {
            if (seen < kHalf) return;
            // release, with the acquire in `sum`: who misses these calls in the room finds where
            // they went.
        } while (!count.compare_exchange_weak(seen, static_cast<std::uint16_t>(seen - kHalf),
                                              std::memory_order_release,
                                              std::memory_order_relaxed));
        to->counts[bucket] += kHalf;
    }

    [[nodiscard]] Carried* carriedOrMade() noexcept {
        if (Carried* const there = carried_.load(std::memory_order_acquire)) return there;
        std::unique_ptr<Carried> made{new (std::nothrow) Carried};
        Carried* none = nullptr;
        // release, with the acquire of the readers: who finds it finds it made.
        if (made && carried_.compare_exchange_strong(none, made.get(), std::memory_order_release,
                                                     std::memory_order_relaxed)) {
            (void)made.release();
        }
        return carried_.load(std::memory_order_acquire);
    }

    template <class ForEachRoom>
    [[nodiscard]] static LatencyCounts sum(ForEachRoom& forEachRoom) noexcept {
        LatencyCounts sum;
        forEachRoom([&](const Room& room) {
            const Buckets* const buckets = room.get();
            if (!buckets) return;
            for (std::size_t b = 0; b < LatencyScale::kBuckets; ++b) {
                const std::uint64_t count = buckets->counts[b].load(std::memory_order_acquire);
                sum.buckets[b] += count;
                sum.calls += count;
            }
            sum.longest = std::max(sum.longest, buckets->longest.load(std::memory_order_relaxed));
        });
        return sum;
    }

    typename Platform::template Atomic<Carried*> carried_{nullptr};
};

}  // namespace fusebox::detail
