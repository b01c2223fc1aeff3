// SPDX-License-Identifier: MIT
// The totals of a breaker: every call in exactly one of them, in whatever state it ended.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/saved_state.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/latency_distribution.hpp"
#include "fusebox/window/latency_histogram.hpp"
#include "fusebox/window/outcome_latencies.hpp"
#include "fusebox/window/sharded_counters.hpp"

namespace fusebox::detail {

/// Totals that callers add to without a lock. Successes and rejections, the frequent ones, are
/// sharded; the others share a line.
template <class Platform = StdPlatform>
class CallTotals {
public:
    using Tag = typename ShardedCounters<Platform>::Tag;

    /// @param mutex the breaker's, which guards its epochs.
    CallTotals(const CircuitBreakerOptions& options, typename Platform::Mutex& mutex)
        : shards_(shardCount(options.shards), mutex) {
        if (options.measureLatency) measureLatency();
    }
    CallTotals(const CallTotals&) = delete;
    CallTotals& operator=(const CallTotals&) = delete;
    // relaxed: who destroys it has the last say over it already.
    ~CallTotals() { delete byOutcome_.load(std::memory_order_relaxed); }

    /// From now on calls may be measured. Allocates, once.
    void measureLatency() {
        auto& room = shards_.first().latencies;
        if (!room.get()) room.put(std::make_unique<LatencyBuckets<Platform>>());
    }

    /// From now on latencies are told apart by outcome. Not for callers: it allocates, once.
    void tellOutcomesApart() const {
        // acquire, with the release below: who finds it finds it made.
        if (byOutcome_.load(std::memory_order_acquire) || !measures()) return;
        auto made =
            std::make_unique<Outcomes>(distributionOf(latencies_.counts(rooms()), elapsed()));
        Outcomes* none = nullptr;
        if (byOutcome_.compare_exchange_strong(none, made.get(), std::memory_order_release,
                                               std::memory_order_relaxed)) {
            (void)made.release();
        }
    }

    /// Of calls that are tracked.
    FUSEBOX_HOT void begun() noexcept { shards_.add(Tally::Begun); }
    FUSEBOX_HOT void ended() noexcept { shards_.add(Tally::Ended); }
    void rejected() noexcept { shards_.addAlone(Tally::Rejected); }
    void shadowRejected() noexcept { shards_.add(Tally::ShadowRejected); }
    void stale() noexcept { add(Total::Stale); }

    /// A success of the epoch `tag`; false if that epoch is over, and then nothing is counted.
    bool recordSuccess(Tag tag) noexcept { return shards_.addSuccess(tag); }
    /// As above, but false also if another thread was in the way.
    FUSEBOX_HOT bool tryRecordSuccess(Tag tag) noexcept { return shards_.tryAddSuccess(tag); }
    /// A success that stands in no window.
    void otherSuccess() noexcept { shards_.add(Tally::OtherSuccesses); }

    /// Everything about a call's end but its success, which is `recordSuccess` or `otherSuccess`.
    void count(const CallEnd& end) noexcept {
        switch (end.outcome) {
            case Outcome::Success: break;
            case Outcome::Failure: add(Total::Failures); break;
            case Outcome::Timeout: add(Total::Timeouts); break;
            case Outcome::Ignored: add(end.cancelled ? Total::Cancelled : Total::Ignored); break;
        }
        if (end.slow) add(Total::Slow);
        if (!end.measured) return;
        if (end.outcome != Outcome::Success) {
            if (recordApart(end) || end.neutral()) return;
        }
        shards_.add(Tally::ElapsedSum, static_cast<std::uint64_t>(end.elapsed.count()));
        if (!latencies_.record(shards_.mine().latencies, end.elapsed)) [[unlikely]]
            latencies_.record(shards_.first().latencies, end.elapsed);
    }

    [[nodiscard]] std::uint64_t recordedSuccesses() const noexcept { return shards_.sum(); }
    /// Moves to the epoch `tag`; returns the recorded successes until then.
    std::uint64_t enter(Tag tag) noexcept { return shards_.enter(tag); }

    /// Everything back to zero but the calls in flight, which are still in flight.
    void reset(Tag tag) noexcept {
        shards_.clear(tag);
        latencies_.clear(rooms());
        if (Outcomes* const apart = byOutcome_.load(std::memory_order_acquire)) apart->clear();
        for (auto& total : totals_) total.store(0, std::memory_order_relaxed);
    }

