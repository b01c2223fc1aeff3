// SPDX-License-Identifier: MIT
// Counters that many threads increment without writing each other's cache lines.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <thread>

#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/shard.hpp"
#include "fusebox/window/thread_number.hpp"

namespace fusebox::detail {

/// The number of shards for so many cores, 0 if that is not known: a power of two, at most 16.
[[nodiscard]] constexpr std::size_t shardCountOf(std::size_t cores) noexcept {
    return std::min<std::size_t>(std::bit_ceil(cores), 16);
}

/// The number of shards for `wanted`: rounded up to a power of two; 0 is that of the cores.
[[nodiscard]] inline std::size_t shardCount(int wanted) noexcept {
    if (wanted > 0) return std::bit_ceil(static_cast<std::size_t>(wanted));
    // Asking the system costs a file read; the answer does not change.
    static const std::size_t cores = std::thread::hardware_concurrency();
    return shardCountOf(cores);
}

struct NothingBeside {};

/// One cache line of counters a shard. There is one shard, until two threads meet on it: then there
/// are as many as was asked for, and threads spread over them. (So do the cells of Java's
/// LongAdder; Lea, java.util.concurrent.atomic.Striped64.)
///
/// Threads meet when one finds that another has counted between its own load and compare-exchange.
/// That may never happen to two that take turns in step, each with the line to itself for just as
/// long as it takes. So some counts also look who looked before.
///
/// The recorded successes carry a tag, the low bits of the epoch: a success adds only while its own
/// epoch is on the shard, in one atomic step, so that a late one cannot leak into a later epoch.
///
/// On the line of what every call reads and hardly anyone writes there is room for more of the
/// kind: that is `Beside`.
///
/// 48 bits of count a shard: at 10^8 calls a second on one shard they last 32 days.
///
/// **Threads.** Everything may be called concurrently, `enter` and `clear` under the breaker's
/// mutex.
template <class Platform = StdPlatform, class Beside = NothingBeside>
class ShardedCounters {
public:
    using Tag = std::uint16_t;
    using Mutex = typename Platform::Mutex;
    using Shard = detail::Shard<Platform>;

    /// @param most how many shards there may be: a power of two.
    /// @param mutex the breaker's, which guards its epochs.
    ShardedCounters(std::size_t most, Mutex& mutex) noexcept : most_(most), mutex_(mutex) {}
    ShardedCounters(const ShardedCounters&) = delete;
    ShardedCounters& operator=(const ShardedCounters&) = delete;
    ~ShardedCounters() {
        // relaxed: who destroys it has the last say over it already.
        Shard* const shards = shards_.load(std::memory_order_relaxed);
        if (shards != &first_) delete[] shards;
    }

    /// How many shards threads write to.
    [[nodiscard]] std::size_t size() const noexcept {
        return mask_.load(std::memory_order_relaxed) + 1;
    }

    /// How many there may be.
    [[nodiscard]] std::size_t most() const noexcept { return most_; }

    /// The shard of this thread.
    [[nodiscard]] FUSEBOX_HOT Shard& mine() noexcept {
        // acquire, with the releases in `spread`: who sees the mask sees as many shards.
        const std::size_t mask = mask_.load(std::memory_order_acquire);
        return shards_.load(std::memory_order_acquire)[thisThreadNumber() & mask];
    }
    /// The one that is always there.
    [[nodiscard]] Shard& first() noexcept { return first_; }
    [[nodiscard]] const Shard& first() const noexcept { return first_; }

    /// The breaker's.
    [[nodiscard]] Mutex& mutex() const noexcept { return mutex_; }

    [[nodiscard]] FUSEBOX_HOT Beside& beside() noexcept { return beside_; }
    [[nodiscard]] const Beside& beside() const noexcept { return beside_; }

    /// Counts a success of the epoch `tag`; false, and nothing is counted, if the shard is in
    /// another epoch by now, if another thread was counting there just then, or if this is a count
    /// that looks around: then it is for `addSuccess`.
    FUSEBOX_HOT bool tryAddSuccess(Tag tag) noexcept { return tryAddSuccess(mine(), tag); }
    FUSEBOX_HOT static bool tryAddSuccess(Shard& shard, Tag tag) noexcept {
        auto& recorded = shard.recorded;
        // relaxed: the sum is read under the breaker's mutex and needs no more than each counter's
        // own history, which coherence gives; the tag travels in the same atomic.
        std::uint64_t seen = recorded.load(std::memory_order_relaxed);
        if (tagOf(seen) != tag) [[unlikely]]
            return false;
        if (looksAround(seen)) [[unlikely]]
            return false;
        return recorded.compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed,
                                                std::memory_order_relaxed);
    }

    /// Counts a success of the epoch `tag`; false if the shard is in another epoch by now. Not for
    /// the holder of the mutex.
    bool addSuccess(Tag tag) noexcept {
        for (;;) {
            auto& recorded = mine().recorded;
            // relaxed: as in `tryAddSuccess`.
            std::uint64_t seen = recorded.load(std::memory_order_relaxed);
            if (tagOf(seen) != tag) return false;
            if (recorded.compare_exchange_strong(seen, seen + 1, std::memory_order_relaxed,
                                                 std::memory_order_relaxed)) {
                if (looksAround(seen)) lookAround();
                return true;
            }
            spread();
        }
    }

    /// Adds to a tally of this thread's shard.
    FUSEBOX_HOT void add(Tally tally, std::uint64_t amount = 1) noexcept {
        mine().add(tally, amount);
    }

