// SPDX-License-Identifier: MIT
// The latencies of the calls that did not succeed, apart from the others.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/window/latency_buckets.hpp"
#include "fusebox/window/latency_counts.hpp"
#include "fusebox/window/latency_distribution.hpp"
#include "fusebox/window/latency_histogram.hpp"
#include "fusebox/window/latency_scale.hpp"

namespace fusebox::detail {

/// What a histogram's counts say of the bounds of a distribution.
[[nodiscard]] inline LatencyDistribution distributionOf(const LatencyCounts& counts,
                                                        std::chrono::nanoseconds sum) noexcept {
    LatencyDistribution distribution;
    std::uint64_t below = 0;
    std::size_t bucket = 0;
    for (std::size_t i = 0; i < LatencyDistribution::kBounds; ++i) {
        const auto last = static_cast<std::uint64_t>(LatencyDistribution::bound(i).count());
        const std::size_t end = LatencyScale::bucketOf(last) + 1;
        for (; bucket < end; ++bucket) below += counts.buckets[bucket];
        distribution.atMost[i] = below;
    }
    distribution.calls = counts.calls;
    distribution.sum = sum;
    distribution.max = std::chrono::nanoseconds{counts.longest};
    return distribution;
}

/// The latencies of one kind of calls, for all threads: calls that fail are rare, and write shared
/// lines anyway.
template <class Platform>
class SharedLatencies {
public:
    SharedLatencies() { room_.put(std::make_unique<LatencyBuckets<Platform>>()); }

    void record(std::chrono::nanoseconds elapsed) noexcept {
        // relaxed, everywhere in this file: statistics order nothing.
        sum_.fetch_add(static_cast<std::uint64_t>(elapsed.count()), std::memory_order_relaxed);
        (void)histogram_.record(room_, elapsed);
    }
    [[nodiscard]] LatencyCounts counts() const noexcept { return histogram_.counts(theRoom()); }
    [[nodiscard]] std::chrono::nanoseconds sum() const noexcept {
        return saturatingCount(sum_.load(std::memory_order_relaxed));
    }
    void clear() noexcept {
        sum_.store(0, std::memory_order_relaxed);
        histogram_.clear(theRoom());
    }

private:
    [[nodiscard]] auto theRoom() const noexcept {
        return [this](auto&& action) { action(room_); };
    }

    LatencyHistogram<Platform> histogram_;
    LatencyRoom<Platform> room_;
    typename Platform::template Atomic<std::uint64_t> sum_{0};
};

/// What was counted before kinds of calls were told apart, to be taken off since then.
template <class Platform>
class CountedBefore {
public:
    void note(const LatencyDistribution& before) noexcept {
        for (std::size_t i = 0; i < atMost_.size(); ++i) {
            atMost_[i].store(before.atMost[i], std::memory_order_relaxed);
        }
        calls_.store(before.calls, std::memory_order_relaxed);
        sum_.store(static_cast<std::uint64_t>(before.sum.count()), std::memory_order_relaxed);
    }

    [[nodiscard]] LatencyDistribution takenOff(LatencyDistribution now) const noexcept {
        const auto less = [](std::uint64_t a, std::uint64_t b) { return a < b ? 0 : a - b; };
        for (std::size_t i = 0; i < atMost_.size(); ++i) {
            now.atMost[i] = less(now.atMost[i], atMost_[i].load(std::memory_order_relaxed));
        }
        now.calls = less(now.calls, calls_.load(std::memory_order_relaxed));
        now.sum = std::chrono::nanoseconds{less(static_cast<std::uint64_t>(now.sum.count()),
                                                sum_.load(std::memory_order_relaxed))};
        return now;
    }

    void clear() noexcept {
        for (auto& count : atMost_) count.store(0, std::memory_order_relaxed);
        calls_.store(0, std::memory_order_relaxed);
        sum_.store(0, std::memory_order_relaxed);
    }

private:
    using Count = typename Platform::template Atomic<std::uint64_t>;

    std::array<Count, LatencyDistribution::kBounds> atMost_{};
    Count calls_{0};
    Count sum_{0};
};

/// Latencies by outcome, for breakers whose statistics someone looks at. Those of successes are
/// counted elsewhere, with all that was counted before this was made.
template <class Platform>
struct OutcomeLatencies {
    void clear() noexcept {
        failures.clear();
        ignored.clear();
        before.clear();
    }

    SharedLatencies<Platform> failures{};
    SharedLatencies<Platform> ignored{};
    CountedBefore<Platform> before{};
};

}  // namespace fusebox::detail
