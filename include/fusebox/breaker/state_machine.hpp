// SPDX-License-Identifier: MIT
// The state machine: who is admitted, and what a report does.
//
// docs/design/state_machine.md draws it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/call_totals.hpp"
#include "fusebox/breaker/cycle.hpp"
#include "fusebox/breaker/flights.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// What the next call would meet.
struct Reading {
    CircuitState state = CircuitState::Closed;
    std::chrono::nanoseconds retryAfter{0};  ///< Meaningful in Open.
};

/// The protocol of one breaker. Successes and rejections read the word and write a counter of their
/// own; failures, probes and manual control take the mutex, with `journal.commit()` at its end and
/// `journal.flush()` after its release.
template <class Tracker, class Time, class Journal, class Platform = StdPlatform>
class StateMachine {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    using Rules = CycleRules<Tracker>;

    template <class Clock>
    StateMachine(Rules rules, const CircuitBreakerOptions& options, Clock clock, Journal& journal)
        : totals_(options, mutex_),
          cycle_(std::move(rules), totals_, journal),
          time_(std::move(clock)) {
        if (options.detectOverdue) {
            flights_ = std::make_unique<Flights<Platform>>(shardCount(options.shards));
            flights_->setTimeout(options.requestTimeout);
        }
        cycle_.begin(time_.now());
    }

    [[nodiscard]] const Time& time() const noexcept { return time_; }
    /// What guards everything but the word, its companions and the counters.
    [[nodiscard]] typename Platform::Mutex& mutex() const noexcept { return mutex_; }
    [[nodiscard]] ControlMode mode() const noexcept { return cycle_.word().mode(); }

    /// Admits a call, or rejects it: false. A ticket that is not rejected must be reported once.
    [[nodiscard]] FUSEBOX_HOT bool admit(Ticket& ticket) noexcept {
        ticket = {cycle_.word()};
        if (ticket.word.admitsPlainly()) [[likely]]
            return true;
        if (ticket.word.admitsTracked()) {
            totals_.begun();
            return true;
        }
        ticket = ticket.word.simplyOpen() ? admitToOpen(ticket.word) : admitWithCare(ticket.word);
        return !ticket.rejected();
    }

    /// A success of a plain ticket; false: nothing was counted, report it otherwise.
    [[nodiscard]] FUSEBOX_HOT bool recordPlainSuccess(Ticket ticket) noexcept {
        if (!isPublished(ticket.word)) [[unlikely]]
            return false;
        return totals_.tryRecordSuccess(ticket.word.tag());
    }

    /// A success of a quick ticket; false: nothing was counted, report it in full.
    [[nodiscard]] bool recordQuickSuccess(Ticket ticket) noexcept {
        const StateWord word = ticket.word;
        if (word.ticks()) tickIfDue(word, tickTime(word));
        return recordPlainSuccess(ticket);
    }

    /// A success that came in time, timed; false: nothing was counted, report it in full.
    [[nodiscard]] FUSEBOX_HOT bool recordTimedSuccess(Ticket ticket, Nanoseconds now,
                                                      Nanoseconds elapsed) noexcept {
        const StateWord word = ticket.word;
        if (!word.countsSuccesses() || word.watchesCalls()) return false;
        if (word.ticks()) tickIfDue(word, now);
        return isPublished(word) && totals_.tryRecordSuccess(word.tag(), elapsed);
    }

    /// Any end of any admitted ticket.
    FUSEBOX_HOT ReportResult report(Ticket ticket, const CallEnd& end) noexcept {
        if (ticket.word.watchesCalls()) [[unlikely]] {
            const bool inTime = flights_->end(ticket);
            ticket.word = ticket.word.withProbes(0);
            if (!inTime) return reportOverdue(ticket.word, end);
        }
        const StateWord word = ticket.word;
        totals_.countTime(end);
        const bool fast = end.outcome == Outcome::Success && !end.slow;
        const bool increments = fast && word.countsSuccesses();
        if (increments && recordSuccess(word, end)) return ReportResult::Recorded;
        if (word.tracked()) totals_.ended();
        // The cycle counts the failures that it records.
        if (!end.failed()) totals_.count(end);
        if (!increments && record(word, end)) return ReportResult::Recorded;
        if (end.failed()) totals_.count(end);
        totals_.stale();
        return ReportResult::Stale;
    }

