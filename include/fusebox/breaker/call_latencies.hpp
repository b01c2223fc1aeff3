// SPDX-License-Identifier: MIT
// How long the calls of a breaker took: together, and by outcome for who asks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/latency_buckets.hpp"
#include "fusebox/window/latency_counts.hpp"
#include "fusebox/window/latency_distribution.hpp"
#include "fusebox/window/latency_histogram.hpp"
#include "fusebox/window/outcome_latencies.hpp"
#include "fusebox/window/shard.hpp"
#include "fusebox/window/sharded_counters.hpp"

namespace fusebox::detail {

/// The latencies of the measured calls that succeeded, failed or timed out stand in the shards.
/// Once someone asks by outcome, those of calls that do not succeed stand apart, the ignored ones
/// too. This is what the shards share of it: it stands beside them, and is given them each time.
template <class Platform>
class CallLatencies {
public:
    using Shards = ShardedCounters<Platform, CallLatencies>;

    CallLatencies() = default;
    CallLatencies(const CallLatencies&) = delete;
    CallLatencies& operator=(const CallLatencies&) = delete;
    // relaxed: who destroys it has the last say over it already.
    ~CallLatencies() { delete apart_.load(std::memory_order_relaxed); }

    /// From now on calls may be measured. Allocates, once.
    static void measure(Shards& shards) {
        auto& room = shards.first().latencies;
        if (!room.get()) room.put(std::make_unique<LatencyBuckets<Platform>>());
    }

    /// From now on outcomes are told apart, if calls are measured. Not for callers: it allocates,
    /// once.
    void tellOutcomesApart(const Shards& shards) const {
        // relaxed, twice: only whether it is there, which the mutex makes certain.
        if (apart_.load(std::memory_order_relaxed) || !shards.first().latencies.get()) return;
        auto made = std::make_unique<Apart>();
        const std::lock_guard lock{shards.mutex()};
        if (apart_.load(std::memory_order_relaxed)) return;
        made->before.note(distributionOf(histogram_.counts(roomsOf(shards)), elapsed(shards)));
        // release, with the acquires below: who finds it finds it made.
        apart_.store(made.release(), std::memory_order_release);
    }

    /// Counts a call with those that succeeded.
    FUSEBOX_HOT void recordSuccess(Shards& shards, Shard<Platform>& mine,
                                   std::chrono::nanoseconds elapsed) noexcept {
        mine.add(Tally::ElapsedSum, static_cast<std::uint64_t>(elapsed.count()));
        if (!histogram_.record(mine.latencies, elapsed)) [[unlikely]]
            histogram_.record(shards.first().latencies, elapsed);
    }

    /// Counts any call, if it was measured. Not for the holder of the mutex.
    FUSEBOX_HOT void record(Shards& shards, const CallEnd& end) noexcept {
        if (!end.measured) return;
        if (end.outcome == Outcome::Success) {
            recordSuccess(shards, shards.mine(), end.elapsed);
        } else if (!recordApart(end) && end.failed()) {
            recordTogether(shards, end);
        }
    }

    /// Forgets all calls; the shards forget their sum themselves. Under the mutex.
    void clear(Shards& shards) noexcept {
        histogram_.clear(roomsOf(shards));
        // relaxed: it was made under the mutex, too.
        if (Apart* const apart = apart_.load(std::memory_order_relaxed)) apart->clear();
    }

    void fill(CircuitBreakerStats& stats, const Shards& shards) const noexcept {
        LatencyCounts all = histogram_.counts(roomsOf(shards));
        std::chrono::nanoseconds sum = elapsed(shards);
        if (const Apart* const apart = apart_.load(std::memory_order_acquire)) {
            const LatencyCounts failed = apart->failures.counts();
            const std::chrono::nanoseconds failedSum = apart->failures.sum();
            stats.latencies.known = true;
            stats.latencies.successes = apart->before.takenOff(distributionOf(all, sum));
            stats.latencies.failures = distributionOf(failed, failedSum);
            stats.latencies.ignored = distributionOf(apart->ignored.counts(), apart->ignored.sum());
            all += failed;
            sum = saturatingAdd(sum, failedSum);
        }
        stats.latency = all.summary();
        if (all.calls > 0) {
            stats.averageResponseTime = sum / static_cast<std::chrono::nanoseconds::rep>(all.calls);
        }
    }

private:
    using Apart = OutcomeLatencies<Platform>;

    /// The shards' rooms, as the histogram asks for them.
    [[nodiscard]] static auto roomsOf(const Shards& shards) noexcept {
        return [&shards](auto&& action) {
            shards.forEach([&](const auto& shard) { action(shard.latencies); });
        };
    }

    [[nodiscard]] static std::chrono::nanoseconds elapsed(const Shards& shards) noexcept {
        return saturatingCount(shards.total(Tally::ElapsedSum));
    }

    /// Of a call that did not succeed; false while nobody asks.
    bool recordApart(const CallEnd& end) noexcept {
        Apart* const apart = apart_.load(std::memory_order_acquire);
        if (!apart) return false;
        if (!end.cancelled) (end.failed() ? apart->failures : apart->ignored).record(end.elapsed);
        return true;
    }

    /// Of a call that failed while nobody asked. Under the mutex, so that it is either among those
    /// that were counted before outcomes were told apart, or apart; else it could pass for a
    /// success ever after.
    FUSEBOX_APART void recordTogether(Shards& shards, const CallEnd& end) noexcept {
        const std::lock_guard lock{shards.mutex()};
        if (!recordApart(end)) recordSuccess(shards, shards.mine(), end.elapsed);
    }

    LatencyHistogram<Platform> histogram_;
    mutable typename Platform::template Atomic<Apart*> apart_{nullptr};
};

}  // namespace fusebox::detail