    /// As `add`, and notices other threads, for calls that count nothing else. Not for the holder
    /// of the mutex.
    FUSEBOX_HOT void addAlone(Tally tally) noexcept {
        auto& count = mine().tallies[static_cast<std::size_t>(tally)];
        // relaxed: totals order nothing.
        // Read first: an increment without a result costs less.
        const std::uint64_t seen = count.load(std::memory_order_relaxed);
        count.fetch_add(1, std::memory_order_relaxed);
        if (looksAround(seen)) [[unlikely]]
            lookAround();
    }

    /// The recorded successes of all epochs.
    [[nodiscard]] std::uint64_t sum() const noexcept {
        std::uint64_t total = 0;
        forEach([&](const Shard& shard) {
            total += countOf(shard.recorded.load(std::memory_order_relaxed));
        });
        return total;
    }

    [[nodiscard]] std::uint64_t total(Tally tally) const noexcept {
        std::uint64_t total = 0;
        forEach([&](const Shard& shard) {
            total += shard.tallies[static_cast<std::size_t>(tally)].load(std::memory_order_relaxed);
        });
        return total;
    }

    /// Calls `action` with each shard, also one to which no thread writes any more.
    template <class Action>
    void forEach(Action&& action) const noexcept {
        visit<const Shard>(*this, action);
    }

    /// Moves every shard to the epoch `tag`, without losing a count.
    /// @return the sum at which each shard changed over.
    std::uint64_t enter(Tag tag) noexcept { return retag(tag, kCountMask); }

    /// Moves every shard to the epoch `tag` and back to zero, but for the calls begun and ended:
    /// those in flight stay in flight.
    /// @return the sum at which each shard changed over.
    std::uint64_t clear(Tag tag) noexcept {
        const std::uint64_t sum = retag(tag, 0);
        visit<Shard>(*this, [](Shard& shard) {
            for (std::size_t t = 0; t < shard.tallies.size(); ++t) {
                if (static_cast<Tally>(t) == Tally::Begun ||
                    static_cast<Tally>(t) == Tally::Ended) {
                    continue;
                }
                shard.tallies[t].store(0, std::memory_order_relaxed);
            }
        });
        return sum;
    }

private:
    static constexpr int kCountBits = 48;
    static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;

    [[nodiscard]] static constexpr Tag tagOf(std::uint64_t value) noexcept {
        return static_cast<Tag>(value >> kCountBits);
    }
    [[nodiscard]] static constexpr std::uint64_t countOf(std::uint64_t value) noexcept {
        return value & kCountMask;
    }
    [[nodiscard]] static constexpr std::uint64_t tagged(Tag tag, std::uint64_t count) noexcept {
        return (std::uint64_t{tag} << kCountBits) | count;
    }

    [[nodiscard]] static constexpr bool looksAround(std::uint64_t count) noexcept {
        return (count & Platform::kLooks) == Platform::kLooks;
    }

    template <class As, class Self, class Action>
    static void visit(Self& self, Action&& action) noexcept {
        action(self.first_);
        // relaxed: with an old mask or old shards the others are left out, as if nothing had been
        // counted there yet. Who knows of a count there knows of both, by coherence.
        const std::size_t mask = self.mask_.load(std::memory_order_relaxed);
        As* const shards = self.shards_.load(std::memory_order_acquire);
        if (shards == &self.first_) return;
        for (std::size_t i = 0; i <= mask; ++i) action(shards[i]);
    }

    std::uint64_t retag(Tag tag, std::uint64_t kept) noexcept {
        std::uint64_t total = 0;
        visit<Shard>(*this, [&](Shard& shard) {
            std::uint64_t seen = shard.recorded.load(std::memory_order_relaxed);
            // relaxed: callers learn of the new epoch from the word, stored with release after
            // this.
            while (!shard.recorded.compare_exchange_weak(seen, tagged(tag, seen & kept),
                                                         std::memory_order_relaxed,
                                                         std::memory_order_relaxed)) {
            }
            total += countOf(seen);
        });
        return total;
    }

    /// Spreads if another thread looked around here before this one; later, sees to its own number.
    FUSEBOX_COLD void lookAround() noexcept {
        if (size() == 1) {
            const std::uintptr_t me = thisThreadIdentity();
            // relaxed: only whether the two differ matters.
            const std::uintptr_t before = lastToLook_.load(std::memory_order_relaxed);
            if (before == me) return;
            lastToLook_.store(me, std::memory_order_relaxed);
            if (before == 0) return;
        }
        spread();
    }

    /// This thread may have met another on a shard. Makes as many shards as there may be, once, and
    /// gives the thread a number, by which they spread, or a better one. While the mutex is busy,
    /// or without memory, they go on sharing: the next that meet try again.
    FUSEBOX_COLD void spread() noexcept {
        if (most_ == 1) return;
        numberThisThread();
        if (size() != 1) return;
        const std::unique_lock lock{mutex_, std::try_to_lock};
        if (!lock.owns_lock() || size() != 1) return;
        Shard* const shards = new (std::nothrow) Shard[most_];
        if (!shards) return;
        // Under the mutex the first shard is in the present epoch.
        const Tag tag = tagOf(first_.recorded.load(std::memory_order_relaxed));
        std::for_each_n(shards, most_, [=](Shard& shard) {
            shard.recorded.store(tagged(tag, 0), std::memory_order_relaxed);
        });
        // release, with the acquires in `mine`: the shards are made before they are found, and are
        // there before the mask says so.
        shards_.store(shards, std::memory_order_release);
        mask_.store(most_ - 1, std::memory_order_release);
    }

    // Read by every call, written once at most.
    typename Platform::template Atomic<Shard*> shards_{&first_};
    typename Platform::template Atomic<std::size_t> mask_{0};
    std::size_t most_;
    Mutex& mutex_;
    typename Platform::template Atomic<std::uintptr_t> lastToLook_{0};
    Beside beside_{};

    Shard first_{};
};

}  // namespace fusebox::detail