    /// Goes on counting where another process stopped.
    void resume(const SavedState& saved) noexcept {
        shards_.add(Tally::OtherSuccesses, saved.totalSuccesses);
        shards_.add(Tally::Rejected, saved.totalRejected);
        shards_.add(Tally::ShadowRejected, saved.totalShadowRejected);
        add(Total::Failures, saved.totalFailures);
        add(Total::Timeouts, saved.totalTimeouts);
        add(Total::Ignored, saved.totalIgnored);
        add(Total::Cancelled, saved.totalCancelled);
        add(Total::Stale, saved.totalStale);
        add(Total::Slow, saved.totalSlow);
    }

    /// @param tracked whether calls in flight are known.
    void fill(CircuitBreakerStats& stats, bool tracked) const noexcept {
        stats.totalSuccesses = shards_.sum() + shards_.total(Tally::OtherSuccesses);
        stats.totalFailures = get(Total::Failures);
        stats.totalTimeouts = get(Total::Timeouts);
        stats.totalIgnored = get(Total::Ignored);
        stats.totalCancelled = get(Total::Cancelled);
        stats.totalCalls = stats.totalSuccesses + stats.totalFailures + stats.totalTimeouts +
                           stats.totalIgnored + stats.totalCancelled;
        stats.totalStale = get(Total::Stale);
        stats.totalSlow = get(Total::Slow);
        stats.totalRejected = shards_.total(Tally::Rejected);
        stats.totalShadowRejected = shards_.total(Tally::ShadowRejected);
        if (tracked) {
            // Exact at rest. The ends first, so that a call in between makes it rather too large.
            const std::uint64_t ended = shards_.total(Tally::Ended);
            const std::uint64_t begun = shards_.total(Tally::Begun);
            stats.inFlight = begun > ended ? begun - ended : 0;
        }
        fillLatencies(stats);
    }

private:
    enum class Total : std::size_t { Failures, Timeouts, Ignored, Cancelled, Stale, Slow, Count_ };

    using Outcomes = OutcomeLatencies<Platform>;

    [[nodiscard]] bool measures() const noexcept {
        return shards_.first().latencies.get() != nullptr;
    }

    /// Of a call that did not succeed; false while nobody asks for such calls apart.
    bool recordApart(const CallEnd& end) noexcept {
        Outcomes* const apart = byOutcome_.load(std::memory_order_acquire);
        if (!apart) return false;
        if (!end.cancelled) (end.failed() ? apart->failures : apart->ignored).record(end.elapsed);
        return true;
    }

    /// Of the calls that are counted in the shards: those that succeeded, and with them those that
    /// failed while nobody asked for these apart.
    [[nodiscard]] std::chrono::nanoseconds elapsed() const noexcept {
        return std::chrono::nanoseconds{shards_.total(Tally::ElapsedSum)};
    }

    void fillLatencies(CircuitBreakerStats& stats) const noexcept {
        LatencyCounts all = latencies_.counts(rooms());
        std::chrono::nanoseconds sum = elapsed();
        if (const Outcomes* const apart = byOutcome_.load(std::memory_order_acquire)) {
            const LatencyCounts failed = apart->failures.counts();
            const std::chrono::nanoseconds failedSum = apart->failures.sum();
            LatenciesByOutcome& by = stats.latencies;
            by.known = true;
            by.successes = apart->before.takenOff(distributionOf(all, sum));
            by.failures = distributionOf(failed, failedSum);
            by.ignored = distributionOf(apart->ignored.counts(), apart->ignored.sum());
            all += failed;
            sum += failedSum;
        }
        stats.latency = all.summary();
        if (all.calls > 0) {
            stats.averageResponseTime = sum / static_cast<std::chrono::nanoseconds::rep>(all.calls);
        }
    }

    /// The shards' rooms, as the histogram asks for them.
    [[nodiscard]] auto rooms() const noexcept {
        return [this](auto&& action) {
            shards_.forEach([&](const auto& shard) { action(shard.latencies); });
        };
    }

    // relaxed: totals order nothing.
    void add(Total total, std::uint64_t count = 1) noexcept {
        totals_[static_cast<std::size_t>(total)].fetch_add(count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(Total total) const noexcept {
        return totals_[static_cast<std::size_t>(total)].load(std::memory_order_relaxed);
    }

    ShardedCounters<Platform> shards_;
    LatencyHistogram<Platform> latencies_;
    std::array<typename Platform::template Atomic<std::uint64_t>,
               static_cast<std::size_t>(Total::Count_)>
        totals_{};
    mutable typename Platform::template Atomic<Outcomes*> byOutcome_{nullptr};
};

}  // namespace fusebox::detail
