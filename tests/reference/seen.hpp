// SPDX-License-Identifier: MIT
// What can be seen of a breaker, real or modelled, as numbers that can be compared.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <vector>

#include "fusebox/breaker/stats.hpp"

namespace fusebox::test {

/// One word a figure; -1 where there is none.
enum class Figure : std::uint8_t {
    State,
    Mode,
    RetryAfter,
    Calls,
    Successes,
    Failures,
    Timeouts,
    Ignored,
    Cancelled,
    Rejected,
    ShadowRejected,
    Stale,
    Slow,
    TimesOpened,
    TimesClosed,
    TimesReconfigured,
    ListenerErrors,
    TimeOpen,
    ClosedToOpen,
    OpenToHalfOpen,
    HalfOpenToOpen,
    HalfOpenToClosed,
    OpenToClosed,
    Probes,
    InFlight,
    WindowCalls,
    WindowFailures,
    WindowSlow,
    WindowSize,
    FailureRateBits,
    SlowCallRateBits,
    FailuresInARow,
    SuccessesInARow,
    Average,
    Longest,
    MeasuredSuccesses,
    MeasuredFailures,
    MeasuredIgnored,
    HasFailureTime,
    HasOpened,
    HasClosed,
    TripReason,
    TripCalls,
    TripFailures,
    TripSlow,
    TripFailureRateBits,
    TripInARow,
    TripWait,
    TripOutcomes,
    TripSlowOutcomes,
    Count
};

[[nodiscard]] const char* nameOf(Figure figure);

class Seen {
public:
    [[nodiscard]] std::int64_t& operator[](Figure figure) {
        return figures_[static_cast<std::size_t>(figure)];
    }
    [[nodiscard]] std::int64_t operator[](Figure figure) const {
        return figures_[static_cast<std::size_t>(figure)];
    }
    friend bool operator==(const Seen&, const Seen&) = default;

    [[nodiscard]] static constexpr std::size_t size() {
        return static_cast<std::size_t>(Figure::Count);
    }

private:
    std::array<std::int64_t, static_cast<std::size_t>(Figure::Count)> figures_{};
};

[[nodiscard]] inline std::int64_t asFigure(std::uint64_t n) {
    return static_cast<std::int64_t>(n);
}
[[nodiscard]] inline std::int64_t asFigure(std::chrono::nanoseconds time) {
    return time.count();
}
/// Rates are quotients of whole numbers: equal or wrong.
[[nodiscard]] inline std::int64_t asFigure(std::optional<double> rate) {
    return rate ? std::bit_cast<std::int64_t>(*rate) : -1;
}
template <class T>
[[nodiscard]] std::int64_t asFigure(const std::optional<T>& figure) {
    return figure ? asFigure(*figure) : -1;
}

/// The last calls in two words: two bits of outcome each below a leading 1, and whether slow.
struct PastWords {
    std::int64_t outcomes = 1;
    std::int64_t slow = 0;

