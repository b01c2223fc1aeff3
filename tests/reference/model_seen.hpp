// SPDX-License-Identifier: MIT
// What the model shows and tells.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "reference/model.hpp"

namespace fusebox::test {

inline Model::Reading Model::reading() const {
    if (mode_ == ControlMode::ForcedOpen) return {CircuitState::Open, kForever, false, {}};
    const auto lost = lostAt();
    CircuitState state = lost ? CircuitState::Open : state_;
    Nanoseconds deadline = deadline_;
    if (lost) deadline = saturatingAdd(*lost, usualWait(reopenings_ + 1));
    if (state == CircuitState::Open && now_ >= deadline) state = CircuitState::HalfOpen;
    if (mode_ == ControlMode::ForcedClosed) state = CircuitState::Closed;
    return {state, deadline == kForever ? kForever : deadline - now_, lost.has_value(),
            lost.value_or(Nanoseconds{0})};
}

inline Seen Model::seen() {
    const Reading now = reading();
    const Totals& t = totals_;
    Seen seen;
    const auto put = [&](Figure figure, auto value) { seen[figure] = asFigure(value); };
    seen[Figure::State] = static_cast<std::int64_t>(now.state);
    seen[Figure::Mode] = static_cast<std::int64_t>(mode_);
    put(Figure::RetryAfter, retryAfter());
    put(Figure::Calls, t.successes + t.failures + t.timeouts + t.ignored + t.cancelled);
    put(Figure::Successes, t.successes);
    put(Figure::Failures, t.failures);
    put(Figure::Timeouts, t.timeouts);
    put(Figure::Ignored, t.ignored);
    put(Figure::Cancelled, t.cancelled);
    put(Figure::Rejected, t.rejected);
    put(Figure::ShadowRejected, t.shadowRejected);
    put(Figure::Stale, t.stale);
    put(Figure::Slow, t.slow);
    put(Figure::TimesOpened, t.opened + (now.lost ? 1U : 0U));
    put(Figure::TimesClosed, t.closed);
    put(Figure::TimesReconfigured, t.reconfigured);
    put(Figure::ListenerErrors, t.listenerErrors);
    Nanoseconds timeOpen = t.timeOpen;
    if (state_ == CircuitState::Open) {
        timeOpen = saturatingAdd(timeOpen, std::min(now_, deadline_) - openedAt_);
    }
    if (now.lost) {
        const Nanoseconds until = saturatingAdd(now.lostAt, usualWait(reopenings_ + 1));
        timeOpen = saturatingAdd(timeOpen, std::min(now_, until) - now.lostAt);
    }
    put(Figure::TimeOpen, timeOpen);
    put(Figure::ClosedToOpen, t.closedToOpen);
    put(Figure::OpenToHalfOpen, t.openToHalfOpen);
    put(Figure::HalfOpenToOpen, t.halfOpenToOpen + (now.lost ? 1U : 0U));
    put(Figure::HalfOpenToClosed, t.halfOpenToClosed);
    put(Figure::OpenToClosed, t.openToClosed);
    seen[Figure::Probes] = now.lost ? 0 : static_cast<std::int64_t>(probes_.size());
    seen[Figure::InFlight] = -1;
    if (rules_.options.trackInFlight) {
        seen[Figure::InFlight] = std::count_if(inFlight_.begin(), inFlight_.end(),
                                               [](const Ticket& call) { return call.tracked; });
    }
    const Evidence window = state_ == CircuitState::Closed ? evidence() : latched_;
    put(Figure::WindowCalls, window.counts.calls);
    put(Figure::WindowFailures, window.counts.failures);
    put(Figure::WindowSlow, window.counts.slow);
    seen[Figure::WindowSize] = window_.facts().windowSize;
    put(Figure::FailureRateBits, window.failureRate);
    put(Figure::SlowCallRateBits, window.slowCallRate);
    put(Figure::FailuresInARow, failuresInARow_);
    const bool probing = state_ == CircuitState::HalfOpen && !now.lost;
    seen[Figure::SuccessesInARow] =
        probing ? probeSuccesses_ : static_cast<std::int64_t>(successesInARow_);
    seen[Figure::Average] =
        t.measured == 0 ? -1 : t.sum.count() / static_cast<std::int64_t>(t.measured);
    put(Figure::Longest, t.longest);
    put(Figure::MeasuredSuccesses, t.measuredSuccesses);
    put(Figure::MeasuredFailures, t.measured - t.measuredSuccesses);
    put(Figure::MeasuredIgnored, t.measuredIgnored);
    seen[Figure::HasFailureTime] = t.everFailed;
    seen[Figure::HasOpened] = trip_.has_value();
    seen[Figure::HasClosed] = t.everClosed;
    seen[Figure::TripReason] = -1;
    std::optional<Trip> trip = trip_;
    if (now.lost) {
        trip = Trip{TransitionReason::ProbeLost, latched_, failuresInARow_,
                    usualWait(reopenings_ + 1), past_};
    }
    if (trip) {
        seen[Figure::TripReason] = static_cast<std::int64_t>(trip->reason);
        put(Figure::TripCalls, trip->evidence.counts.calls);
        put(Figure::TripFailures, trip->evidence.counts.failures);
        put(Figure::TripSlow, trip->evidence.counts.slow);
        put(Figure::TripFailureRateBits, trip->evidence.failureRate);
        put(Figure::TripInARow, trip->inARow);
        put(Figure::TripWait, trip->wait);
        seen[Figure::TripOutcomes] = trip->past.outcomes;
        seen[Figure::TripSlowOutcomes] = trip->past.slow;
    }
    return seen;
}

inline void Model::tell(Told::What what, std::int64_t a, std::int64_t b, std::int64_t c,
                        std::int64_t d) {
    const bool ofCalls = what >= Told::What::Succeeded;
    (ofCalls ? told.calls : told.ordered).push_back({what, a, b, c, d});
    // Callbacks of the options never throw here.
    if (audience.throwing && what >= Told::What::StateChanged) ++totals_.listenerErrors;
}

inline void Model::tellCall(const End& end, Nanoseconds elapsed, bool known) {
    if (!audience.calls) return;
    constexpr Told::What kByOutcome[] = {Told::What::Succeeded, Told::What::Failed,
                                         Told::What::TimedOut, Told::What::Ignored};
    const std::int64_t time = known ? elapsed.count() : 0;
    tell(kByOutcome[static_cast<std::size_t>(end.outcome)], time);
    if (end.slow) tell(Told::What::Slow, time, static_cast<std::int64_t>(end.outcome));
}

}  // namespace fusebox::test
