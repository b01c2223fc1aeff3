// SPDX-License-Identifier: MIT
// The cycle CLOSED -> OPEN -> HALF_OPEN -> CLOSED: what is published, and every transition.
//
// docs/design/state_machine.md draws it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/call_totals.hpp"
#include "fusebox/breaker/closed_ledger.hpp"
#include "fusebox/breaker/opening_history.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/probe_slots.hpp"
#include "fusebox/breaker/published_state.hpp"
#include "fusebox/breaker/recovery_wait.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The transitions between published words, and the books that they keep. Used under the breaker's
/// mutex, but for `word()` and `published()`.
///
/// `Journal` is told of each transition before it is published: `stateChanged`, `modeChanged`,
/// `wasReset`, and asked `wantsTransitions()`.
template <class Tracker, class Journal, class Platform = StdPlatform>
class Cycle {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    template <class Policy>
    Cycle(const Policy& policy, const CircuitBreakerOptions& options, Nanoseconds now,
          CallTotals<Platform>& totals, Journal& journal)
        : totals_(totals),
          journal_(journal),
          ledger_(policy),
          wait_(options),
          slots_(options.halfOpenLimit, effectiveProbeTimeout(options)),
          successThreshold_(options.successThreshold) {
        const TrackerNeeds& needs = ledger_.needs();
        const bool instrumented =
            options.measureLatency || options.trackInFlight || needs.ticks || needs.successes;
        publishClosed(StateWord::initial(instrumented), 0, now);
    }

    [[nodiscard]] FUSEBOX_HOT StateWord word() const noexcept { return published_.word(); }
    [[nodiscard]] const PublishedState<Platform>& published() const noexcept { return published_; }
    [[nodiscard]] int probeLimit() const noexcept { return slots_.limit(); }
    [[nodiscard]] const TrackerNeeds& needs() const noexcept { return ledger_.needs(); }

    /// The one transition that time makes without a call, if it is due at `checked`.
    void settle(Nanoseconds checked, Nanoseconds now) noexcept {
        const StateWord present = word();
        const Nanoseconds leaseEnd = published_.lease();
        if (present.cycling() && present.state() == CircuitState::HalfOpen && checked > leaseEnd) {
            toOpen(leaseEnd, now, TransitionReason::ProbeLost);
        }
    }

    /// Opens as of an instant, for the wait given or as usual.
    void toOpen(Nanoseconds asOf, Nanoseconds now, TransitionReason reason,
                std::optional<Nanoseconds> given = std::nullopt) noexcept {
        const StateWord from = word();
        Nanoseconds wait = published_.reopenWait();
        if (from.state() == CircuitState::Closed) {
            wait = wait_.draw(0);
            // Successes that came after the verdict are no part of it.
            const bool tripped = reason == TransitionReason::PolicyTripped;
            evidence_ = evidenceAt(tripped ? ledger_.lastSum() : totals_.recordedSuccesses(), now);
        } else {
            ++reopenings_;
        }
        announce(from, CircuitState::Open, reason, now);
        wait = given.value_or(wait);
        history_.opened(reason, evidence_, asOf, saturatingSubtract(now, asOf), wait);
        slots_.clear();
        published_.setWait(asOf, saturatingAdd(asOf, wait));
        publish(from.next(CircuitState::Open));
    }

    void toHalfOpen(Nanoseconds now) noexcept {
        const StateWord from = word();
        announce(from, CircuitState::HalfOpen, TransitionReason::WaitElapsed, now);
        history_.leftOpen(published_.deadline());
        probeSuccesses_ = 0;
        // Drawn before it is needed, so that readers can say when a lost probe's wait is over.
        published_.setReopenWait(wait_.draw(reopenings_ + 1));
        publish(from.next(CircuitState::HalfOpen));
    }

    void toClosed(Nanoseconds now, TransitionReason reason) noexcept {
        const StateWord from = word();
        announce(from, CircuitState::Closed, reason, now);
        if (from.state() == CircuitState::Open)
            history_.leftOpen(std::min(now, published_.deadline()));
        history_.closed();
        const StateWord next = from.next(CircuitState::Closed);
        publishClosed(next, totals_.enter(next.tag()), now);
    }

    void toMode(ControlMode mode) noexcept {
        const StateWord from = word();
        journal_.modeChanged(from.mode(), mode);
        const StateWord next = from.next(from.state()).withMode(mode);
        // The window stays; only the calls in flight belong to the epoch that ends.
        if (next.state() == CircuitState::Closed) totals_.enter(next.tag());
        slots_.clear();
        publish(next);
    }

    void toBeginning(Nanoseconds now) noexcept {
        if (word().state() != CircuitState::Closed) toClosed(now, TransitionReason::Reset);
        const StateWord next = word().next(CircuitState::Closed);
        journal_.wasReset();
        totals_.reset(next.tag());
        history_ = {};
        publishClosed(next, 0, now);
    }

    /// Takes a slot of the half-open breaker, below its limit.
    [[nodiscard]] StateWord beginProbe(Nanoseconds now) noexcept {
        const StateWord present = word();
        const int slot = slots_.take(now);
        publish(present.withProbes(present.probes() + 1));
        return present.withProbes(slot);
    }

