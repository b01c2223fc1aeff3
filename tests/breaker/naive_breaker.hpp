// SPDX-License-Identifier: MIT
// A breaker written for plainness: one thread, no epochs in words, no shards. What the real one
// must do.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <utility>

#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::test {

/// What can be seen of a breaker, real or naive.
struct Seen {
    CircuitState state = CircuitState::Closed;
    ControlMode mode = ControlMode::Automatic;
    std::chrono::nanoseconds retryAfter{-1};
    std::uint64_t successes = 0, failures = 0, timeouts = 0, ignored = 0, cancelled = 0;
    std::uint64_t rejected = 0, shadowRejected = 0, stale = 0;
    std::uint64_t timesOpened = 0, timesClosed = 0, windowCalls = 0, windowFailures = 0;
    std::chrono::nanoseconds timeOpen{0};
    int probes = 0;

    friend bool operator==(const Seen&, const Seen&) = default;
    friend std::ostream& operator<<(std::ostream& out, const Seen& s) {
        return out << toString(s.state) << '/' << toString(s.mode) << " retry "
                   << s.retryAfter.count() << " ok " << s.successes << " failed " << s.failures
                   << " timeouts " << s.timeouts << " ignored " << s.ignored << " cancelled "
                   << s.cancelled << " rejected " << s.rejected << " shadow " << s.shadowRejected
                   << " stale " << s.stale << " opened " << s.timesOpened << " closed "
                   << s.timesClosed << " window " << s.windowCalls << '/' << s.windowFailures
                   << " open for " << s.timeOpen.count() << " probes " << s.probes;
    }
};

[[nodiscard]] inline Seen seenIn(const CircuitBreakerStats& s) {
    return {s.state,
            s.mode,
            s.retryAfter.value_or(std::chrono::nanoseconds{-1}),
            s.totalSuccesses,
            s.totalFailures,
            s.totalTimeouts,
            s.totalIgnored,
            s.totalCancelled,
            s.totalRejected,
            s.totalShadowRejected,
            s.totalStale,
            s.timesOpened,
            s.timesClosed,
            s.windowCalls,
            s.windowFailures,
            s.timeOpen,
            s.probesInFlight};
}

/// Trips on `threshold` failures in a row.
class NaiveBreaker {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    /// An admitted call.
    struct Call {
        int epoch = 0;
        bool counts = false;  ///< in the window, or as a probe
        int probe = 0;        ///< 0: none
    };

    NaiveBreaker(int threshold, CircuitBreakerOptions options)
        : threshold_(threshold), options_(std::move(options)) {}

    void advance(Nanoseconds step) { now_ += step; }

    /// Empty: rejected.
    std::optional<Call> acquire() {
        if (seen_.mode == ControlMode::ForcedOpen) {
            ++seen_.rejected;
            return std::nullopt;
        }
        if (seen_.mode == ControlMode::ForcedClosed) return Call{epoch_, false, 0};
        settle();
        if (state_ == CircuitState::Open && now_ >= deadline_) toHalfOpen();
        if (state_ == CircuitState::Closed) return Call{epoch_, true, 0};
        if (state_ == CircuitState::HalfOpen &&
            static_cast<int>(probes_.size()) < options_.halfOpenLimit) {
            probes_[++lastProbe_] = now_;
            return Call{epoch_, true, lastProbe_};
        }
        if (seen_.mode == ControlMode::Shadow) {
            ++seen_.shadowRejected;
            return Call{epoch_, false, 0};
        }
        ++seen_.rejected;
        return std::nullopt;
    }

    ReportResult report(const Call& call, Outcome outcome, bool cancelled = false) {
        const bool failed = outcome == Outcome::Failure || outcome == Outcome::Timeout;
        if (outcome == Outcome::Success) ++seen_.successes;
        if (outcome == Outcome::Failure) ++seen_.failures;
        if (outcome == Outcome::Timeout) ++seen_.timeouts;
        if (outcome == Outcome::Ignored) ++(cancelled ? seen_.cancelled : seen_.ignored);
        if (call.probe > 0 && call.epoch == epoch_) settle();
        if (call.epoch != epoch_) {
            ++seen_.stale;
            return ReportResult::Stale;
        }
        if (!call.counts) return ReportResult::Recorded;
        if (call.probe > 0) {
            probes_.erase(call.probe);
            if (failed) toOpen(now_, std::nullopt);
            if (outcome == Outcome::Success && ++probeSuccesses_ >= options_.successThreshold) {
                toClosed();
            }
        } else if (outcome != Outcome::Ignored) {
            ++windowCalls_;
            windowFailures_ += failed;
            inARow_ = failed ? inARow_ + 1 : 0;
            if (inARow_ >= threshold_) toOpen(now_, std::nullopt);
        }
        return ReportResult::Recorded;
    }

