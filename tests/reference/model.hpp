// SPDX-License-Identifier: MIT
// A breaker as the contract describes it: one thread, every rule in the plainest form.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/breaker/options.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "reference/model_window.hpp"
#include "reference/seen.hpp"
#include "reference/told.hpp"

namespace fusebox::test {

/// Policy and options, as plain values.
struct Rules {
    PolicyChoice policy{};
    CircuitBreakerOptions options{};
};

/// Written from the contract, and where that is silent from `docs/design/decisions.md`; what both
/// leave open is marked "Silent:" here.
class Model {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    /// An admitted call, and the rules that it was admitted with.
    struct Ticket {
        std::uint64_t id = 0;
        std::uint64_t epoch = 0;
        enum class Kind : std::uint8_t { Closed, Probe, Passenger } kind = Kind::Closed;
        Nanoseconds begun{0};
        bool measured = false;
        bool tracked = false;
        bool watched = false;  ///< for being overdue
        Nanoseconds deadline = kForever;
        Nanoseconds slowerThan = kForever;

        friend bool operator==(const Ticket&, const Ticket&) = default;
    };

    /// How a call ended, judged.
    struct End {
        Outcome outcome = Outcome::Success;
        bool late = false;
        bool slow = false;
    };

    /// Who listens, and who of them throws.
    struct Audience {
        bool callbacks = false;    ///< the four of the options
        bool transitions = false;  ///< `on<StateChanged>` and its kin
        bool calls = false;        ///< `on<CallSucceeded>` and its kin
        bool rejections = false;   ///< `on<CallRejected>`
        bool throwing = false;     ///< those of transitions and calls throw
    };

    Model(Rules rules, Nanoseconds now)
        : rules_(std::move(rules)), now_(now), checked_(now), window_(rules_.policy, now) {}

    /// The clock shows this; one that steps back stands still.
    void look(Nanoseconds clock) { checked_ = now_ = std::max(now_, clock); }
    /// For an operation that looked at the clock before another one that was faster; and that
    /// looked twice, the first time to see what is over.
    void lookAgain(Nanoseconds checked, Nanoseconds now) {
        checked_ = checked;
        now_ = now;
    }

    /// Empty: rejected, see `rejection()`.
    std::optional<Ticket> acquire();
    ReportResult report(const Ticket& ticket, Outcome outcome,
                        std::optional<Nanoseconds> elapsed = {});
    ReportResult cancel(const Ticket& ticket);

    void open(std::optional<Nanoseconds> wait);
    void close(TransitionReason reason = TransitionReason::Manual);
    void reset();
    void setMode(ControlMode mode);
    /// `keepsWindow` is asked where the documents leave it open.
    void reconfigure(const Rules& rules, const std::function<bool()>& keepsWindow);
    /// Another breaker goes on where this one was saved: nobody listens to it yet.
    void restore(Nanoseconds now);

