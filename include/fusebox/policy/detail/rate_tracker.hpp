// SPDX-License-Identifier: MIT
// What the policies on a share of the calls have in common: a call window and a threshold.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "fusebox/policy/detail/count_field.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/clock.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"
#include "fusebox/window/call_window.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox::detail {

/// The tracker of a policy that compares a share of the calls in a window with a threshold. The
/// policy's own tracker adds `record`.
template <class Clock>
class RateTracker {
public:
    template <class Policy>
    explicit RateTracker(const Policy& policy)
        : spec_(policy.window),
          window_(policy.window),
          threshold_(policy.threshold),
          minimumCalls_(static_cast<std::uint64_t>(std::max(policy.minimumCalls, 1))) {}

    /// A time window needs one caller a slice to note the totals at its edge.
    [[nodiscard]] TrackerNeeds needs() const noexcept {
        // Lagging edges blur the window by the coarse clock's lag: an eighth of a slice is fine.
        const bool shortSlices = spec_.duration() / 10 < 8 * CompleteClockTraits<Clock>::coarseLag;
        return {.time = spec_.isTime(),
                .ticks = spec_.isTime(),
                .preciseTicks = spec_.isTime() && shortSlices,
                .minimumCalls = minimumCalls_,
                .windowSize = static_cast<std::uint64_t>(spec_.calls())};
    }

    void enter(std::chrono::nanoseconds now) noexcept { window_.enter(now); }

    /// A window of the same kind, whatever the threshold was.
    bool adopt(const RateTracker& other) noexcept { return window_.adopt(other.window_); }

    void tick(std::uint64_t position, std::chrono::nanoseconds now) noexcept {
        window_.tick(position, now);
    }

    [[nodiscard]] std::chrono::nanoseconds nextTick() const noexcept { return window_.nextTick(); }

    [[nodiscard]] CallCounts counts(std::uint64_t position,
                                    std::chrono::nanoseconds now) const noexcept {
        return window_.counts(position, now);
    }

protected:
    /// Records the call and returns the window with it.
    CallCounts countIn(const CallRecord& record, bool slow) noexcept {
        window_.record(record.position, record.time, record.failed, slow);
        return window_.counts(record.position, record.time);
    }

    [[nodiscard]] std::uint64_t minimumCalls() const noexcept { return minimumCalls_; }

    [[nodiscard]] bool isReachedBy(std::optional<double> rate) const noexcept {
        return rate && *rate >= threshold_;
    }

private:
    Window spec_;
    CallWindow window_;
    double threshold_;
    std::uint64_t minimumCalls_;
};

/// " of at least 50 % over the last 100 calls (minimum 10 calls)".
template <class Policy>
[[nodiscard]] std::string rateInWords(const Policy& policy) {
    return " of at least " + toPercent(policy.threshold) + " over " + toString(policy.window) +
           " (minimum " + toText(policy.minimumCalls, "call") + ")";
}

/// What is wrong with the fields of `policy`, called `name`, that all rates have in common.
template <class Policy>
[[nodiscard]] Complaint complaintOfRate(const std::string& name, const Policy& policy) {
    return firstOf(requireRate(name + ".threshold", policy.threshold),
                   requireThreshold(name + ".minimumCalls", policy.minimumCalls, policy.window),
                   requireWindow(name + ".window", policy.window));
}

}  // namespace fusebox::detail
