// SPDX-License-Identifier: MIT
// When and why the breaker opened and closed, and what failed last.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// Up to 127 bytes of text that never allocate; a longer text is cut between UTF-8 characters.
class ShortText {
public:
    void assign(std::string_view text) noexcept {
        size_ = std::min(text.size(), bytes_.size());
        const auto continues = [&](std::size_t at) {
            return (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
        };
        while (size_ > 0 && size_ < text.size() && continues(size_)) --size_;
        if (size_ > 0) std::memcpy(bytes_.data(), text.data(), size_);
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.data(), size_}; }

private:
    std::array<char, 127> bytes_{};
    std::size_t size_ = 0;
};

/// The history of openings. Used under the breaker's mutex; never allocates but in `fill`.
class OpeningHistory {
public:
    using WallTime = std::chrono::system_clock::time_point;

    /// What a verdict rests on.
    struct Evidence {
        CallCounts window{};
        std::uint64_t minimumCalls = 1;
        std::uint64_t consecutiveFailures = 0;
        std::uint64_t consecutiveSuccesses = 0;
    };

    void failed(std::string_view error) noexcept {
        lastError_.assign(error);
        lastFailure_ = std::chrono::system_clock::now();
    }

    /// Open as of an instant, learnt of `sinceThen` later.
    void opened(TransitionReason reason, const Evidence& evidence, std::chrono::nanoseconds asOf,
                std::chrono::nanoseconds sinceThen, std::chrono::nanoseconds wait) noexcept {
        ++timesOpened_;
        openedAt_ = asOf;
        lastOpened_ = std::chrono::system_clock::now() -
                      std::chrono::duration_cast<std::chrono::system_clock::duration>(sinceThen);
        trip_ = Trip{reason, *lastOpened_, evidence, wait, lastError_};
    }

    /// Open no longer as of `until`.
    void leftOpen(std::chrono::nanoseconds until) noexcept { timeOpen_ += openFor(until); }

    void closed() noexcept {
        ++timesClosed_;
        lastClosed_ = std::chrono::system_clock::now();
    }

    /// How long the present opening has lasted at `now`.
    [[nodiscard]] std::chrono::nanoseconds openFor(std::chrono::nanoseconds now) const noexcept {
        return std::max(saturatingSubtract(now, openedAt_), std::chrono::nanoseconds::zero());
    }

    void fill(CircuitBreakerStats& stats) const {
        stats.timesOpened = timesOpened_;
        stats.timesClosed = timesClosed_;
        stats.timeOpen = timeOpen_;
        stats.lastError = lastError_.view();
        stats.lastFailureTime = lastFailure_;
        stats.lastOpened = lastOpened_;
        stats.lastClosed = lastClosed_;
        if (trip_) stats.lastTrip = trip_->record();
    }

private:
    struct Trip {
        TransitionReason reason;
        WallTime time;
        Evidence evidence;
        std::chrono::nanoseconds wait;
        ShortText error;

        [[nodiscard]] TripRecord record() const {
            TripRecord record;
            record.reason = reason;
            record.time = time;
            record.windowCalls = evidence.window.calls;
            record.windowFailures = evidence.window.failures;
            record.windowSlow = evidence.window.slow;
            record.failureRate = evidence.window.failureRate(evidence.minimumCalls);
            record.slowCallRate = evidence.window.slowCallRate(evidence.minimumCalls);
            record.consecutiveFailures = evidence.consecutiveFailures;
            record.wait = wait;
            record.lastError = error.view();
            return record;
        }
    };

    std::uint64_t timesOpened_ = 0;
    std::uint64_t timesClosed_ = 0;
    std::chrono::nanoseconds timeOpen_{0};
    std::chrono::nanoseconds openedAt_{0};
    ShortText lastError_{};
    std::optional<WallTime> lastFailure_{};
    std::optional<WallTime> lastOpened_{};
    std::optional<WallTime> lastClosed_{};
    std::optional<Trip> trip_{};
};

}  // namespace fusebox::detail
