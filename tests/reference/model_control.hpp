// SPDX-License-Identifier: MIT
// Manual control of the model, and its restart.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "reference/model.hpp"

namespace fusebox::test {

inline void Model::open(std::optional<Nanoseconds> wait) {
    settle();
    if (state_ == CircuitState::Open) {
        // It reads HalfOpen when the wait is over, so it is not open already.
        if (frozen() || checked_ < deadline_) return;
        toHalfOpen();
    }
    toOpen(TransitionReason::Manual, now_, wait);
}

inline void Model::close(TransitionReason reason) {
    settle();
    if (state_ != CircuitState::Closed) toClosed(reason);
}

inline void Model::reset() {
    const std::uint64_t errorsBefore = totals_.listenerErrors;
    settle();
    if (state_ != CircuitState::Closed) toClosed(TransitionReason::Reset);
    if (audience.transitions) tell(Told::What::WasReset);
    // Silent: what listeners of these very events throw. They are told after the reset.
    const std::uint64_t errors = totals_.listenerErrors - errorsBefore;
    totals_ = {};
    totals_.listenerErrors = errors;
    trip_.reset();
    latched_ = {};
    window_.enter(now_);
    failuresInARow_ = successesInARow_ = 0;
    past_ = {};
    newEpoch();
}

inline void Model::setMode(ControlMode mode) {
    settle();
    if (mode == mode_) return;
    if (audience.transitions) {
        tell(Told::What::ModeChanged, static_cast<std::int64_t>(mode_),
             static_cast<std::int64_t>(mode));
    }
    mode_ = mode;
    newEpoch();
}

inline void Model::reconfigure(const Rules& rules, const std::function<bool()>& keepsWindow) {
    settle();
    const Adoption adopts = adoption(window_.policy(), rules.policy, window_.size());
    const bool keeps = adopts == Adoption::Undecided ? keepsWindow() : adopts == Adoption::Yes;
    pastRules_.push_back({rules_.options.requestTimeout, window_.facts().slowerThan, epoch_});
    if (pastRules_.size() > kRemembered) {
        forgotten_ = pastRules_.front().until;
        pastRules_.erase(pastRules_.begin());
    }
    rules_ = rules;
    window_.adopt(rules.policy, keeps, now_);
    if (!keeps && state_ == CircuitState::Closed) {
        // Silent: rows and the last calls. They go with the window.
        failuresInARow_ = successesInARow_ = 0;
        past_ = {};
    }
    ++totals_.reconfigured;
    newEpoch();
    if (audience.transitions) tell(Told::What::Reconfigured);
}

inline void Model::restore(Nanoseconds now) {
    settle();
    const Nanoseconds rest =
        deadline_ == kForever ? kForever : std::max(Nanoseconds{0}, deadline_ - now_);
    leaveOpen();
    checked_ = now_ = now;
    openedAt_ = now;
    deadline_ = saturatingAdd(now, rest);
    totals_.sum = totals_.longest = Nanoseconds{0};
    totals_.measured = totals_.measuredSuccesses = totals_.measuredIgnored = 0;
    // After a restart closes without a probe stand with those by probes.
    totals_.halfOpenToClosed += totals_.openToClosed;
    totals_.openToHalfOpen += std::exchange(totals_.openToClosed, 0);
    inFlight_.clear();
    pastRules_.clear();
    forgotten_.reset();
    // Silent: rows and the last calls. They go with the window; while away from Closed they are
    // those of the last trip, as the window is.
    const bool closed = state_ == CircuitState::Closed;
    failuresInARow_ = closed ? 0 : trip_->inARow;
    past_ = closed ? PastWords{} : trip_->past;
    successesInARow_ = 0;
    audience = {.callbacks = audience.callbacks};
    window_.enter(now);
    newEpoch();
}

}  // namespace fusebox::test
