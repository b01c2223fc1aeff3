// SPDX-License-Identifier: MIT
// The last T of time, in slices of a tenth of it.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox {

/// Counts every call from the last T and none older than T and a tenth: the slice that `now` is in
/// and the ten before it. A success writes nothing here; the first call after the end of a slice
/// notes the totals at its edge. No allocation; each operation is at most 11 stores.
///
/// A time that goes back is read as the latest seen. Edges that lie beyond the clock's range never
/// come.
class LastTimeWindow {
public:
    /// @param span T, held to at least 1 ns.
    explicit LastTimeWindow(std::chrono::nanoseconds span) noexcept
        : span_(std::max<std::int64_t>(span.count(), 1)) {
        enter(std::chrono::nanoseconds{0});
    }

    /// Forgets everything: the next position is 1, and the first slice begins at `now`.
    void enter(std::chrono::nanoseconds now) noexcept {
        edges_ = {};
        failures_ = slow_ = 0;
        beginSlice(now, 0);
    }

    /// Takes over what a window of the same length knows; false, and unchanged, for another length:
    /// its slices have other edges.
    bool adopt(const LastTimeWindow& other) noexcept {
        if (span_ != other.span_) return false;
        *this = other;
        return true;
    }

    /// Ends the slices that are over at `now`: `position` calls were recorded before.
    void tick(std::uint64_t position, std::chrono::nanoseconds now) noexcept {
        if (now >= nextEdge_) endSlices(position, now);
    }

    /// Records the call at `position`, which ended at `now`.
    void record(std::uint64_t position, std::chrono::nanoseconds now, bool failed,
                bool slow) noexcept {
        tick(position - 1, now);
        // Not sums: of those gcc 12 makes one of vectors, and a failure costs 1 to 14 ns more.
        if (failed) ++failures_;
        if (slow) ++slow_;
    }

    /// The window at `now`, when `position` calls have been recorded; `now` may be later than the
    /// last tick.
    [[nodiscard]] CallCounts counts(std::uint64_t position,
                                    std::chrono::nanoseconds now) const noexcept {
        // What a policy asks at each record.
        if (now < nextEdge_) return countsSince(edges_[oldest_], position);
        return countsLater(position, now);
    }

    /// The end of the present slice: when to call `tick` next.
    [[nodiscard]] std::chrono::nanoseconds nextEdge() const noexcept { return nextEdge_; }

private:
    static constexpr int kSlices = 10;
    // The present slice's edge and those of the ten before it.
    static constexpr std::size_t kEdges = kSlices + 1;

    /// The totals at the beginning of a slice.
    struct Edge {
        std::uint64_t position = 0;
        std::uint64_t failures = 0;
        std::uint64_t slow = 0;
    };

    /// Where an instant lies: the beginning of its round of ten slices, and its slice there.
    struct Place {
        std::chrono::nanoseconds round;
        int roundsAhead;  // of the present round, at most 2: that outlasts the window
        int slice;
    };

    [[nodiscard]] CallCounts countsSince(const Edge& edge, std::uint64_t position) const noexcept {
        return {position - edge.position, failures_ - edge.failures, slow_ - edge.slow};
    }

    /// @pre `now` is not before the end of the present slice.
    [[nodiscard]] FUSEBOX_APART CallCounts
    countsLater(std::uint64_t position, std::chrono::nanoseconds now) const noexcept {
        const std::size_t ended = slicesUntil(placeOf(now));
        if (ended >= kEdges) return {};
        return countsSince(edges_[(oldest_ + ended) % kEdges], position);
    }

    /// @pre `now` is not before the end of the present slice.
    FUSEBOX_APART void endSlices(std::uint64_t position, std::chrono::nanoseconds now) noexcept {
        const Place place = placeOf(now);
        const std::size_t ended = slicesUntil(place);
        for (std::size_t i = 0; i < ended; ++i) {
            edges_[oldest_] = {position, failures_, slow_};
            oldest_ = (oldest_ + 1) % kEdges;
        }
        beginSlice(place.round, place.slice);
    }

    // The edges of a round are ceil(slice * T / 10), computed without the product: ten slices are
    // then exactly T, whether or not 10 divides it, and a slice is never longer than T / 10 rounded
    // up. With T below 10 ns some slices are empty, which does no harm.
    [[nodiscard]] constexpr std::int64_t edgeOf(int slice) const noexcept {
        return slice * (span_ / kSlices) + (slice * (span_ % kSlices) + kSlices - 1) / kSlices;
    }

    /// @pre `now` is not before the beginning of the round.
    [[nodiscard]] Place placeOf(std::chrono::nanoseconds now) const noexcept {
        // Unsigned, because the distance of two instants can exceed the signed range.
        const std::uint64_t since =
            static_cast<std::uint64_t>(now.count()) - static_cast<std::uint64_t>(round_.count());
        const auto span = static_cast<std::uint64_t>(span_);
        const auto rest = static_cast<std::int64_t>(since % span);
        int slice = 0;
        // The last edge is the span, above any rest.
        while (edgeOf(slice + 1) <= rest) ++slice;
        return {now - std::chrono::nanoseconds{rest},
                static_cast<int>(std::min<std::uint64_t>(since / span, 2)), slice};
    }

    /// How many slices end between the present one and `place`, at most `kEdges`.
    [[nodiscard]] std::size_t slicesUntil(const Place& place) const noexcept {
        const int ended = place.roundsAhead * kSlices + place.slice - slice_;
        return std::min(static_cast<std::size_t>(ended), kEdges);
    }

    void beginSlice(std::chrono::nanoseconds round, int slice) noexcept {
        round_ = round;
        slice_ = slice;
        nextEdge_ = saturatingAdd(round, std::chrono::nanoseconds{edgeOf(slice + 1)});
    }

    std::int64_t span_;
    // The rest is set by `enter`, but for where the oldest edge stands: while all are equal that
    // does not matter.
    std::array<Edge, kEdges> edges_;
    std::size_t oldest_ = 0;
    std::uint64_t failures_;
    std::uint64_t slow_;
    std::chrono::nanoseconds round_;
    int slice_;
    std::chrono::nanoseconds nextEdge_;
};

}  // namespace fusebox