    [[nodiscard]] Reading read() const noexcept {
        for (;;) {
            const StateWord word = cycle_.word();
            if (word.mode() == ControlMode::ForcedOpen) return {CircuitState::Open, kForever};
            if (word.mode() == ControlMode::ForcedClosed) return {};
            if (word.state() == CircuitState::Closed) return {};
            const Nanoseconds now = time_.coarseNow();
            const auto until = cycle_.published().openUntil(word, now);
            const bool open = until && !isOver(*until, now);
            const Nanoseconds rest =
                open ? cycle_.published().restOf(*until, now) : Nanoseconds::zero();
            if (cycle_.word() != word) continue;
            return {open ? CircuitState::Open : CircuitState::HalfOpen, rest};
        }
    }

    /// Opens now, for `wait` or as usual; nothing if open.
    void open(std::optional<Nanoseconds> wait) noexcept {
        changing([&](Nanoseconds now, Nanoseconds checked) {
            const StateWord word = cycle_.word();
            if (word.state() == CircuitState::Open) {
                if (!word.cycling() || !isOver(cycle_.published().deadline(), checked)) return;
                cycle_.toHalfOpen(now);
            }
            cycle_.toOpen(now, now, TransitionReason::Manual, wait);
        });
    }

    /// Closes now; nothing if closed.
    void close() noexcept {
        changing([&](Nanoseconds now, Nanoseconds) {
            if (cycle_.word().state() == CircuitState::Closed) return;
            cycle_.toClosed(now, TransitionReason::Manual);
        });
    }

    /// Closes, keeps the mode, and returns every statistic to a new breaker's.
    void reset() noexcept {
        changing([&](Nanoseconds now, Nanoseconds) { cycle_.toBeginning(now); });
    }

    void setMode(ControlMode mode) noexcept {
        changing([&](Nanoseconds, Nanoseconds) {
            if (cycle_.word().mode() != mode) cycle_.toMode(mode);
        });
    }

    /// Goes on under other rules, if `commit(epoch)` agrees under the mutex to the epoch as of
    /// which they hold; says whether it did. `rules` gets the ones before.
    template <class Commit>
    bool reconfigure(Rules& rules, bool samePolicy, Commit&& commit) {
        // Before the mutex: it may allocate.
        if (rules.instruments.measured) totals_.measureLatency();
        auto flights = rules.instruments.watched
                           ? std::make_unique<Flights<Platform>>(totals_.mostShards())
                           : nullptr;
        bool agreed = false;
        changing([&](Nanoseconds now, Nanoseconds) {
            agreed = commit(cycle_.word().epoch() + 1);
            if (!agreed) return;
            // Those that are there stay: calls may be using them. Found by who sees the new word.
            if (!flights_) flights_.swap(flights);
            if (flights_) flights_->setTimeout(rules.requestTimeout);
            cycle_.toRules(rules, samePolicy, now);
        });
        return agreed;
    }

    /// Everything but names and words. Holds the mutex for a copy of plain values only.
    [[nodiscard]] CircuitBreakerStats stats() const {
        totals_.tellOutcomesApart();
        CircuitBreakerStats stats;
        CycleSnapshot seen;
        Reading reading;
        {
            const std::lock_guard lock{mutex_};
            seen = cycle_.look(std::max(latest_, time_.coarseNow()));
            reading = read();
            stats.inFlight = totals_.inFlight();
        }
        totals_.fill(stats);
        seen.fill(stats);
        stats.state = reading.state;
        if (reading.state == CircuitState::Open) stats.retryAfter = reading.retryAfter;
        return stats;
    }

    /// What of the statistics and the cycle outlives the process, but for names.
    [[nodiscard]] SavedState save() const {
        CycleSnapshot seen;
        {
            const std::lock_guard lock{mutex_};
            seen = cycle_.look(std::max(latest_, time_.coarseNow()));
        }
        CircuitBreakerStats stats;
        totals_.fill(stats);
        seen.fill(stats);
        SavedState saved;
        fillFrom(std::move(stats), saved);
        seen.fill(saved);
        return saved;
    }

    /// Before the first call. `rest` is what is left of the wait of an open breaker.
    void resume(const SavedState& saved, Nanoseconds rest) {
        const std::lock_guard lock{mutex_};
        totals_.resume(saved);
        cycle_.resume(saved, rest, advance(time_.now()));
    }

private:
    Ticket begin(StateWord word) noexcept {
        if (word.tracked()) totals_.begun();
        return {word, word.measured() ? time_.now() : Nanoseconds::zero()};
    }

