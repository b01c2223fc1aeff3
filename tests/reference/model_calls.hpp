// SPDX-License-Identifier: MIT
// What calls do to the model: who is admitted, and what an end counts for.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "reference/model.hpp"

namespace fusebox::test {

inline std::optional<Model::Ticket> Model::acquire() {
    if (mode_ == ControlMode::ForcedOpen) return reject(RejectionReason::ForcedOpen, kForever);
    if (mode_ == ControlMode::ForcedClosed) return admit(Ticket::Kind::Passenger);
    settle();
    if (state_ == CircuitState::Closed) takeOverdue();
    if (state_ == CircuitState::Open && checked_ >= deadline_) toHalfOpen();
    if (state_ == CircuitState::Closed) return admit(Ticket::Kind::Closed);
    const auto limit = static_cast<std::size_t>(rules_.options.halfOpenLimit);
    if (state_ == CircuitState::HalfOpen && probes_.size() < limit) {
        const Ticket ticket = admit(Ticket::Kind::Probe);
        probes_.push_back({ticket.id, now_});
        return ticket;
    }
    if (mode_ == ControlMode::Shadow) {
        ++totals_.shadowRejected;
        return admit(Ticket::Kind::Passenger);
    }
    if (state_ == CircuitState::HalfOpen) return reject(RejectionReason::ProbesBusy, {});
    return reject(RejectionReason::Open, deadline_ == kForever ? kForever : deadline_ - now_);
}

inline std::optional<Model::Ticket> Model::reject(RejectionReason reason, Nanoseconds retryAfter) {
    const bool busy = reason == RejectionReason::ProbesBusy;
    ++totals_.rejected;
    rejection_ = {{}, busy ? CircuitState::HalfOpen : CircuitState::Open, reason, retryAfter};
    if (audience.rejections) {
        tell(Told::What::Rejected, static_cast<std::int64_t>(reason), retryAfter.count(),
             static_cast<std::int64_t>(rejection_.state));
    }
    return std::nullopt;
}

inline Model::Ticket Model::admit(Ticket::Kind kind) {
    const CircuitBreakerOptions& options = rules_.options;
    Ticket ticket{++lastId_,
                  epoch_,
                  kind,
                  now_,
                  options.measureLatency,
                  options.trackInFlight,
                  options.detectOverdue && kind == Ticket::Kind::Closed,
                  options.requestTimeout,
                  window_.facts().slowerThan};
    inFlight_.push_back(ticket);
    return ticket;
}

inline void Model::end(const Ticket& ticket) {
    std::erase_if(inFlight_, [&](const Ticket& other) { return other.id == ticket.id; });
}

inline Model::End Model::judged(const Ticket& ticket, Outcome outcome, Nanoseconds elapsed) const {
    End end{outcome};
    if (outcome == Outcome::Ignored || !ticket.measured) return end;
    // Whose rules are forgotten is judged by the oldest that are not.
    const bool forgotten = forgotten_ && ticket.epoch <= *forgotten_;
    end.late = elapsed > (forgotten ? pastRules_.front().deadline : ticket.deadline);
    const Nanoseconds slowerThan = forgotten ? pastRules_.front().slowerThan : ticket.slowerThan;
    end.slow = slowerThan != kForever && elapsed >= slowerThan;
    if (end.late) end.outcome = Outcome::Timeout;
    return end;
}

inline ReportResult Model::report(const Ticket& ticket, Outcome outcome,
                                  std::optional<Nanoseconds> given) {
    // A measure below zero is read as zero.
    const Nanoseconds elapsed = std::max(Nanoseconds{0}, given.value_or(elapsedOf(ticket)));
    const End judgement = judged(ticket, outcome, elapsed);
    bool wasTaken = ticket.watched;  // As overdue: no longer among the calls to be watched.
    for (const Ticket& other : inFlight_) wasTaken &= other.id != ticket.id || !other.watched;
    end(ticket);
    switch (judgement.outcome) {
        case Outcome::Success: ++totals_.successes; break;
        case Outcome::Failure: ++totals_.failures; break;
        case Outcome::Timeout: ++totals_.timeouts; break;
        case Outcome::Ignored: ++totals_.ignored; break;
    }
    totals_.slow += judgement.slow;
    if (ticket.measured && judgement.outcome == Outcome::Ignored) ++totals_.measuredIgnored;
    if (ticket.measured && judgement.outcome != Outcome::Ignored) {
        ++totals_.measured;
        totals_.measuredSuccesses += judgement.outcome == Outcome::Success;
        totals_.sum = saturatingAdd(totals_.sum, elapsed);
        totals_.longest = std::max(totals_.longest, elapsed);
    }
    bool isRecorded = true;
    if (wasTaken && ticket.epoch == epoch_) {
        // It stands in the window already.
    } else {
        isRecorded = recorded(ticket, judgement, elapsed);
    }
    tellCall(judgement, elapsed, ticket.measured || given.has_value());
    return isRecorded ? ReportResult::Recorded : ReportResult::Stale;
}

inline ReportResult Model::cancel(const Ticket& ticket) {
    end(ticket);
    ++totals_.cancelled;
    const bool isRecorded = recorded(ticket, {.outcome = Outcome::Ignored}, {});
    return isRecorded ? ReportResult::Recorded : ReportResult::Stale;
}

inline bool Model::recorded(const Ticket& ticket, const End& end, Nanoseconds elapsed) {
    // Silent: whether the report of a passenger makes a due transition. Only a probe's does.
    if (ticket.kind == Ticket::Kind::Probe && ticket.epoch == epoch_) settle();
    if (ticket.epoch != epoch_) {
        ++totals_.stale;
        return false;
    }
    if (ticket.kind == Ticket::Kind::Probe) recordProbe(ticket, end);
    if (ticket.kind == Ticket::Kind::Closed && end.outcome != Outcome::Ignored) {
        const bool asksForVerdict = end.outcome != Outcome::Success || end.slow;
        if (asksForVerdict) takeOverdue();
        if (ticket.epoch != epoch_) {
            ++totals_.stale;
            return false;
        }
        recordClosed(end.outcome, end.slow, ticket.measured ? elapsed : Nanoseconds{0});
    }
    return true;
}

inline void Model::recordClosed(Outcome outcome, bool slow, Nanoseconds elapsed) {
    const bool failed = outcome != Outcome::Success;
    failuresInARow_ = failed ? failuresInARow_ + 1 : 0;
    successesInARow_ = failed ? 0 : successesInARow_ + 1;
    past_.push(outcome, slow);
    totals_.everFailed |= failed;
    if (window_.add({now_, elapsed, failed, slow})) {
        if (defersTrips) {
            pending_ =
                Trip{TransitionReason::PolicyTripped, evidence(), failuresInARow_, {}, past_};
            return;
        }
        toOpen(TransitionReason::PolicyTripped, now_, std::nullopt);
    }
}

inline void Model::recordProbe(const Ticket& ticket, const End& end) {
    std::erase_if(probes_, [&](const Probe& probe) { return probe.id == ticket.id; });
    if (end.outcome == Outcome::Ignored) return;
    const bool failed = end.outcome != Outcome::Success;
    past_.push(end.outcome, end.slow);
    totals_.everFailed |= failed;
    if (failed) ++failuresInARow_;
    if (failed || end.slow) {
        toOpen(TransitionReason::ProbeFailed, now_, std::nullopt);
        return;
    }
    failuresInARow_ = 0;
    if (++probeSuccesses_ >= rules_.options.successThreshold) {
        toClosed(TransitionReason::ProbesSucceeded);
    }
}

/// Calls of this epoch that are over their deadline count as timeouts, once, oldest first.
inline void Model::takeOverdue() {
    const std::uint64_t epoch = epoch_;
    for (std::size_t i = 0; i < inFlight_.size() && epoch == epoch_; ++i) {
        Ticket& ticket = inFlight_[i];
        if (!ticket.watched || ticket.epoch != epoch_) continue;
        if (now_ - ticket.begun <= ticket.deadline) continue;
        ticket.watched = false;
        recordClosed(Outcome::Timeout, ticket.deadline >= ticket.slowerThan, ticket.deadline);
    }
}

}  // namespace fusebox::test
