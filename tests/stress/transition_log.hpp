// SPDX-License-Identifier: MIT
// The StateChanged events of one breaker, and whether they tell a true story.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::test {

/// What a log has of one event.
struct Transition {
    CircuitState from;
    CircuitState to;
    TransitionReason reason;
    CircuitState snapshotState;
    std::uint64_t snapshotOpened;
};

/// Deliveries of one breaker come one after the other, so the log has no lock of its own: a
/// sanitizer sees it if that does not hold.
class TransitionLog {
public:
    void add(const StateChanged& event) {
        transitions_.push_back(
            {event.from, event.to, event.reason, event.snapshot.state, event.snapshot.timesOpened});
    }

    [[nodiscard]] const std::vector<Transition>& all() const noexcept { return transitions_; }
    void clear() noexcept { transitions_.clear(); }

    [[nodiscard]] std::uint64_t to(CircuitState state) const {
        return count([&](const Transition& t) { return t.to == state; });
    }
    [[nodiscard]] std::uint64_t because(TransitionReason reason) const {
        return count([&](const Transition& t) { return t.reason == reason; });
    }

    /// Events that do not begin where the one before them ended, or that lead nowhere.
    [[nodiscard]] std::uint64_t gaps() const {
        CircuitState at = CircuitState::Closed;
        return count([&](const Transition& t) {
            const bool gap = t.from != at || t.to == t.from || t.snapshotState != t.from;
            at = t.to;
            return gap;
        });
    }

    /// Events whose snapshot has not counted exactly the openings told of before.
    [[nodiscard]] std::uint64_t miscounted() const {
        std::uint64_t opened = 0;
        return count([&](const Transition& t) {
            const bool wrong = t.snapshotOpened != opened;
            opened += t.to == CircuitState::Open;
            return wrong;
        });
    }

    /// Events that no cycle has.
    [[nodiscard]] std::uint64_t impossible() const {
        using enum CircuitState;
        return count([](const Transition& t) {
            switch (t.reason) {
                case TransitionReason::PolicyTripped: return t.from != Closed || t.to != Open;
                case TransitionReason::WaitElapsed: return t.from != Open || t.to != HalfOpen;
                case TransitionReason::ProbeFailed:
                case TransitionReason::ProbeLost: return t.from != HalfOpen || t.to != Open;
                case TransitionReason::ProbesSucceeded: return t.from != HalfOpen || t.to != Closed;
                case TransitionReason::Manual: return t.to == HalfOpen;
                case TransitionReason::Reset: return t.to != Closed;
            }
            return true;
        });
    }

private:
    template <class Predicate>
    [[nodiscard]] std::uint64_t count(Predicate predicate) const {
        return static_cast<std::uint64_t>(
            std::count_if(transitions_.begin(), transitions_.end(), predicate));
    }

    std::vector<Transition> transitions_;
};

}  // namespace fusebox::test
