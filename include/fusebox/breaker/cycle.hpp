// SPDX-License-Identifier: MIT
// The cycle CLOSED -> OPEN -> HALF_OPEN -> CLOSED: what is published, and every transition.
//
// docs/design/state_machine.md draws it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/call_totals.hpp"
#include "fusebox/breaker/closed_ledger.hpp"
#include "fusebox/breaker/cycle_books.hpp"
#include "fusebox/breaker/cycle_rules.hpp"
#include "fusebox/breaker/published_state.hpp"
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
    using Rules = CycleRules<Tracker>;

    Cycle(Rules rules, CallTotals<Platform>& totals, Journal& journal)
        : totals_(totals),
          journal_(journal),
          ledger_(std::move(rules.tracker)),
          words_(std::move(rules.words)),
          wait_(rules.wait),
          slots_(std::move(rules.slots)),
          successThreshold_(rules.successThreshold),
          timed_(isTimed(rules.needs)) {
        published_.setProbeLimit(slots_.limit());
        totals_.track(rules.instruments.tracked, 0);
        publish(StateWord{}.withInstruments(rules.instruments));
    }

    /// Before anything else: closed as of now.
    void begin(Nanoseconds now) noexcept { enterClosed(0, now); }

    [[nodiscard]] FUSEBOX_HOT StateWord word() const noexcept { return published_.word(); }
    [[nodiscard]] const PublishedState<Platform>& published() const noexcept { return published_; }
    [[nodiscard]] TrackerNeeds needs() const noexcept { return ledger_.needs(); }
    /// Whether verdicts need the time. Asked of the tracker once: it does not change its mind.
    [[nodiscard]] bool timed() const noexcept { return timed_; }
    [[nodiscard]] Journal& journal() const noexcept { return journal_; }

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
            books_.evidence = evidenceAt(sumAt(reason), now);
        } else {
            ++books_.reopenings;
        }
        announce(from, CircuitState::Open, reason, now);
        wait = given.value_or(wait);
        noteOpening(books_, asOf, now, reason, wait);
        published_.setWait(asOf, saturatingAdd(asOf, wait));
        publish(from.next(CircuitState::Open));
    }

    void toHalfOpen(Nanoseconds now) noexcept {
        const StateWord from = word();
        announce(from, CircuitState::HalfOpen, TransitionReason::WaitElapsed, now);
        books_.history.leftOpen(published_.deadline());
        books_.probeSuccesses = 0;
        slots_.clear();
        drawReopenWait();
        publish(from.next(CircuitState::HalfOpen));
    }

    void toClosed(Nanoseconds now, TransitionReason reason) noexcept {
        const StateWord from = word();
        announce(from, CircuitState::Closed, reason, now);
        if (from.state() == CircuitState::Open) {
            ++books_.openToClosed;
            books_.history.leftOpen(std::min(now, published_.deadline()));
        }
        books_.history.closed();
        const StateWord next = from.next(CircuitState::Closed);
        publishClosed(next, totals_.enter(next.tag()), now);
    }

    void toMode(ControlMode mode) noexcept {
        const StateWord from = word();
        journal_.modeChanged(from.mode(), mode);
        // The window stays; only the calls in flight belong to the epoch that ends.
        const StateWord next = from.next(from.state()).withMode(mode);
        totals_.enter(next.tag());
        slots_.clear();
        publish(next);
    }

    /// Goes on under other rules: state, deadline, backoff and books stay; so does the window, if
    /// the policy is the same or its tracker can adopt it. `rules` gets the present ones.
    void toRules(Rules& rules, bool samePolicy, Nanoseconds now) noexcept {
        const StateWord next = word().next(word().state()).withInstruments(rules.instruments);
        const std::uint64_t sum = totals_.enter(next.tag());
        totals_.track(rules.instruments.tracked, sum);
        books_.history.reconfigured();
        if (!samePolicy) ledger_.replace(rules.tracker, sum, now);
        std::swap(words_, rules.words);
        std::swap(wait_, rules.wait);
        std::swap(slots_, rules.slots);
        std::swap(successThreshold_, rules.successThreshold);
        timed_ = isTimed(needs());
        if (next.state() == CircuitState::HalfOpen) drawReopenWait();
        published_.setProbeLimit(slots_.limit());
        publishTick();
        publish(next);
    }

    void toBeginning(Nanoseconds now) noexcept {
        if (word().state() != CircuitState::Closed) toClosed(now, TransitionReason::Reset);
        const StateWord next = word().next(CircuitState::Closed);
        journal_.wasReset();
        totals_.reset(next.tag());
        books_.history = {};
        books_.openToClosed = 0;
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
        if (!end.neutral()) books_.evidence.pastCalls.push({end.outcome, end.slow});
        if (end.failed()) {
            books_.history.failed(end);
            ++books_.evidence.consecutiveFailures;
        }
        if (end.failed() || end.slow) {
            return toOpen(now, now, TransitionReason::ProbeFailed);
        }
        if (!end.neutral()) {
            books_.evidence.consecutiveFailures = 0;
            if (++books_.probeSuccesses >= successThreshold_) {
                return toClosed(now, TransitionReason::ProbesSucceeded);
            }
        }
        const StateWord present = word();
        publish(present.withProbes(present.probes() - 1));
    }

    /// A call of the present closed epoch that the policy is asked about.
    [[nodiscard]] Verdict recordVerdict(const CallEnd& end, Nanoseconds time) noexcept {
        if (end.failed()) books_.history.failed(end);
        const Verdict verdict = ledger_.record(
            totals_.recordedSuccesses(),
            {.time = time, .elapsed = end.elapsed, .failed = end.failed(), .slow = end.slow},
            end.outcome);
        publishTick();
        return verdict;
    }

    /// A call of the present closed epoch that is over its deadline, and still in flight. It stands
    /// in the totals when it ends.
    [[nodiscard]] Verdict recordOverdue(Nanoseconds timeout, Nanoseconds now) noexcept {
        books_.history.noteError(
            "the call is overdue: its deadline is over, it is still in flight");
        const bool slow = timeout >= needs().slowerThan;
        const Verdict verdict = ledger_.record(
            totals_.recordedSuccesses(),
            {.time = now, .elapsed = timeout, .failed = true, .slow = slow}, Outcome::Timeout);
        publishTick();
        return verdict;
    }

    void tick(Nanoseconds now) noexcept {
        ledger_.tick(totals_.recordedSuccesses(), now);
        publishTick();
    }

    /// The cycle as it reads at `now`.
    [[nodiscard]] CycleSnapshot look(Nanoseconds now) const noexcept {
        CycleSnapshot seen{word(), books_};
        seen.windowSize = needs().windowSize;
        Nanoseconds openUntil = published_.deadline();
        const Nanoseconds leaseEnd = published_.lease();
        if (seen.word.state() == CircuitState::Closed) {
            const std::uint64_t sum = totals_.recordedSuccesses();
            seen.books.evidence = evidenceAt(sum, now);
            seen.consecutiveSuccesses = ledger_.consecutiveSuccesses(sum);
            seen.policyScore = ledger_.score(sum);
        } else if (seen.word.state() == CircuitState::HalfOpen && now > leaseEnd) {
            // A lost probe has reopened the breaker, but no call has met that yet.
            const Nanoseconds wait = published_.reopenWait();
            ++seen.books.reopenings;
            noteOpening(seen.books, leaseEnd, now, TransitionReason::ProbeLost, wait);
            openUntil = saturatingAdd(leaseEnd, wait);
            seen.word = seen.word.next(CircuitState::Open);
        }
        if (seen.word.state() == CircuitState::Open) {
            seen.openSoFar = seen.books.history.openFor(std::min(now, openUntil));
            seen.openFor = restUntil(openUntil, now);
        }
        return seen;
    }

    /// Goes on where another process stopped, of a wait only with its rest. Nobody is told: it is
    /// no transition.
    void resume(const SavedState& saved, Nanoseconds rest, Nanoseconds now) {
        books_.history.resume(saved, now);
        books_.reopenings = saved.reopenings;
        books_.probeSuccesses = static_cast<int>(saved.probeSuccesses);
        if (saved.lastTrip) books_.evidence = evidenceOf(*saved.lastTrip);
        if (saved.state == CircuitState::Open) published_.setWait(now, saturatingAdd(now, rest));
        if (saved.state == CircuitState::HalfOpen) drawReopenWait();
        const StateWord next = word().next(saved.state).withMode(saved.mode);
        totals_.enter(next.tag());
        publish(next);
    }

