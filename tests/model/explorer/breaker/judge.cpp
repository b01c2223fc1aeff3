// SPDX-License-Identifier: MIT
#include "breaker/judge.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

namespace fusebox::model {
namespace {

using namespace std::chrono_literals;
using Publications = std::vector<Publication>;

void require(bool holds, const char* what) {
    if (!holds) execution().fail(what);
}

/// Whether the breaker stood so that `holds`, at some time, or between two words. In the same state
/// a reconfiguration changes the wait and the limit a moment before the word; in the same epoch a
/// probe that comes or goes changes the lease.
template <class Holds>
[[nodiscard]] bool stoodOnce(const Publications& all, Holds holds) {
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (holds(all[i])) return true;
        if (i + 1 == all.size() || all[i].word.state() != all[i + 1].word.state()) continue;
        Publication between = all[i];
        between.probeLimit = all[i + 1].probeLimit;
        between.reopenWait = all[i + 1].reopenWait;
        if (all[i].word.epoch() == all[i + 1].word.epoch()) between.lease = all[i + 1].lease;
        if (holds(between)) return true;
    }
    return false;
}

[[nodiscard]] bool explains(const Publication& there, const Rejected& rejected) {
    const detail::Ticket& ticket = rejected.ticket;
    if (there.word.asRejected() != ticket.word) return false;
    if (there.word.mode() == ControlMode::ForcedOpen) return ticket.time == kForever;
    if (there.word.state() == CircuitState::Open) {
        return !isOver(there.deadline, rejected.now) &&
               ticket.time == readingOf(there, rejected.now).retryAfter;
    }
    return there.word.probes() >= there.probeLimit && rejected.now <= there.lease &&
           ticket.time == Nanoseconds::zero();
}

void judgeReadings(const Publications& all, const Notes& notes) {
    for (const ReadState& read : notes.read) {
        require(stoodOnce(all,
                          [&](const Publication& there) {
                              const detail::Reading reading = readingOf(there, read.now);
                              return reading.state == read.reading.state &&
                                     (reading.state != CircuitState::Open ||
                                      reading.retryAfter == read.reading.retryAfter);
                          }),
                "a state was read in which the breaker never was");
    }
    for (const Rejected& rejected : notes.rejected) {
        require(stoodOnce(all, [&](const Publication& there) { return explains(there, rejected); }),
                "a call was rejected as the breaker never would have");
    }
}

void judgeEvents(const History& history) {
    std::vector<std::pair<CircuitState, CircuitState>> changes;
    const Publications& all = history.publications();
    for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i].word.state() != all[i - 1].word.state())
            changes.emplace_back(all[i - 1].word.state(), all[i].word.state());
    }
    require(std::equal(changes.begin(), changes.end(), history.announced().begin(),
                       history.announced().end(),
                       [](const auto& change, const Announced& event) {
                           return change.first == event.from && change.second == event.to;
                       }),
            "the events are not the transitions");
}

[[nodiscard]] std::vector<Reported> allReports(const History& history) {
    std::vector<Reported> all;
    for (const Notes& notes : history.allNotes())
        all.insert(all.end(), notes.reported.begin(), notes.reported.end());
    return all;
}

/// No slot is given twice: who has the same one has it at another time.
void judgeSlots(const std::vector<Reported>& reports) {
    const auto isProbe = [](const Reported& report) {
        return report.ticket.word.state() == CircuitState::HalfOpen &&
               !report.ticket.word.passenger() && report.taken > 0 &&
               report.result == ReportResult::Recorded;
    };
    for (const Reported& a : reports) {
        for (const Reported& b : reports) {
            if (&a == &b || !isProbe(a) || !isProbe(b)) continue;
            if (a.ticket.word != b.ticket.word || a.taken > b.taken) continue;
            require(a.taken != b.taken && a.released <= b.taken, "a slot was given twice");
        }
    }
}