    /// The end of a probe of the present epoch.
    void endProbe(StateWord probe, const CallEnd& end, Nanoseconds now) noexcept {
        slots_.release(probe.probes());
        if (end.failed()) {
            history_.failed(end.error);
            ++evidence_.consecutiveFailures;
        }
        if (end.failed() || (end.slow && !end.neutral())) {
            return toOpen(now, now, TransitionReason::ProbeFailed);
        }
        if (!end.neutral()) {
            evidence_.consecutiveFailures = 0;
            if (++probeSuccesses_ >= successThreshold_) {
                return toClosed(now, TransitionReason::ProbesSucceeded);
            }
        }
        const StateWord present = word();
        publish(present.withProbes(present.probes() - 1));
    }

    /// A call of the present closed epoch that the policy is asked about.
    [[nodiscard]] Verdict recordVerdict(const CallEnd& end, Nanoseconds time) noexcept {
        if (end.failed()) history_.failed(end.error);
        const Verdict verdict = ledger_.record(totals_.recordedSuccesses(),
                                               {0, time, end.elapsed, end.failed(), end.slow});
        publishTick();
        return verdict;
    }

    void tick(Nanoseconds now) noexcept {
        ledger_.tick(totals_.recordedSuccesses(), now);
        publishTick();
    }

    /// All but names, words and the reading of the state.
    void fill(CircuitBreakerStats& stats, StateWord present, Nanoseconds now) const {
        const Nanoseconds leaseEnd = published_.lease();
        if (present.state() == CircuitState::Closed) {
            fill(stats, present, evidenceAt(totals_.recordedSuccesses(), now), history_);
        } else if (present.state() == CircuitState::HalfOpen && now > leaseEnd) {
            // A lost probe has reopened the breaker, but no call has met that yet.
            OpeningHistory history = history_;
            const Nanoseconds wait = published_.reopenWait();
            history.opened(TransitionReason::ProbeLost, evidence_, leaseEnd,
                           saturatingSubtract(now, leaseEnd), wait);
            fill(stats, present.next(CircuitState::Open), evidence_, history);
            stats.timeOpen += history.openFor(std::min(now, saturatingAdd(leaseEnd, wait)));
        } else {
            fill(stats, present, evidence_, history_);
            if (present.state() != CircuitState::Open) return;
            stats.timeOpen += history_.openFor(std::min(now, published_.deadline()));
        }
    }

private:
    void fill(CircuitBreakerStats& stats, StateWord present, const OpeningHistory::Evidence& known,
              const OpeningHistory& history) const {
        totals_.fill(stats);
        history.fill(stats);
        stats.windowCalls = known.window.calls;
        stats.windowFailures = known.window.failures;
        stats.windowSlow = known.window.slow;
        stats.failureRate = known.window.failureRate(known.minimumCalls);
        stats.slowCallRate = known.window.slowCallRate(known.minimumCalls);
        stats.consecutiveFailures = known.consecutiveFailures;
        if (present.state() == CircuitState::Closed) {
            stats.consecutiveSuccesses = known.consecutiveSuccesses;
        } else if (present.state() == CircuitState::HalfOpen) {
            stats.consecutiveSuccesses = static_cast<std::uint64_t>(probeSuccesses_);
        }
        stats.probesInFlight = present.probes();
        stats.mode = present.mode();
    }

    void publishClosed(StateWord next, std::uint64_t base, Nanoseconds now) noexcept {
        reopenings_ = 0;
        evidence_ = {};
        probeSuccesses_ = 0;
        slots_.clear();
        ledger_.enter(base, now);
        publishTick();
        publish(next);
    }

    void publishTick() noexcept { published_.setNextTick(ledger_.nextTick()); }
    void publish(StateWord next) noexcept { published_.publish(next, slots_.lease()); }

    void announce(StateWord from, CircuitState to, TransitionReason reason,
                  Nanoseconds now) noexcept {
        if (!journal_.wantsTransitions()) return;
        journal_.stateChanged(from.state(), to, reason, [&] {
            CircuitBreakerStats before;
            fill(before, from, evidence_, history_);
            before.state = from.state();
            if (from.state() == CircuitState::Open) {
                const Nanoseconds until = published_.deadline();
                before.timeOpen += history_.openFor(std::min(now, until));
                if (!isOver(until, now)) before.retryAfter = published_.restOf(until, now);
            }
            return before;
        });
    }

    /// What the policy sees when the shards stand at `sum`.
    [[nodiscard]] OpeningHistory::Evidence evidenceAt(std::uint64_t sum,
                                                      Nanoseconds now) const noexcept {
        return {ledger_.counts(sum, now), needs().minimumCalls, ledger_.consecutiveFailures(sum),
                ledger_.consecutiveSuccesses(sum)};
    }

    // Read by every call, written by transitions only.
    alignas(kCacheLine) PublishedState<Platform> published_;
    CallTotals<Platform>& totals_;
    Journal& journal_;

    // Under the mutex.
    alignas(kCacheLine) ClosedLedger<Tracker> ledger_;
    RecoveryWait wait_;
    ProbeSlots slots_;
    OpeningHistory history_;
    OpeningHistory::Evidence evidence_{};
    std::uint64_t reopenings_ = 0;
    int probeSuccesses_ = 0;
    int successThreshold_;
};

}  // namespace fusebox::detail