    /// What an open breaker does while it waits, apart from what is rarer and takes longer.
    FUSEBOX_APART Ticket admitToOpen(StateWord word) noexcept {
        const Nanoseconds now = time_.coarseNow();
        const Nanoseconds until = cycle_.published().deadline();
        if (isOver(until, now)) [[unlikely]]
            return admitWithCare(word);
        const Nanoseconds rest = cycle_.published().restOf(until, now);
        // The word last, as in admitWithCare.
        if (cycle_.word() != word) [[unlikely]]
            return admitWithCare(word);
        return reject(word, rest);
    }

    /// Admission that does not go without saying.
    FUSEBOX_APART Ticket admitWithCare(StateWord word) noexcept {
        for (;; word = cycle_.word()) {
            if (word.watchesCalls()) {
                if (const auto ticket = admitWatched(word)) return *ticket;
                continue;
            }
            if (word.simplyClosed()) return begin(word);
            if (word.mode() == ControlMode::ForcedOpen) return reject(word, kForever);
            if (word.mode() == ControlMode::ForcedClosed) return begin(word.asPassenger());
            if (word.state() == CircuitState::Closed) return begin(word);
            if (const auto rest = refusal(word)) {
                // A deadline or lease of another epoch says nothing about this word.
                if (cycle_.word() == word) return refuse(word, *rest);
            } else if (const auto ticket = admitProbe()) {
                return *ticket;
            }
        }
    }

    /// Admits a call that counts as failed once it is over its deadline, after a look at those that
    /// are so; empty if that made a transition.
    FUSEBOX_APART std::optional<Ticket> admitWatched(StateWord word) noexcept {
        Ticket ticket{word, time_.now()};
        bool look = flights_->lookIsDue(ticket.time);
        for (;;) {
            if (look) {
                locked([&] { countOverdue(advance(time_.now())); });
                if (cycle_.word() != word) return std::nullopt;
            }
            using Begun = typename Flights<Platform>::Begun;
            look = flights_->begin(ticket) == Begun::LookFirst;
            if (look) continue;
            if (word.tracked()) totals_.begun();
            return ticket;
        }
    }

    void countOverdueIfDue(Nanoseconds now) noexcept {
        if (flights_->lookIsDue(now)) countOverdue(now);
    }

    /// Those that are over their deadline count as timeouts, as far as they do not open the
    /// breaker.
    void countOverdue(Nanoseconds now) noexcept {
        const StateWord word = cycle_.word();
        if (!word.watchesCalls()) return;
        std::uint64_t overdue = flights_->takeOverdue(word, now);
        for (; overdue > 0; --overdue) {
            if (!cycle_.recordOverdue(flights_->timeout(), now).trips) continue;
            return cycle_.toOpen(now, now, TransitionReason::PolicyTripped);
        }
    }

    /// The end of a call that counted as a timeout already, whatever it is.
    FUSEBOX_APART ReportResult reportOverdue(StateWord word, const CallEnd& end) noexcept {
        totals_.countTime(end);
        if (word.tracked()) totals_.ended();
        totals_.count(end);
        if (word.epoch() == cycle_.word().epoch()) return ReportResult::Recorded;
        totals_.stale();
        return ReportResult::Stale;
    }

    /// The rest of the wait, if the word admits no call now.
    [[nodiscard]] std::optional<Nanoseconds> refusal(StateWord word) const noexcept {
        const Nanoseconds now = time_.coarseNow();
        if (word.state() == CircuitState::Open) {
            const Nanoseconds until = cycle_.published().deadline();
            if (!isOver(until, now)) return cycle_.published().restOf(until, now);
        } else if (word.probes() >= cycle_.published().probeLimit() &&
                   now <= cycle_.published().lease()) {
            return Nanoseconds::zero();
        }
        return std::nullopt;
    }

    Ticket refuse(StateWord word, Nanoseconds rest) noexcept {
        if (word.mode() != ControlMode::Shadow) return reject(word, rest);
        totals_.shadowRejected();
        return begin(word.asPassenger());
    }

    FUSEBOX_HOT Ticket reject(StateWord word, Nanoseconds rest) noexcept {
        totals_.rejected();
        return {word.asRejected(), rest};
    }

    /// Makes the due transitions and takes a probe slot; empty if the word has to be read again.
    FUSEBOX_APART std::optional<Ticket> admitProbe() noexcept {
        std::optional<Ticket> ticket;
        changing([&](Nanoseconds now, Nanoseconds checked) {
            if (!cycle_.word().cycling()) return;
            const bool open = cycle_.word().state() == CircuitState::Open;
            if (open && isOver(cycle_.published().deadline(), checked)) cycle_.toHalfOpen(now);
            const StateWord word = cycle_.word();
            if (word.state() != CircuitState::HalfOpen) return;
            if (word.probes() >= cycle_.published().probeLimit()) return;
            ticket = Ticket{cycle_.beginProbe(now), now};
        });
        if (ticket && ticket->word.tracked()) totals_.begun();
        return ticket;
    }

