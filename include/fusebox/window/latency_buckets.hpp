// SPDX-License-Identifier: MIT
// The latencies of the calls of some threads, and where they stand.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "fusebox/window/latency_scale.hpp"

namespace fusebox::detail {

/// The latencies of the calls of some threads. 16 bits a bucket: 368 bytes, not 1.4 KiB. What
/// exceeds them is carried over to counts of 64 bits, one set for all threads, made when the first
/// bucket is half full. It is not aligned, but whatever stands before or behind it shares a line
/// with latencies of many minutes only, or with those of nanoseconds.
template <class Platform>
struct LatencyBuckets {
    typename Platform::template Atomic<std::uint64_t> longest{0};
    std::array<typename Platform::template Atomic<std::uint16_t>, LatencyScale::kBuckets> counts{};
};

/// Where some threads have their buckets, once they need them.
template <class Platform>
class LatencyRoom {
public:
    using Buckets = LatencyBuckets<Platform>;

    LatencyRoom() = default;
    LatencyRoom(const LatencyRoom&) = delete;
    LatencyRoom& operator=(const LatencyRoom&) = delete;
    // relaxed: who destroys it has the last say over it already.
    ~LatencyRoom() { delete buckets_.load(std::memory_order_relaxed); }

    // acquire, with the release in `put`: who finds buckets finds them made.
    [[nodiscard]] Buckets* get() const noexcept { return buckets_.load(std::memory_order_acquire); }

    /// Puts buckets there, unless another thread was faster.
    void put(std::unique_ptr<Buckets> made) noexcept {
        Buckets* none = nullptr;
        if (buckets_.compare_exchange_strong(none, made.get(), std::memory_order_release,
                                             std::memory_order_relaxed)) {
            (void)made.release();
        }
    }

private:
    typename Platform::template Atomic<Buckets*> buckets_{nullptr};
};

}  // namespace fusebox::detail
