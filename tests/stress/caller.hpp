// SPDX-License-Identifier: MIT
// A caller that does everything callers do, at random, and keeps books of it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "stress/load.hpp"

namespace fusebox::test {

/// A result that says how it is to be judged.
struct Reply {
    Outcome judged = Outcome::Success;
};

/// An exception that says how it is to be judged.
struct Thrown : std::exception {
    explicit Thrown(Outcome outcome) noexcept : judged(outcome) {}
    Outcome judged;
};

/// Judges `Thrown`, for `CircuitBreakerOptions::classifyError`.
[[nodiscard]] inline Outcome judgeThrown(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const Thrown& thrown) {
        return thrown.judged;
    }
}

}  // namespace fusebox::test

template <>
struct fusebox::OutcomeTraits<fusebox::test::Reply> {
    static Outcome classify(const fusebox::test::Reply& reply) { return reply.judged; }
};

namespace fusebox::test {

/// What callers know of their own calls.
struct Books {
    std::array<std::uint64_t, 4> ended{};  ///< by outcome
    std::uint64_t cancelled = 0;
    std::uint64_t rejected = 0;
    std::uint64_t slow = 0;
    std::uint64_t recorded = 0;
    std::uint64_t stale = 0;
    std::uint64_t unseen = 0;  ///< ended without showing the caller a ReportResult
    std::uint64_t wrong = 0;   ///< something came back that should not

    [[nodiscard]] std::uint64_t of(Outcome outcome) const {
        return ended[static_cast<std::size_t>(outcome)];
    }
    [[nodiscard]] std::uint64_t calls() const {
        return ended[0] + ended[1] + ended[2] + ended[3] + cancelled;
    }
    void add(const Books& other) {
        for (std::size_t i = 0; i < ended.size(); ++i) ended[i] += other.ended[i];
        cancelled += other.cancelled;
        rejected += other.rejected;
        slow += other.slow;
        recorded += other.recorded;
        stale += other.stale;
        unseen += other.unseen;
        wrong += other.wrong;
    }
};

/// How the callers of a storm behave.
struct Habits {
    /// Only permits that are reported: then every ReportResult is seen.
    bool reportsAll = false;
    /// Latencies are measured, so that elapsed times handed in can be late.
    bool measures = true;
    /// The policy tells slow calls.
    bool tellsSlow = false;
    /// Calls are slow to end, so that time passes while they are in flight.
    bool dawdles = false;

    // Far beyond what the clock of a storm moves during a call: nothing is slow or late by chance.
    static constexpr std::chrono::hours kSlow{5};
    static constexpr std::chrono::hours kDeadline{10};
    static constexpr std::chrono::hours kLate{20};
};

/// One thread of a storm.
template <class Breaker>
class Caller {
public:
    Caller(Breaker& breaker, const Habits& habits, std::uint64_t seed)
        : breaker_(breaker), habits_(habits), random_(seed) {}

    /// Makes calls until so many were admitted and have ended.
    void run(std::uint64_t calls) {
        for (std::uint64_t attempt = 0; done_ < calls; ++attempt) {
            // Three healthy phases, then a sick one in which the breaker trips again and again.
            sick_ = (attempt >> 11) % 4 == 3;
            // So that clock, control and observer come to run even on few cores.
            if (attempt % 64 == 63) std::this_thread::yield();
            call();
        }
        while (!held_.empty()) reportHeld();
    }

    [[nodiscard]] const Books& books() const noexcept { return books_; }

private:
    using Permit = typename Breaker::Permit;
    static constexpr std::size_t kMostHeld = 8;

    [[nodiscard]] Outcome draw() {
        const std::uint64_t n = random_.below(100);
        if (n < (sick_ ? 30U : 94U)) return Outcome::Success;
        if (n < (sick_ ? 80U : 96U)) return Outcome::Failure;
        if (n < (sick_ ? 95U : 98U)) return Outcome::Timeout;
        return Outcome::Ignored;
    }