    /// What a report that is not one increment does beyond the totals; false if it is stale.
    FUSEBOX_HOT bool record(StateWord word, const CallEnd& end) noexcept {
        if (word.epoch() != cycle_.word().epoch()) return false;
        if (word.passenger()) {
            if (end.failed()) totals_.count(end);
            return true;
        }
        if (word.state() == CircuitState::HalfOpen) return recordProbe(word, end);
        return end.neutral() || recordVerdict(word, end);
    }

    /// A success that is one increment in the window; false if it is stale.
    bool recordSuccess(StateWord word, const CallEnd& end) noexcept {
        if (word.ticks()) tickIfDue(word, end.timed ? end.time : tickTime(word));
        return isPublished(word) && totals_.recordSuccess(word.tag());
    }

    /// Before a success: whether its epoch is the present one. The word read here may be old; the
    /// tag on the shard has the last say.
    [[nodiscard]] FUSEBOX_HOT bool isPublished(StateWord word) const noexcept {
        return cycle_.published().staleWord() == word;
    }

    /// The time by which slices end, for a call that has not read the clock.
    [[nodiscard]] Nanoseconds tickTime(StateWord word) const noexcept {
        return word.preciseTicks() ? time_.now() : time_.coarseNow();
    }

    /// The first success after a slice's edge notes the total there; the others go on.
    FUSEBOX_HOT void tickIfDue(StateWord word, Nanoseconds now) noexcept {
        if (cycle_.published().tickDue(now)) [[unlikely]]
            tick(word, now);
    }
    FUSEBOX_COLD void tick(StateWord word, Nanoseconds now) noexcept {
        const std::unique_lock lock{mutex_, std::try_to_lock};
        if (lock.owns_lock() && cycle_.word() == word) cycle_.tick(advance(now));
    }

    FUSEBOX_APART bool recordVerdict(StateWord word, const CallEnd& end) noexcept {
        bool recorded = false;
        locked([&] {
            if (word.watchesCalls()) countOverdueIfDue(endOf(end));
            if (cycle_.word() != word) return;
            recorded = true;
            const Verdict verdict =
                cycle_.recordVerdict(end, cycle_.timed() ? endOf(end) : Nanoseconds::zero());
            // A fast success that a tracker asked to see trips nothing, whatever it answers.
            if (!verdict.trips || !(end.failed() || end.slow)) return;
            const Nanoseconds now = endOf(end);
            cycle_.toOpen(now, now, TransitionReason::PolicyTripped);
        });
        return recorded;
    }

    FUSEBOX_APART bool recordProbe(StateWord word, const CallEnd& end) noexcept {
        bool recorded = false;
        changing([&](Nanoseconds now, Nanoseconds) {
            // `changing` has reopened the breaker if this or another probe was lost.
            if (cycle_.word().epoch() != word.epoch()) return;
            recorded = true;
            cycle_.endProbe(word, end, now);
        });
        return recorded;
    }

    /// Runs `change` under the mutex, then lets the journal deliver.
    template <class Change>
    void locked(Change&& change) noexcept {
        {
            const std::lock_guard lock{mutex_};
            change();
            cycle_.journal().commit();
        }
        cycle_.journal().flush();
    }

    /// As `locked`, after the transition that time alone has made. `change` gets the precise time,
    /// from which deadlines are set, and the coarse one, with which they are checked everywhere: or
    /// `state()` would contradict the next call.
    template <class Change>
    void changing(Change&& change) noexcept {
        locked([&] {
            const Nanoseconds checked = time_.coarseNow();
            const Nanoseconds now = advance(time_.now());
            cycle_.settle(checked, now);
            change(now, checked);
        });
    }

    /// The time under the mutex: clocks are read outside it, and must not go back inside it.
    Nanoseconds advance(Nanoseconds reading) noexcept {
        return latest_ = std::max(latest_, reading);
    }
    Nanoseconds endOf(const CallEnd& end) noexcept {
        return advance(end.timed ? end.time : time_.now());
    }

    CallTotals<Platform> totals_;
    Cycle<Tracker, Journal, Platform> cycle_;
    // After what is under the mutex, far from what every call reads.
    mutable typename Platform::Mutex mutex_;
    Nanoseconds latest_ = Nanoseconds::min();
    // Made once, if calls are watched, before the word says so.
    std::unique_ptr<Flights<Platform>> flights_{};
    Time time_;
};

}  // namespace fusebox::detail
