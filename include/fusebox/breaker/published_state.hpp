// SPDX-License-Identifier: MIT
// What a breaker publishes: the word and its companions. Every atomic of the protocol is here.
//
// docs/design/memory_ordering.md explains the pairs of memory orders by the letters used here.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>

#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// Read by all without a lock, written by the holder of the breaker's mutex.
///
/// (A) The word is stored with release, last of all, and read with acquire: whoever sees a word
/// sees the shard tags and the companions that were stored before it.
///
/// (B) The companions are stored with release and read with acquire too: whoever reads one of a
/// later epoch also sees that the word has moved on. So a reader takes the word, its companions,
/// and then the word again: if it is the same, they belong together.
template <class Platform = StdPlatform>
class PublishedState {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    [[nodiscard]] FUSEBOX_HOT StateWord word() const noexcept {
        return StateWord{word_.load(std::memory_order_acquire)};  // (A)
    }
    /// The word or an older one; for who finds out otherwise that it is old.
    [[nodiscard]] FUSEBOX_HOT StateWord staleWord() const noexcept {
        return StateWord{word_.load(std::memory_order_relaxed)};
    }
    /// The end of the wait of an open breaker.
    [[nodiscard]] Nanoseconds deadline() const noexcept { return read(deadline_); }
    /// The last instant at which no probe of a half-open breaker is lost.
    [[nodiscard]] Nanoseconds lease() const noexcept { return read(lease_); }
    /// The wait of a half-open breaker when it reopens.
    [[nodiscard]] Nanoseconds reopenWait() const noexcept { return read(reopenWait_); }

    /// Until when a breaker that is not closed reads Open at `now`. A lost probe has reopened it as
    /// of the end of its lease; empty if it is half-open and its probes are well.
    [[nodiscard]] std::optional<Nanoseconds> openUntil(StateWord word,
                                                       Nanoseconds now) const noexcept {
        if (word.state() == CircuitState::Open) return deadline();
        const Nanoseconds leaseEnd = lease();
        if (now <= leaseEnd) return std::nullopt;
        return saturatingAdd(leaseEnd, reopenWait());
    }
    /// The rest at `now` of a wait until `until` that is not over, at most the wait itself: a
    /// coarse `now` may lag behind the instant at which the wait began. Of instants that do not
    /// belong together, see (B), any number.
    [[nodiscard]] Nanoseconds restOf(Nanoseconds until, Nanoseconds now) const noexcept {
        if (until == kForever) [[unlikely]]
            return kForever;
        return wrappingSubtract(until, std::max(now, read(openedAt_)));
    }
    [[nodiscard]] bool tickDue(Nanoseconds now) const noexcept {
        // relaxed: a hint, decided under the mutex.
        return now.count() >= nextTick_.load(std::memory_order_relaxed);
    }

    void setWait(Nanoseconds from, Nanoseconds until) noexcept {
        write(openedAt_, from);
        write(deadline_, until);
    }
    /// How many probes may be in flight at once.
    [[nodiscard]] int probeLimit() const noexcept {
        return probeLimit_.load(std::memory_order_acquire);  // (B)
    }
    void setProbeLimit(int limit) noexcept {
        probeLimit_.store(limit, std::memory_order_release);  // (B)
    }
    void setReopenWait(Nanoseconds wait) noexcept { write(reopenWait_, wait); }
    void setNextTick(Nanoseconds tick) noexcept {
        nextTick_.store(tick.count(), std::memory_order_relaxed);
    }
    /// Last of all: whoever reads the word finds the rest in place.
    void publish(StateWord next, Nanoseconds lease) noexcept {
        // Half-open words only: a reader who still has one must not pair it with a later "never".
        if (next.state() == CircuitState::HalfOpen) write(lease_, lease);
        word_.store(next.bits(), std::memory_order_release);  // (A)
    }

private:
    using Instant = typename Platform::template Atomic<Nanoseconds::rep>;

    [[nodiscard]] static Nanoseconds read(const Instant& companion) noexcept {
        return Nanoseconds{companion.load(std::memory_order_acquire)};  // (B)
    }
    static void write(Instant& companion, Nanoseconds value) noexcept {
        companion.store(value.count(), std::memory_order_release);  // (B)
    }

    typename Platform::template Atomic<StateWord::Bits> word_{0};
    Instant openedAt_{Nanoseconds::min().count()};
    Instant deadline_{0};
    Instant lease_{kForever.count()};
    Instant reopenWait_{0};
    Instant nextTick_{kForever.count()};
    typename Platform::template Atomic<int> probeLimit_{0};
};

}  // namespace fusebox::detail