    void call() {
        const std::uint64_t form = random_.below(64);
        if (form < 24) return callByPermit();
        if (form < 27) return hold();
        if (form < 30) return held_.empty() ? hold() : reportHeld();
        if (habits_.reportsAll) return callByPermit();
        if (form == 30) return drop();
        if (form == 31) return random_.oneIn(4) ? unwind() : callThrowing();
        if (form < 48) return callWithFallback();
        return callJudged();
    }

    void callByPermit() {
        Permit permit = breaker_.tryAcquire();
        if (!permit) return noteRejection();
        if (habits_.dawdles && random_.oneIn(16)) std::this_thread::yield();
        report(permit);
    }

    void hold() {
        if (held_.size() == kMostHeld) reportHeld();
        Permit permit = breaker_.tryAcquire();
        if (!permit) return noteRejection();
        held_.push_back(std::move(permit));
        // Time passes: if it was a probe, it may be lost by now.
        if (random_.oneIn(4)) std::this_thread::yield();
    }

    void reportHeld() {
        Permit permit = std::exchange(held_[random_.below(held_.size())], std::move(held_.back()));
        held_.pop_back();
        report(permit);
    }

    void report(Permit& permit) {
        const Outcome outcome = draw();
        if (random_.oneIn(256)) return reportWithTime(permit, outcome);
        note(permit.report(outcome));
        end(outcome);
    }

    /// With an elapsed time of the caller's own: slow, or beyond the deadline.
    void reportWithTime(Permit& permit, Outcome outcome) {
        const bool late = random_.oneIn(4);
        note(permit.report(outcome, late ? Habits::kLate : Habits::kSlow));
        const bool counts = habits_.measures && outcome != Outcome::Ignored;
        if (counts && habits_.tellsSlow) ++books_.slow;
        end(counts && late ? Outcome::Timeout : outcome);
    }

    void drop() {
        if (Permit permit = breaker_.tryAcquire()) {
            ++books_.cancelled;
            unseen();
        } else {
            noteRejection();
        }
    }

    /// An exception unwinds through a permit: a failure.
    void unwind() {
        try {
            const Permit permit = breaker_.tryAcquire();
            if (!permit) return noteRejection();
            throw Thrown{Outcome::Ignored};
        } catch (const Thrown&) {
            end(Outcome::Failure);
            unseen();
        }
    }

    void callThrowing() {
        const Outcome outcome = draw();
        try {
            breaker_.execute([&]() -> int { throw Thrown{outcome}; });
            ++books_.wrong;
        } catch (const Thrown& thrown) {
            books_.wrong += thrown.judged != outcome;
            end(outcome);
            unseen();
        } catch (const CircuitOpenError&) {
            noteRejection();
        }
    }

    void callWithFallback() {
        const Outcome outcome = draw();
        bool called = false;
        bool rejected = false;
        const Reply reply = breaker_.execute(
            [&] {
                called = true;
                return Reply{outcome};
            },
            fallback([&](const Rejection&) {
                rejected = true;
                return Reply{Outcome::Ignored};
            }));
        books_.wrong += called == rejected || (called && reply.judged != outcome);
        if (rejected) return noteRejection();
        end(outcome);
        unseen();
    }

    void callJudged() {
        const Outcome outcome = draw();
        bool rejected = false;
        breaker_.execute(judgedBy([] { return 1; }, [&](const int&) { return outcome; }),
                         fallback([&](const Rejection&) {
                             rejected = true;
                             return 0;
                         }));
        if (rejected) return noteRejection();
        end(outcome);
        unseen();
    }

    void end(Outcome outcome) {
        ++books_.ended[static_cast<std::size_t>(outcome)];
        ++done_;
    }
    void unseen() { ++books_.unseen; }
    void note(ReportResult result) {
        books_.recorded += result == ReportResult::Recorded;
        books_.stale += result == ReportResult::Stale;
        books_.wrong += result == ReportResult::AlreadyReported;
    }
    void noteRejection() {
        // Not each time: callers that come back at once are the worst case.
        if (++books_.rejected % 4 == 0) std::this_thread::yield();
    }

    Breaker& breaker_;
    Habits habits_;
    Random random_;
    bool sick_ = false;
    std::uint64_t done_ = 0;
    std::vector<Permit> held_;
    Books books_;
};

}  // namespace fusebox::test
