// SPDX-License-Identifier: MIT
// The totals of a breaker: every call in exactly one of them, in whatever state it ended.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/call_latencies.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/saved_state.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/platform.hpp"
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

    /// From now on calls may be measured. Allocates, once.
    void measureLatency() { CallLatencies<Platform>::measure(shards_); }
    /// From now on latencies are told apart by outcome. Not for callers: it allocates, once. Const,
    /// because nothing else changes for who looks.
    void tellOutcomesApart() const { latencies_.tellOutcomesApart(shards_); }

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
        latencies_.record(shards_, end);
    }

    [[nodiscard]] std::uint64_t recordedSuccesses() const noexcept { return shards_.sum(); }
    /// Moves to the epoch `tag`; returns the recorded successes until then.
    std::uint64_t enter(Tag tag) noexcept { return shards_.enter(tag); }

    /// Everything back to zero but the calls in flight, which are still in flight.
    void reset(Tag tag) noexcept {
        shards_.clear(tag);
        latencies_.clear(shards_);
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
        latencies_.fill(stats, shards_);
    }

private:
    enum class Total : std::size_t { Failures, Timeouts, Ignored, Cancelled, Stale, Slow, Count_ };

    // relaxed: totals order nothing.
    void add(Total total, std::uint64_t count = 1) noexcept {
        totals_[static_cast<std::size_t>(total)].fetch_add(count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(Total total) const noexcept {
        return totals_[static_cast<std::size_t>(total)].load(std::memory_order_relaxed);
    }

    ShardedCounters<Platform> shards_;
    mutable CallLatencies<Platform> latencies_;
    std::array<typename Platform::template Atomic<std::uint64_t>,
               static_cast<std::size_t>(Total::Count_)>
        totals_{};
};

}  // namespace fusebox::detail