    [[nodiscard]] Seen seen();
    [[nodiscard]] CircuitState state() const { return reading().state; }
    [[nodiscard]] std::optional<Nanoseconds> retryAfter() const {
        const Reading now = reading();
        if (now.state != CircuitState::Open) return std::nullopt;
        return now.retryAfter;
    }
    [[nodiscard]] ControlMode mode() const { return mode_; }
    [[nodiscard]] Rejection rejection() const { return rejection_; }
    [[nodiscard]] const Rules& rules() const { return rules_; }
    [[nodiscard]] Nanoseconds now() const { return now_; }
    [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
    /// What a judge of exceptions and results leaves to the measure.
    [[nodiscard]] End judged(const Ticket& ticket, Outcome outcome, Nanoseconds elapsed) const;
    [[nodiscard]] Nanoseconds elapsedOf(const Ticket& ticket) const {
        return std::max(Nanoseconds{0}, now_ - ticket.begun);
    }

    Audience audience{};
    Tellings told{};
    /// For the verdict of a failure and the transition that it makes, one after the other: what
    /// others do between them is no part of the evidence.
    bool defersTrips = false;
    [[nodiscard]] bool tripPending() const { return pending_.has_value(); }
    /// A success that comes while its epoch is being ended: stale, though the end is not seen yet.
    void endEarly(const Ticket& ticket) {
        end(ticket);
        ++totals_.successes;
        ++totals_.stale;
    }
    /// What decides the future and need not be seen yet.
    void addHidden(std::vector<std::int64_t>& place) const {
        place.insert(
            place.end(),
            {static_cast<std::int64_t>(epoch_), static_cast<std::int64_t>(state_), now_.count(),
             openedAt_.count(), deadline_.count(), static_cast<std::int64_t>(reopenings_),
             probeSuccesses_, static_cast<std::int64_t>(failuresInARow_), past_.outcomes,
             static_cast<std::int64_t>(tripPending())});
        for (const Probe& probe : probes_) place.push_back(probe.begun.count());
    }
    void tripNow() {
        if (!pending_) return;
        latched_ = pending_->evidence;
        failuresInARow_ = pending_->inARow;
        past_ = pending_->past;
        toOpen(TransitionReason::PolicyTripped, now_, std::nullopt);
        pending_.reset();
    }

    /// With jitter: the wait that the breaker drew. The model checks that it may be drawn.
    std::function<Nanoseconds()> drawn{};
    bool drewOutside = false;

private:
    struct Probe {
        std::uint64_t id;
        Nanoseconds begun;
    };
    struct Totals {
        std::uint64_t successes = 0, failures = 0, timeouts = 0, ignored = 0, cancelled = 0;
        std::uint64_t rejected = 0, shadowRejected = 0, stale = 0, slow = 0;
        std::uint64_t opened = 0, closed = 0, reconfigured = 0, listenerErrors = 0;
        std::uint64_t closedToOpen = 0, openToHalfOpen = 0, halfOpenToOpen = 0;
        std::uint64_t halfOpenToClosed = 0, openToClosed = 0;
        std::uint64_t measured = 0, measuredSuccesses = 0, measuredIgnored = 0;
        Nanoseconds sum{0}, longest{0}, timeOpen{0};
        bool everFailed = false, everClosed = false;
    };
    struct Evidence {
        CallCounts counts{};
        std::optional<double> failureRate{}, slowCallRate{};
    };
    struct Trip {
        TransitionReason reason = TransitionReason::PolicyTripped;
        Evidence evidence{};
        std::uint64_t inARow = 0;
        Nanoseconds wait{0};
        PastWords past{};
    };
    struct Reading {
        CircuitState state;
        Nanoseconds retryAfter;
        bool lost;
        Nanoseconds lostAt;
    };

    [[nodiscard]] bool frozen() const {
        return mode_ == ControlMode::ForcedOpen || mode_ == ControlMode::ForcedClosed;
    }
    [[nodiscard]] std::optional<Nanoseconds> lostAt() const;
    [[nodiscard]] Reading reading() const;
    [[nodiscard]] Nanoseconds usualWait(std::uint64_t reopenings) const;
    [[nodiscard]] Evidence evidence();
    [[nodiscard]] bool recorded(const Ticket& ticket, const End& end, Nanoseconds elapsed);
    void recordClosed(Outcome outcome, bool slow, Nanoseconds elapsed);
    void recordProbe(const Ticket& ticket, const End& end);
    void takeOverdue();
    void settle();
    std::optional<Ticket> reject(RejectionReason reason, Nanoseconds retryAfter);
    Ticket admit(Ticket::Kind kind);
    void end(const Ticket& ticket);
    void toOpen(TransitionReason reason, Nanoseconds asOf, std::optional<Nanoseconds> wait);
    void toHalfOpen();
    void toClosed(TransitionReason reason);
    void leaveOpen();
    void change(CircuitState to, TransitionReason reason);
    void newEpoch();
    void tell(Told::What what, std::int64_t a = 0, std::int64_t b = 0, std::int64_t c = 0,
              std::int64_t d = 0);
    void tellCall(const End& end, Nanoseconds elapsed, bool known);

    Rules rules_;
    Nanoseconds now_;
    Nanoseconds checked_;  ///< At most `now_`.
    ModelWindow window_;

    CircuitState state_ = CircuitState::Closed;
    ControlMode mode_ = ControlMode::Automatic;
    std::uint64_t epoch_ = 0;
    /// By what calls are judged that were admitted before a reconfiguration: the last eight.
    static constexpr std::size_t kRemembered = 8;
    struct PastRules {
        Nanoseconds deadline;
        Nanoseconds slowerThan;
        std::uint64_t until;
    };
    std::vector<PastRules> pastRules_{};
    /// The last epoch whose rules are not among them.
    std::optional<std::uint64_t> forgotten_{};
    std::uint64_t lastId_ = 0;
    Nanoseconds openedAt_{0};
    Nanoseconds deadline_{0};
    std::uint64_t reopenings_ = 0;
    int probeSuccesses_ = 0;
    std::vector<Probe> probes_{};
    std::vector<Ticket> inFlight_{};

    Totals totals_{};
    std::uint64_t failuresInARow_ = 0;
    std::uint64_t successesInARow_ = 0;
    PastWords past_{};
    Evidence latched_{};
    std::optional<Trip> trip_{};
    std::optional<Trip> pending_{};
    Rejection rejection_{};
};

// ---- calls

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
    end.slow = elapsed >= (forgotten ? pastRules_.front().slowerThan : ticket.slowerThan);
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

// ---- the cycle

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

// ---- manual control

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

// ---- what is seen

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

// ---- what is told

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