    void push(Outcome outcome, bool wasSlow) {
        // 31 of them fit; the sign stays clear.
        outcomes = ((outcomes & 0x0FFF'FFFF'FFFF'FFFF) << 2) | static_cast<std::int64_t>(outcome);
        slow = ((slow & 0x7FFF'FFFF) << 1) | static_cast<std::int64_t>(wasSlow);
    }
};
[[nodiscard]] inline PastWords wordsOf(const std::vector<PastCall>& calls) {
    PastWords words;
    for (const PastCall& call : calls) words.push(call.outcome, call.slow);
    return words;
}

inline void seeTrip(Seen& seen, const TripRecord& trip) {
    seen[Figure::TripReason] = static_cast<std::int64_t>(trip.reason);
    seen[Figure::TripCalls] = asFigure(trip.windowCalls);
    seen[Figure::TripFailures] = asFigure(trip.windowFailures);
    seen[Figure::TripSlow] = asFigure(trip.windowSlow);
    seen[Figure::TripFailureRateBits] = asFigure(trip.failureRate);
    seen[Figure::TripInARow] = asFigure(trip.consecutiveFailures);
    seen[Figure::TripWait] = asFigure(trip.wait);
    const PastWords past = wordsOf(trip.lastOutcomes);
    seen[Figure::TripOutcomes] = past.outcomes;
    seen[Figure::TripSlowOutcomes] = past.slow;
}

[[nodiscard]] inline Seen seenIn(const CircuitBreakerStats& s) {
    Seen seen;
    const auto put = [&](Figure figure, auto value) { seen[figure] = asFigure(value); };
    seen[Figure::State] = static_cast<std::int64_t>(s.state);
    seen[Figure::Mode] = static_cast<std::int64_t>(s.mode);
    put(Figure::RetryAfter, s.retryAfter);
    put(Figure::Calls, s.totalCalls);
    put(Figure::Successes, s.totalSuccesses);
    put(Figure::Failures, s.totalFailures);
    put(Figure::Timeouts, s.totalTimeouts);
    put(Figure::Ignored, s.totalIgnored);
    put(Figure::Cancelled, s.totalCancelled);
    put(Figure::Rejected, s.totalRejected);
    put(Figure::ShadowRejected, s.totalShadowRejected);
    put(Figure::Stale, s.totalStale);
    put(Figure::Slow, s.totalSlow);
    put(Figure::TimesOpened, s.timesOpened);
    put(Figure::TimesClosed, s.timesClosed);
    put(Figure::TimesReconfigured, s.timesReconfigured);
    put(Figure::ListenerErrors, s.listenerErrors);
    put(Figure::TimeOpen, s.timeOpen);
    put(Figure::ClosedToOpen, s.transitions.closedToOpen);
    put(Figure::OpenToHalfOpen, s.transitions.openToHalfOpen);
    put(Figure::HalfOpenToOpen, s.transitions.halfOpenToOpen);
    put(Figure::HalfOpenToClosed, s.transitions.halfOpenToClosed);
    put(Figure::OpenToClosed, s.transitions.openToClosed);
    seen[Figure::Probes] = s.probesInFlight;
    put(Figure::InFlight, s.inFlight);
    put(Figure::WindowCalls, s.windowCalls);
    put(Figure::WindowFailures, s.windowFailures);
    put(Figure::WindowSlow, s.windowSlow);
    put(Figure::WindowSize, s.windowSize);
    put(Figure::FailureRateBits, s.failureRate);
    put(Figure::SlowCallRateBits, s.slowCallRate);
    put(Figure::FailuresInARow, s.consecutiveFailures);
    put(Figure::SuccessesInARow, s.consecutiveSuccesses);
    put(Figure::Average, s.averageResponseTime);
    put(Figure::Longest, s.latency.max);
    put(Figure::MeasuredSuccesses, s.latencies.successes.calls);
    put(Figure::MeasuredFailures, s.latencies.failures.calls);
    put(Figure::MeasuredIgnored, s.latencies.ignored.calls);
    seen[Figure::HasFailureTime] = s.lastFailureTime.has_value();
    seen[Figure::HasOpened] = s.lastOpened.has_value();
    seen[Figure::HasClosed] = s.lastClosed.has_value();
    seen[Figure::TripReason] = -1;
    if (s.lastTrip) seeTrip(seen, *s.lastTrip);
    return seen;
}

/// The figures that differ, one a line.
inline void printDifferences(std::ostream& out, const Seen& real, const Seen& model) {
    for (std::size_t i = 0; i < Seen::size(); ++i) {
        const auto figure = static_cast<Figure>(i);
        if (real[figure] == model[figure]) continue;
        out << "  " << nameOf(figure) << ": breaker " << real[figure] << ", model " << model[figure]
            << '\n';
    }
}

inline const char* nameOf(Figure figure) {
    static constexpr const char* kNames[] = {
        "state",
        "mode",
        "retryAfter",
        "totalCalls",
        "totalSuccesses",
        "totalFailures",
        "totalTimeouts",
        "totalIgnored",
        "totalCancelled",
        "totalRejected",
        "totalShadowRejected",
        "totalStale",
        "totalSlow",
        "timesOpened",
        "timesClosed",
        "timesReconfigured",
        "listenerErrors",
        "timeOpen",
        "transitions.closedToOpen",
        "transitions.openToHalfOpen",
        "transitions.halfOpenToOpen",
        "transitions.halfOpenToClosed",
        "transitions.openToClosed",
        "probesInFlight",
        "inFlight",
        "windowCalls",
        "windowFailures",
        "windowSlow",
        "windowSize",
        "failureRate (bits)",
        "slowCallRate (bits)",
        "consecutiveFailures",
        "consecutiveSuccesses",
        "averageResponseTime",
        "latency.max",
        "latencies.successes.calls",
        "latencies.failures.calls",
        "latencies.ignored.calls",
        "has lastFailureTime",
        "has lastOpened",
        "has lastClosed",
        "lastTrip.reason",
        "lastTrip.windowCalls",
        "lastTrip.windowFailures",
        "lastTrip.windowSlow",
        "lastTrip.failureRate (bits)",
        "lastTrip.consecutiveFailures",
        "lastTrip.wait",
        "lastTrip.lastOutcomes",
        "lastTrip.lastOutcomes, slow",
    };
    static_assert(std::size(kNames) == Seen::size());
    return kNames[static_cast<std::size_t>(figure)];
}

}  // namespace fusebox::test
