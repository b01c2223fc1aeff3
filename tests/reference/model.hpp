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

}  // namespace fusebox::test

// Its functions.
#include "reference/model_calls.hpp"
#include "reference/model_control.hpp"
#include "reference/model_cycle.hpp"
#include "reference/model_seen.hpp"
