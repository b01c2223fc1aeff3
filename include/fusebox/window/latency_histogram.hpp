// SPDX-License-Identifier: MIT
// How long calls took: a log-linear histogram that threads fill without waiting.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "fusebox/vocabulary/platform.hpp"

namespace fusebox {

/// Latencies of the calls that were measured; all zero when there were none.
struct LatencySummary {
    std::chrono::nanoseconds p50{0};
    std::chrono::nanoseconds p90{0};
    std::chrono::nanoseconds p99{0};
    std::chrono::nanoseconds max{0};

    friend bool operator==(const LatencySummary&, const LatencySummary&) = default;
};

namespace detail {

/// Eight buckets an octave from 8 ns to over an hour (below: one a nanosecond), as in HdrHistogram
/// with three significant bits: a percentile is within 6.25 % of the true value. Longer calls share
/// the last bucket; the maximum is exact. 2.5 KiB a shard.
template <class Platform = StdPlatform>
class LatencyHistogram {
public:
    static constexpr std::size_t kBuckets = 320;

    /// @param shards how many threads can fill it without sharing a line; 0: it is never filled.
    explicit LatencyHistogram(std::size_t shards) {
        if (shards > 0) fillable(shards);
    }
    LatencyHistogram(const LatencyHistogram&) = delete;
    LatencyHistogram& operator=(const LatencyHistogram&) = delete;
    ~LatencyHistogram() {
        // relaxed: who destroys it has the last say over it already.
        delete[] shards_.load(std::memory_order_relaxed);
    }

    /// Makes room for latencies, if there is none yet.
    void fillable(std::size_t shards) {
        if (shards_.load(std::memory_order_acquire) != nullptr) return;
        auto room = std::make_unique<Shard[]>(shards);
        size_.store(shards, std::memory_order_relaxed);
        Shard* none = nullptr;
        // release, with the acquire of the readers: who finds the room finds it made, and its size.
        while (!shards_.compare_exchange_weak(none, room.get(), std::memory_order_release,
                                              std::memory_order_relaxed)) {
            if (none != nullptr) return;
        }
        (void)room.release();
    }

    /// @pre there is room for this shard.
    void record(std::size_t shard, std::chrono::nanoseconds elapsed) noexcept {
        const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed.count(), 0));
        Shard& mine = shards_.load(std::memory_order_acquire)[shard];
        // relaxed throughout: statistics order nothing.
        mine.buckets[bucketOf(value)].fetch_add(1, std::memory_order_relaxed);
        auto& longest = mine.longest;
        std::uint64_t seen = longest.load(std::memory_order_relaxed);
        while (value > seen &&
               !longest.compare_exchange_weak(seen, value, std::memory_order_relaxed,
                                              std::memory_order_relaxed)) {
        }
    }

    void clear() noexcept {
        for (Shard& shard : room()) {
            for (auto& bucket : shard.buckets) bucket.store(0, std::memory_order_relaxed);
            shard.longest.store(0, std::memory_order_relaxed);
        }
    }

    struct Summary {
        LatencySummary latency{};
        std::uint64_t calls = 0;
    };

    [[nodiscard]] Summary summary() const noexcept {
        std::array<std::uint64_t, kBuckets> merged{};
        std::uint64_t calls = 0;
        std::uint64_t longest = 0;
        for (const Shard& shard : room()) {
            for (std::size_t b = 0; b < kBuckets; ++b) {
                const std::uint64_t n = shard.buckets[b].load(std::memory_order_relaxed);
                merged[b] += n;
                calls += n;
            }
            longest = std::max(longest, shard.longest.load(std::memory_order_relaxed));
        }
        const auto at = [&](double quantile) {
            return std::chrono::nanoseconds{
                std::min(quantileOf(merged, calls, quantile), static_cast<std::int64_t>(longest))};
        };
        return {{at(0.50), at(0.90), at(0.99), std::chrono::nanoseconds{longest}}, calls};
    }

    /// The bucket of a value in nanoseconds.
    [[nodiscard]] static constexpr std::size_t bucketOf(std::uint64_t value) noexcept {
        if (value < 8) return static_cast<std::size_t>(value);
        const auto octave = static_cast<std::size_t>(std::bit_width(value)) - 1;
        const std::size_t bucket =
            (octave - 2) * 8 + static_cast<std::size_t>((value >> (octave - 3)) & 7U);
        return std::min(bucket, kBuckets - 1);
    }

    /// The middle of a bucket, in nanoseconds.
    [[nodiscard]] static constexpr std::int64_t middleOf(std::size_t bucket) noexcept {
        if (bucket < 16) return static_cast<std::int64_t>(bucket);
        const std::size_t shift = bucket / 8 - 1;
        return static_cast<std::int64_t>(((8 + bucket % 8) << shift) +
                                         ((std::size_t{1} << shift) / 2));
    }

private:
    struct alignas(kCacheLine) Shard {
        std::array<typename Platform::template Atomic<std::uint64_t>, kBuckets> buckets{};
        typename Platform::template Atomic<std::uint64_t> longest{0};
    };

    [[nodiscard]] static std::int64_t quantileOf(const std::array<std::uint64_t, kBuckets>& merged,
                                                 std::uint64_t calls, double quantile) noexcept {
        if (calls == 0) return 0;
        // Nearest rank: the smallest value with at least that share of the calls at or below it.
        auto left = static_cast<std::int64_t>(std::ceil(quantile * static_cast<double>(calls)));
        for (std::size_t b = 0; b < kBuckets; ++b) {
            left -= static_cast<std::int64_t>(merged[b]);
            if (left <= 0) return middleOf(b);
        }
        return middleOf(kBuckets - 1);
    }

    [[nodiscard]] std::span<Shard> room() const noexcept {
        Shard* const first = shards_.load(std::memory_order_acquire);
        return {first, first ? size_.load(std::memory_order_relaxed) : 0};
    }

    typename Platform::template Atomic<Shard*> shards_{nullptr};
    typename Platform::template Atomic<std::size_t> size_{0};
};

}  // namespace detail
}  // namespace fusebox
