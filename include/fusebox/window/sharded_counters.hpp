// SPDX-License-Identifier: MIT
// Counters that many threads increment without writing each other's cache lines.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/thread_number.hpp"

namespace fusebox::detail {

/// What a shard counts besides the recorded successes.
enum class Tally : std::size_t {
    OtherSuccesses,  ///< Successes that no window counts: stale ones, probes, slow ones.
    Rejected,
    ShadowRejected,
    Begun,
    Ended,
    ElapsedSum,  ///< Nanoseconds.
    Count_,
};

/// The number of shards for `wanted`: rounded up to a power of two; 0 is the number of cores, at
/// most 16.
[[nodiscard]] inline std::size_t shardCount(int wanted) noexcept {
    if (wanted > 0) return std::bit_ceil(static_cast<std::size_t>(wanted));
    // Asking the system costs a file read; the answer does not change.
    static const std::size_t cores = std::thread::hardware_concurrency();
    return std::bit_ceil(std::clamp<std::size_t>(cores, 1, 16));
}

/// One cache line of counters a shard. The recorded successes carry a tag, the low bits of the
/// epoch: a success adds only while its own epoch is on the shard, in one atomic step, so that a
/// late one cannot leak into a later epoch.
///
/// 48 bits of count a shard: at 10^8 calls a second on one shard they last 32 days.
template <class Platform = StdPlatform>
class ShardedCounters {
public:
    using Tag = std::uint16_t;

    /// @param shards a power of two.
    explicit ShardedCounters(std::size_t shards)
        : shards_(std::make_unique<Shard[]>(shards)), mask_(shards - 1) {}

    [[nodiscard]] std::size_t size() const noexcept { return mask_ + 1; }

    /// The index of this thread's shard.
    [[nodiscard]] FUSEBOX_HOT std::size_t mine() const noexcept {
        return thisThreadNumber() & mask_;
    }

    /// Counts a success of the epoch `tag`; false if the shard is in another epoch by now.
    FUSEBOX_HOT bool addSuccess(Tag tag) noexcept {
        auto& recorded = shards_[mine()].recorded;
        // relaxed: the sum is read under the breaker's mutex and needs no more than each counter's
        // own history, which coherence gives; the tag travels in the same atomic.
        std::uint64_t seen = recorded.load(std::memory_order_relaxed);
        do {
            if (tagOf(seen) != tag) [[unlikely]]
                return false;
        } while (!recorded.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed,
                                                 std::memory_order_relaxed));
        return true;
    }

    /// The recorded successes of all epochs.
    [[nodiscard]] std::uint64_t sum() const noexcept {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i <= mask_; ++i) {
            total += countOf(shards_[i].recorded.load(std::memory_order_relaxed));
        }
        return total;
    }

    /// Moves every shard to the epoch `tag`, without losing a count.
    /// @return the sum at which each shard changed over.
    std::uint64_t enter(Tag tag) noexcept { return retag(tag, kCountMask); }

    /// Moves every shard to the epoch `tag` and back to zero, but for the calls begun and ended:
    /// those in flight stay in flight.
    void clear(Tag tag) noexcept {
        retag(tag, 0);
        for (std::size_t i = 0; i <= mask_; ++i) {
            for (std::size_t t = 0; t < shards_[i].tallies.size(); ++t) {
                if (static_cast<Tally>(t) == Tally::Begun ||
                    static_cast<Tally>(t) == Tally::Ended) {
                    continue;
                }
                shards_[i].tallies[t].store(0, std::memory_order_relaxed);
            }
        }
    }

    /// Adds to a tally of this thread's shard.
    FUSEBOX_HOT void add(Tally tally, std::uint64_t amount = 1) noexcept {
        shards_[mine()].tallies[static_cast<std::size_t>(tally)].fetch_add(
            amount, std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t total(Tally tally) const noexcept {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i <= mask_; ++i) {
            total +=
                shards_[i].tallies[static_cast<std::size_t>(tally)].load(std::memory_order_relaxed);
        }
        return total;
    }

private:
    static constexpr int kCountBits = 48;
    static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;

    struct alignas(kCacheLine) Shard {
        typename Platform::template Atomic<std::uint64_t> recorded{0};
        std::array<typename Platform::template Atomic<std::uint64_t>,
                   static_cast<std::size_t>(Tally::Count_)>
            tallies{};
    };

    [[nodiscard]] static constexpr Tag tagOf(std::uint64_t value) noexcept {
        return static_cast<Tag>(value >> kCountBits);
    }
    [[nodiscard]] static constexpr std::uint64_t countOf(std::uint64_t value) noexcept {
        return value & kCountMask;
    }

    std::uint64_t retag(Tag tag, std::uint64_t kept) noexcept {
        std::uint64_t total = 0;
        for (std::size_t i = 0; i <= mask_; ++i) {
            auto& recorded = shards_[i].recorded;
            std::uint64_t seen = recorded.load(std::memory_order_relaxed);
            // relaxed: callers learn of the new epoch from the word, stored with release after
            // this.
            while (!recorded.compare_exchange_weak(
                seen, (std::uint64_t{tag} << kCountBits) | (seen & kept), std::memory_order_relaxed,
                std::memory_order_relaxed)) {
            }
            total += countOf(seen);
        }
        return total;
    }

    std::unique_ptr<Shard[]> shards_;
    std::size_t mask_;
};

}  // namespace fusebox::detail
