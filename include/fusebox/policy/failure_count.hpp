// SPDX-License-Identifier: MIT
// Trip on so many failures within a window.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "fusebox/policy/detail/count_field.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"
#include "fusebox/window/ring.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox {

/// Trips on `threshold` failures within `window`, exactly: a failure whose age is the window is out
/// of it. The number of calls does not matter, so it suits traffic that hardly varies.
struct FailureCount {
    /// Failures within the window, 1 to 1'000'000, and no more than the window's calls. It should
    /// grow with the traffic: too low, and a busy hour's ordinary failures trip.
    int threshold = 5;
    /// Too long adds up failures that have nothing to do with each other.
    Window window = std::chrono::seconds{60};

    friend bool operator==(const FailureCount&, const FailureCount&) = default;

    friend std::string toString(const FailureCount& policy) {
        return detail::toText(policy.threshold, "failure") + " within " + toString(policy.window);
    }

    friend Complaint validate(const FailureCount& policy) {
        return detail::firstOf(detail::requireThreshold("FailureCount.threshold", policy.threshold,
                                                        policy.window, detail::kMaxThreshold),
                               detail::requireWindow("FailureCount.window", policy.window));
    }

    /// The times (or positions) of the last `threshold` failures: 8 bytes each, allocated at
    /// construction. A record takes constant time; successes cost nothing.
    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const FailureCount& policy)
            : window_(policy.window),
              failures_(static_cast<std::size_t>(
                  std::clamp(policy.threshold, 1, detail::kMaxThreshold))) {}

        /// Over a time window no calls are counted, so that no number of them gives a rate.
        [[nodiscard]] TrackerNeeds needs() const noexcept {
            if (!window_.isTime())
                return {.time = false, .windowSize = static_cast<std::uint64_t>(window_.calls())};
            return {.minimumCalls = std::numeric_limits<std::uint64_t>::max()};
        }

        void enter(std::chrono::nanoseconds) noexcept { failures_.clear(); }

        /// The failures of a window of the same kind that is at least as long, if none is missing
        /// that the new threshold asks for.
        bool adopt(const Tracker& other) noexcept {
            if (!detail::reachesAsFar(other.window_, window_)) return false;
            const auto& known = other.failures_;
            // Beyond a full ring lie failures that it has forgotten.
            const bool forgot = known.full() && failures_.capacity() > known.capacity();
            if (forgot && isWithin(known[0], known[known.size() - 1])) return false;
            failures_.clear();
            const std::size_t most = std::min(known.size(), failures_.capacity());
            for (std::size_t i = known.size() - most; i < known.size(); ++i) {
                failures_.push(known[i]);
            }
            return true;
        }

        Verdict record(const CallRecord& record) noexcept {
            const std::int64_t now = placeOf(record.position, record.time);
            if (record.failed) {
                if (failures_.full()) failures_.pop();
                failures_.push(now);
            }
            const bool holds = failures_.full() && isWithin(failures_[0], now);
            return {record.failed && holds, holds};
        }

        /// Failures up to `threshold`, no slow calls; over a time window the only calls known of
        /// are the failures. Linear in `threshold`.
        [[nodiscard]] CallCounts counts(std::uint64_t position,
                                        std::chrono::nanoseconds time) const noexcept {
            const std::int64_t now = placeOf(position, time);
            std::size_t gone = 0;
            while (gone < failures_.size() && !isWithin(failures_[gone], now)) ++gone;
            const std::uint64_t failures = failures_.size() - gone;
            if (window_.isTime()) return {failures, failures, 0};
            return {std::min(position, static_cast<std::uint64_t>(window_.calls())), failures, 0};
        }

    private:
        [[nodiscard]] std::int64_t placeOf(std::uint64_t position,
                                           std::chrono::nanoseconds time) const noexcept {
            return window_.isTime() ? time.count() : static_cast<std::int64_t>(position);
        }

        [[nodiscard]] bool isWithin(std::int64_t place, std::int64_t now) const noexcept {
            using std::chrono::nanoseconds;
            if (!window_.isTime()) return now - place < window_.calls();
            if (window_.duration() == kForever) return true;
            return saturatingSubtract(nanoseconds{now}, nanoseconds{place}) < window_.duration();
        }

        Window window_;
        detail::Ring<std::int64_t> failures_;
    };
};

// For qualified calls.
std::string toString(const FailureCount& policy);
Complaint validate(const FailureCount& policy);

}  // namespace fusebox
