// SPDX-License-Identifier: MIT
// The model's transitions, and what they remember.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "reference/model.hpp"

namespace fusebox::test {

inline std::optional<Model::Nanoseconds> Model::lostAt() const {
    if (frozen() || state_ != CircuitState::HalfOpen || probes_.empty()) return std::nullopt;
    Nanoseconds oldest = kForever;
    for (const Probe& probe : probes_) oldest = std::min(oldest, probe.begun);
    const Nanoseconds lost = saturatingAdd(oldest, effectiveProbeTimeout(rules_.options));
    if (checked_ <= lost) return std::nullopt;
    return lost;
}

/// A probe in flight for longer than its timeout reopens as of that instant.
inline void Model::settle() {
    if (const auto lost = lostAt()) toOpen(TransitionReason::ProbeLost, *lost, std::nullopt);
}

inline Model::Nanoseconds Model::usualWait(std::uint64_t reopenings) const {
    const CircuitBreakerOptions& options = rules_.options;
    Nanoseconds wait = options.recoveryTimeout;
    for (std::uint64_t i = 0; i < reopenings; ++i) {
        wait = std::min(saturatingMultiply(wait, options.recoveryBackoff),
                        effectiveMaxRecoveryTimeout(options));
    }
    return wait;
}

inline Model::Evidence Model::evidence() {
    const PolicyFacts& facts = window_.facts();
    Evidence now{window_.counts(now_)};
    if (facts.showsRates) {
        now.failureRate = now.counts.failureRate(facts.minimumCalls);
        now.slowCallRate = now.counts.slowCallRate(facts.minimumCalls);
    }
    return now;
}

inline void Model::change(CircuitState to, TransitionReason reason) {
    const auto from = static_cast<std::int64_t>(state_);
    const auto next = static_cast<std::int64_t>(to);
    const auto why = static_cast<std::int64_t>(reason);
    const auto opened = static_cast<std::int64_t>(totals_.opened);
    if (audience.callbacks) {
        constexpr Told::What kOwn[] = {Told::What::OnClose, Told::What::OnOpen,
                                       Told::What::OnHalfOpen};
        tell(Told::What::OnStateChange, from, next, why, opened);
        tell(kOwn[static_cast<std::size_t>(to)], from, next, why, opened);
    }
    if (audience.transitions) tell(Told::What::StateChanged, from, next, why, opened);
    state_ = to;
    newEpoch();
}

inline void Model::newEpoch() {
    ++epoch_;
    probes_.clear();
}

inline void Model::toOpen(TransitionReason reason, Nanoseconds asOf,
                          std::optional<Nanoseconds> wait) {
    if (state_ == CircuitState::Closed) {
        reopenings_ = 0;
        if (!pending_) latched_ = evidence();
        ++totals_.closedToOpen;
    } else {
        ++reopenings_;
        ++totals_.halfOpenToOpen;
    }
    const Nanoseconds usual = usualWait(reopenings_);
    Nanoseconds actual = wait.value_or(usual);
    if (!wait && rules_.options.recoveryJitter > 0 && drawn) {
        actual = drawn();
        const double least =
            static_cast<double>(usual.count()) * (1 - rules_.options.recoveryJitter);
        drewOutside |= actual > usual || static_cast<double>(actual.count()) < least - 1;
    }
    change(CircuitState::Open, reason);
    openedAt_ = asOf;
    deadline_ = saturatingAdd(asOf, actual);
    ++totals_.opened;
    successesInARow_ = 0;
    trip_ = Trip{reason, latched_, failuresInARow_, actual, past_};
}

inline void Model::leaveOpen() {
    if (state_ != CircuitState::Open) return;
    totals_.timeOpen = saturatingAdd(totals_.timeOpen, std::min(now_, deadline_) - openedAt_);
}

inline void Model::toHalfOpen() {
    leaveOpen();
    ++totals_.openToHalfOpen;
    change(CircuitState::HalfOpen, TransitionReason::WaitElapsed);
    probeSuccesses_ = 0;
}

inline void Model::toClosed(TransitionReason reason) {
    leaveOpen();
    ++(state_ == CircuitState::Open ? totals_.openToClosed : totals_.halfOpenToClosed);
    change(CircuitState::Closed, reason);
    ++totals_.closed;
    totals_.everClosed = true;
    window_.enter(now_);
    reopenings_ = 0;
    probeSuccesses_ = 0;
    failuresInARow_ = successesInARow_ = 0;
    past_ = {};
}

}  // namespace fusebox::test