/// What a call told its caller is what happened to it.
void judgeReports(const std::vector<Reported>& reports, const History& history,
                  const CircuitBreakerStats& stats, const Setup& setup) {
    std::uint64_t inWindow = 0;
    for (const Reported& report : reports) {
        const bool recorded = report.result == ReportResult::Recorded;
        const std::uint64_t epoch = report.ticket.word.epoch();
        require(recorded || setup.policy.watched || epoch != history.present().word.epoch(),
                "a call of the present epoch was told that it is late");
        if (recorded && !report.end.neutral() && report.ticket.word.inWindow() &&
            epoch >= history.periodBegin())
            ++inWindow;
    }
    // What is overdue stands in the window, and is not reported yet.
    if (history.present().word.state() == CircuitState::Closed && !setup.policy.watched)
        require(stats.windowCalls == inWindow, "a call is missing in the window, or came too late");
}

template <class Predicate>
[[nodiscard]] std::uint64_t count(const std::vector<Reported>& reports, Predicate predicate) {
    return static_cast<std::uint64_t>(std::count_if(reports.begin(), reports.end(), predicate));
}

/// Every call is in one total; after a reset some are in none.
void judgeTotals(const std::vector<Reported>& reports, const History& history,
                 const CircuitBreakerStats& stats, bool wasReset) {
    const auto same = [&](std::uint64_t total, std::uint64_t calls, const char* what) {
        require(wasReset ? total <= calls : total == calls, what);
    };
    const auto with = [&](Outcome outcome) {
        return count(reports, [=](const Reported& r) { return r.end.outcome == outcome; });
    };
    same(stats.totalSuccesses, with(Outcome::Success), "successes are lost, or counted twice");
    same(stats.totalFailures, with(Outcome::Failure), "failures are lost, or counted twice");
    same(stats.totalCancelled, with(Outcome::Ignored), "cancelled calls are lost");
    same(stats.totalStale,
         count(reports, [](const Reported& r) { return r.result == ReportResult::Stale; }),
         "late calls are lost, or counted twice");
    std::uint64_t rejected = 0;
    for (const Notes& notes : history.allNotes()) rejected += notes.rejected.size();
    same(stats.totalRejected, rejected, "rejections are lost, or counted twice");
    const auto opened = count_if(history.announced().begin(), history.announced().end(),
                                 [](const Announced& e) { return e.to == CircuitState::Open; });
    // A lost probe that nobody has met yet counts already.
    require(wasReset || stats.timesOpened - static_cast<std::uint64_t>(opened) <= 1,
            "openings are lost, or counted twice");
    require(stats.inFlight.value_or(0) == 0, "calls are in flight that have ended");
}

/// No measured call stands twice among the latencies; those of before the first statistics do not.
void judgeLatencies(const std::vector<Reported>& reports, const CircuitBreakerStats& stats) {
    const LatenciesByOutcome& latencies = stats.latencies;
    if (!latencies.known) return;
    const std::uint64_t measured = count(reports, [](const Reported& report) {
        return report.end.measured && !report.end.neutral();
    });
    require(latencies.successes.calls + latencies.failures.calls <= measured,
            "latencies are counted twice");
}

}  // namespace

void judge(ExploredBreaker& breaker, const Setup& setup, bool wasReset) {
    const History& history = breaker.history();
    const CircuitBreakerStats stats = breaker.stats();
    const std::vector<Reported> reports = allReports(history);
    for (const Notes& notes : history.allNotes()) judgeReadings(history.publications(), notes);
    judgeEvents(history);
    judgeSlots(reports);
    judgeReports(reports, history, stats, setup);
    judgeTotals(reports, history, stats, wasReset);
    if (!wasReset) judgeLatencies(reports, stats);
    require(stats.probesInFlight == 0 || stats.state != CircuitState::HalfOpen,
            "a slot is taken, but all probes have ended");
}

void requireRecovery(ExploredBreaker& breaker) {
    breaker.machine().setMode(ControlMode::Automatic);
    Nanoseconds now = ClockFace::kBegin + 10'000ns;
    // It may take a wait for a lost probe, and two successes.
    for (int attempt = 0; attempt < 4; ++attempt, now += 10'000ns) {
        if (breaker.history().present().word.state() == CircuitState::Closed) return;
        breaker.clock().set(now);
        if (const auto ticket = breaker.admit()) breaker.report(*ticket, {});
    }
    require(breaker.history().present().word.state() == CircuitState::Closed,
            "the breaker does not recover");
}

}  // namespace fusebox::model
