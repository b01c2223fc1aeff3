// SPDX-License-Identifier: MIT
// What must hold of breakers that come to rest, and where it is noted that it did not.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "stress/load.hpp"

namespace fusebox::test {

/// What was found wrong. **Threads.** Everything may be called concurrently.
class Findings {
public:
    void demand(bool holds, const std::string& what) {
        if (holds) return;
        const std::lock_guard lock{mutex_};
        ++count_;
        if (first_.size() < 20) first_.push_back(what);
    }
    /// Two numbers that must be one.
    void same(std::uint64_t breaker, std::uint64_t books, const std::string& what) {
        if (breaker == books) return;
        demand(false,
               what + ": breaker " + std::to_string(breaker) + ", books " + std::to_string(books));
    }
    [[nodiscard]] std::uint64_t count() const {
        const std::lock_guard lock{mutex_};
        return count_;
    }
    [[nodiscard]] std::vector<std::string> first() const {
        const std::lock_guard lock{mutex_};
        return first_;
    }

private:
    mutable std::mutex mutex_;
    std::uint64_t count_ = 0;
    std::vector<std::string> first_;
};

/// Follows the StateChanged events of one breaker, which come one after the other.
class Chain {
public:
    Chain(Findings& findings, std::string name, int probeLimit)
        : findings_(findings), name_(std::move(name)), probeLimit_(probeLimit) {}

    void add(const StateChanged& event) {
        findings_.demand(event.from == at_ && event.to != at_, name_ + ": events are no chain");
        findings_.demand(event.snapshot.timesOpened == opened_,
                         name_ + ": a snapshot knows other openings than were told of");
        findings_.demand(event.snapshot.probesInFlight <= probeLimit_,
                         name_ + ": probes overshoot");
        at_ = event.to;
        opened_ += event.to == CircuitState::Open;
        closed_ += event.to == CircuitState::Closed;
        if (event.reason == TransitionReason::PolicyTripped) ++trips_;
    }
    /// Each transition was told once.
    void compare(const CircuitBreakerStats& stats) const {
        findings_.same(stats.timesOpened, opened_, name_ + ": timesOpened");
        findings_.same(stats.timesClosed, closed_, name_ + ": timesClosed");
        const TransitionCounts& t = stats.transitions;
        findings_.same(t.closedToOpen + t.halfOpenToOpen, opened_, name_ + ": edges to Open");
        findings_.same(t.halfOpenToClosed + t.openToClosed, closed_, name_ + ": edges to Closed");
        findings_.demand(stats.mode != ControlMode::Automatic || stats.state == at_ ||
                             (at_ == CircuitState::Open && stats.state == CircuitState::HalfOpen),
                         name_ + ": the last event does not tell the state");
    }
    void restart() { opened_ = closed_ = 0; }
    [[nodiscard]] std::uint64_t trips() const { return trips_; }

private:
    Findings& findings_;
    std::string name_;
    int probeLimit_;
    CircuitState at_ = CircuitState::Closed;
    std::uint64_t opened_ = 0;
    std::uint64_t closed_ = 0;
    std::uint64_t trips_ = 0;
};

/// What holds of every breaker at rest.
inline void checkRest(Findings& findings, const CircuitBreakerStats& s) {
    findings.same(
        s.totalCalls,
        s.totalSuccesses + s.totalFailures + s.totalTimeouts + s.totalIgnored + s.totalCancelled,
        s.name + ": totalCalls and the sum of its outcomes");
    findings.demand(s.probesInFlight == 0, s.name + ": a permit of a probe is lost");
    findings.same(s.inFlight.value_or(0), 0, s.name + ": inFlight at rest");
    findings.demand(s.totalStale <= s.totalCalls, s.name + ": totalStale > totalCalls");
    findings.demand(s.windowFailures <= s.windowCalls, s.name + ": windowFailures > windowCalls");
    findings.demand(s.timesClosed <= s.timesOpened, s.name + ": timesClosed > timesOpened");
}

/// What holds while everything moves.
inline void checkMoving(Findings& findings, const CircuitBreakerStats& s, int probeLimit) {
    findings.demand(s.probesInFlight >= 0 && s.probesInFlight <= probeLimit,
                    s.name + ": probes overshoot in stats()");
    findings.demand(s.windowFailures <= s.windowCalls && s.failureRate.value_or(0) <= 1,
                    s.name + ": an absurd window");
    findings.demand(s.retryAfter.has_value() == (s.state == CircuitState::Open),
                    s.name + ": retryAfter and state contradict each other");
    findings.demand(s.timesClosed <= s.timesOpened, s.name + ": timesClosed > timesOpened");
}

}  // namespace fusebox::test
