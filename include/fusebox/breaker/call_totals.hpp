// SPDX-License-Identifier: MIT
// The totals of a breaker: every call in exactly one of them, in whatever state it ended.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

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

    [[nodiscard]] std::size_t mostShards() const noexcept { return shards_.most(); }

    /// From now on calls may be measured. Allocates, once.
    void measureLatency() { latencies().measure(shards_); }
    /// From now on latencies are told apart by outcome. Not for callers: it allocates, once. Const,
    /// because nothing else changes for who looks.
    void tellOutcomesApart() const { shards_.beside().tellOutcomesApart(shards_); }

    /// Of calls that are tracked. The end of one that is a recorded success needs no telling.
    FUSEBOX_HOT void begun() noexcept { shards_.add(Tally::Begun); }
    FUSEBOX_HOT void ended() noexcept { shards_.add(Tally::Ended); }
    /// From the epoch on that began when the recorded successes stood at `sum`, calls are tracked
    /// or not. Under the mutex, as is `inFlight`.
    void track(bool tracked, std::uint64_t sum) noexcept {
        settleTracked(sum);
        settledUntil_ = tracked ? sum : kUntracked;
    }
    /// Exact at rest; empty if calls are not tracked.
    [[nodiscard]] std::optional<std::uint64_t> inFlight() const noexcept {
        if (settledUntil_ == kUntracked) return std::nullopt;
        // The ends first, so that a call in between makes it rather too large.
        const std::uint64_t ended = shards_.total(Tally::Ended) + (shards_.sum() - settledUntil_);
        const std::uint64_t begun = shards_.total(Tally::Begun);
        return begun > ended ? begun - ended : 0;
    }
    FUSEBOX_HOT void rejected() noexcept { shards_.addAlone(Tally::Rejected); }
    void shadowRejected() noexcept { shards_.add(Tally::ShadowRejected); }
    void stale() noexcept { add(Total::Stale); }

    /// A success of the epoch `tag`; false if that epoch is over, and then nothing is counted.
    bool recordSuccess(Tag tag) noexcept { return shards_.addSuccess(tag); }
    /// As above, but false also if another thread was in the way.
    FUSEBOX_HOT bool tryRecordSuccess(Tag tag) noexcept { return shards_.tryAddSuccess(tag); }
    /// ... of one that took `elapsed`.
    FUSEBOX_HOT bool tryRecordSuccess(Tag tag, std::chrono::nanoseconds elapsed) noexcept {
        auto& mine = shards_.mine();
        if (!shards_.tryAddSuccess(mine, tag)) return false;
        latencies().recordSuccess(shards_, mine, elapsed);
        return true;
    }
    /// A success that stands in no window.
    void otherSuccess() noexcept { shards_.add(Tally::OtherSuccesses); }

    /// A call by its outcome; not one that the cycle recorded as a success or a failure.
    void count(const CallEnd& end) noexcept {
        switch (end.outcome) {
            case Outcome::Success: otherSuccess(); break;
            case Outcome::Failure: add(Total::Failures); break;
            case Outcome::Timeout: add(Total::Timeouts); break;
            case Outcome::Ignored: add(end.cancelled ? Total::Cancelled : Total::Ignored); break;
        }
    }

    /// How long a call took, if it is one that the latencies are about.
    FUSEBOX_HOT void countTime(const CallEnd& end) noexcept {
        if (end.slow) add(Total::Slow);
        latencies().record(shards_, end);
    }

    [[nodiscard]] std::uint64_t recordedSuccesses() const noexcept { return shards_.sum(); }
    /// Moves to the epoch `tag`; returns the recorded successes until then.
    std::uint64_t enter(Tag tag) noexcept { return shards_.enter(tag); }

    /// Everything back to zero but the calls in flight, which are still in flight.
    void reset(Tag tag) noexcept {
        settleTracked(shards_.clear(tag));
        if (settledUntil_ != kUntracked) settledUntil_ = 0;
        latencies().clear(shards_);
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

    /// All but `inFlight`, the failures that the cycle recorded, and the sum.
    void fill(CircuitBreakerStats& stats) const noexcept {
        stats.totalSuccesses = shards_.sum() + shards_.total(Tally::OtherSuccesses);
        stats.totalFailures = get(Total::Failures);
        stats.totalTimeouts = get(Total::Timeouts);
        stats.totalIgnored = get(Total::Ignored);
        stats.totalCancelled = get(Total::Cancelled);
        stats.totalStale = get(Total::Stale);
        stats.totalSlow = get(Total::Slow);
        stats.totalRejected = shards_.total(Tally::Rejected);
        stats.totalShadowRejected = shards_.total(Tally::ShadowRejected);
        shards_.beside().fill(stats, shards_);
    }

private:
    using Shards = ShardedCounters<Platform, CallLatencies<Platform>>;

    [[nodiscard]] FUSEBOX_HOT CallLatencies<Platform>& latencies() noexcept {
        return shards_.beside();
    }

    /// Counts those that are recorded successes, until `sum`, among the ends.
    void settleTracked(std::uint64_t sum) noexcept {
        if (settledUntil_ != kUntracked) shards_.add(Tally::Ended, sum - settledUntil_);
    }

    enum class Total : std::size_t { Failures, Timeouts, Ignored, Cancelled, Stale, Slow, Count_ };

    // relaxed: totals order nothing.
    void add(Total total, std::uint64_t count = 1) noexcept {
        totals_[static_cast<std::size_t>(total)].fetch_add(count, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(Total total) const noexcept {
        return totals_[static_cast<std::size_t>(total)].load(std::memory_order_relaxed);
    }

    Shards shards_;
    std::array<typename Platform::template Atomic<std::uint64_t>,
               static_cast<std::size_t>(Total::Count_)>
        totals_{};

    static constexpr std::uint64_t kUntracked = std::numeric_limits<std::uint64_t>::max();
    // Under the breaker's mutex. The recorded successes from here on are ends of tracked calls.
    std::uint64_t settledUntil_ = kUntracked;
};

}  // namespace fusebox::detail