    void open(std::optional<Nanoseconds> wait) {
        settle();
        if (state_ == CircuitState::Open) {
            if (frozen() || now_ < deadline_) return;
            toHalfOpen();
        }
        toOpen(now_, wait);
    }
    void close() {
        settle();
        if (state_ != CircuitState::Closed) toClosed();
    }
    void setMode(ControlMode mode) {
        settle();
        if (seen_.mode == mode) return;
        seen_.mode = mode;
        probes_.clear();
        ++epoch_;
    }
    void reset() {
        settle();
        const ControlMode mode = seen_.mode;
        toClosed();
        seen_ = {};
        seen_.mode = mode;
        ++epoch_;
    }

    /// What anybody would see now, without changing anything.
    [[nodiscard]] Seen look() const {
        NaiveBreaker copy = *this;
        copy.settle();
        Seen seen = copy.seen_;
        seen.windowCalls = copy.windowCalls_;
        seen.windowFailures = copy.windowFailures_;
        seen.probes = static_cast<int>(copy.probes_.size());
        seen.state = copy.state_;
        if (copy.state_ == CircuitState::Open) {
            seen.timeOpen += std::min(now_, copy.deadline_) - copy.openedAt_;
            if (now_ >= copy.deadline_) seen.state = CircuitState::HalfOpen;
        }
        if (seen.mode == ControlMode::ForcedOpen) seen.state = CircuitState::Open;
        if (seen.mode == ControlMode::ForcedClosed) seen.state = CircuitState::Closed;
        if (seen.state == CircuitState::Open) {
            seen.retryAfter =
                seen.mode == ControlMode::ForcedOpen ? kForever : copy.deadline_ - now_;
        }
        return seen;
    }

private:
    [[nodiscard]] bool frozen() const {
        return seen_.mode == ControlMode::ForcedOpen || seen_.mode == ControlMode::ForcedClosed;
    }

    /// A probe in flight for longer than its timeout reopens as of that instant.
    void settle() {
        if (frozen() || state_ != CircuitState::HalfOpen || probes_.empty()) return;
        Nanoseconds oldest = now_;
        for (const auto& [probe, start] : probes_) oldest = std::min(oldest, start);
        const Nanoseconds lost = oldest + effectiveProbeTimeout(options_);
        if (now_ > lost) toOpen(lost, std::nullopt);
    }

    void toOpen(Nanoseconds asOf, std::optional<Nanoseconds> wait) {
        reopenings_ = state_ == CircuitState::Closed ? 0 : reopenings_ + 1;
        Nanoseconds usual = options_.recoveryTimeout;
        for (int i = 0; i < reopenings_; ++i) {
            usual = std::min(saturatingMultiply(usual, options_.recoveryBackoff),
                             effectiveMaxRecoveryTimeout(options_));
        }
        state_ = CircuitState::Open;
        openedAt_ = asOf;
        deadline_ = asOf + wait.value_or(usual);
        probes_.clear();
        ++seen_.timesOpened;
        ++epoch_;
    }
    void leaveOpen() {
        if (state_ == CircuitState::Open) seen_.timeOpen += std::min(now_, deadline_) - openedAt_;
    }
    void toHalfOpen() {
        leaveOpen();
        state_ = CircuitState::HalfOpen;
        probeSuccesses_ = 0;
        ++epoch_;
    }
    void toClosed() {
        leaveOpen();
        state_ = CircuitState::Closed;
        probes_.clear();
        windowCalls_ = windowFailures_ = 0;
        inARow_ = 0;
        ++seen_.timesClosed;
        ++epoch_;
    }

    int threshold_;
    CircuitBreakerOptions options_;
    Seen seen_{};  // but for what `look` finds out
    CircuitState state_ = CircuitState::Closed;
    Nanoseconds now_{0};
    Nanoseconds openedAt_{0};
    Nanoseconds deadline_{0};
    std::map<int, Nanoseconds> probes_{};
    int lastProbe_ = 0;
    int epoch_ = 0;
    int reopenings_ = 0;
    int probeSuccesses_ = 0;
    int inARow_ = 0;
    std::uint64_t windowCalls_ = 0;
    std::uint64_t windowFailures_ = 0;
};

}  // namespace fusebox::test