private:
    void noteOpening(CycleBooks& books, Nanoseconds asOf, Nanoseconds now, TransitionReason reason,
                     Nanoseconds wait) const noexcept {
        books.history.opened(reason, books.evidence, words_, asOf, saturatingSubtract(now, asOf),
                             wait);
    }

    [[nodiscard]] static Nanoseconds restUntil(Nanoseconds until, Nanoseconds now) noexcept {
        if (until == kForever) return kForever;
        return std::max(saturatingSubtract(until, now), Nanoseconds::zero());
    }

    /// Before it is needed, so that readers can say when a lost probe's wait is over.
    void drawReopenWait() noexcept { published_.setReopenWait(wait_.draw(books_.reopenings + 1)); }

    void publishClosed(StateWord next, std::uint64_t base, Nanoseconds now) noexcept {
        books_.reopenings = 0;
        enterClosed(base, now);
        publish(next);
    }
    void enterClosed(std::uint64_t base, Nanoseconds now) noexcept {
        ledger_.enter(base, now);
        publishTick();
    }

    void publishTick() noexcept { published_.setNextTick(ledger_.nextTick()); }
    void publish(StateWord next) noexcept { published_.publish(next, slots_.lease()); }

    FUSEBOX_COLD void announce(StateWord from, CircuitState to, TransitionReason reason,
                               Nanoseconds now) noexcept {
        if (!journal_.wantsTransitions()) return;
        journal_.stateChanged(from.state(), to, reason, [&] {
            CircuitBreakerStats before;
            CycleSnapshot seen{from, books_};
            seen.windowSize = needs().windowSize;
            before.state = from.state();
            if (from.state() == CircuitState::Closed)
                seen.consecutiveSuccesses = ledger_.consecutiveSuccesses(sumAt(reason));
            if (from.state() == CircuitState::Open) {
                const Nanoseconds until = published_.deadline();
                seen.openSoFar = books_.history.openFor(std::min(now, until));
                if (!isOver(until, now)) before.retryAfter = published_.restOf(until, now);
            }
            totals_.fill(before);
            before.inFlight = totals_.inFlight();
            seen.fill(before);
            return before;
        });
    }

    /// What the policy sees when the shards stand at `sum`.
    [[nodiscard]] Evidence evidenceAt(std::uint64_t sum, Nanoseconds now) const noexcept {
        return {ledger_.counts(sum, now), needs().minimumCalls, ledger_.consecutiveFailures(sum),
                ledger_.pastCalls(sum)};
    }

    /// Where the shards stood when the closed breaker opened. Successes that came after a verdict
    /// are no part of it.
    [[nodiscard]] std::uint64_t sumAt(TransitionReason reason) const noexcept {
        return reason == TransitionReason::PolicyTripped ? ledger_.lastSum()
                                                         : totals_.recordedSuccesses();
    }

    [[nodiscard]] static bool isTimed(const TrackerNeeds& needs) noexcept {
        return needs.time || needs.ticks;
    }

    // Read by every call, written by transitions only.
    alignas(kCacheLine) PublishedState<Platform> published_;
    CallTotals<Platform>& totals_;

    // Under the mutex.
    alignas(kCacheLine) Journal& journal_;
    ClosedLedger<Tracker> ledger_;
    CycleBooks books_{};
    PolicyWords words_;
    RecoveryWait wait_;
    ProbeSlots slots_;
    int successThreshold_;
    bool timed_;
};

}  // namespace fusebox::detail
