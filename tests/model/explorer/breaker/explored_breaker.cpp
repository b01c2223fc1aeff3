// SPDX-License-Identifier: MIT
#include "breaker/explored_breaker.hpp"

#include <chrono>
#include <utility>

namespace fusebox::model {
namespace {

[[nodiscard]] ModelPolicy policyOf(const Setup& setup, History& history) {
    ModelPolicy policy = setup.policy;
    policy.history = &history;
    return policy;
}

}  // namespace

ExploredBreaker::ExploredBreaker(const Setup& setup)
    : setup_(setup),
      journal_(history_, setup.snapshots),
      // The machine is made on the next line: it is observed from its first store on.
      machine_((execution().observe(&history_),
                Machine::Rules{policyOf(setup, history_), setup.options, nullptr}),
               setup.options, &clock_, journal_) {
    history_.begin(setup.policy.watched);
}

std::optional<detail::Ticket> ExploredBreaker::admit() {
    detail::Ticket ticket;
    if (!machine_.admit(ticket)) {
        history_.notes().rejected.push_back({ticket, clock_.lastCoarse()});
        return std::nullopt;
    }
    Notes& notes = history_.notes();
    notes.taken = notes.lastPublication;
    return ticket;
}

void ExploredBreaker::report(detail::Ticket ticket, detail::CallEnd end) {
    if (ticket.word.measured()) {
        end.measured = end.timed = true;
        end.time = machine_.time().now();
        end.elapsed = std::chrono::nanoseconds{5};
    }
    Notes& notes = history_.notes();
    notes.reporting = ticket;
    const std::size_t taken = std::exchange(notes.taken, 0);
    const ReportResult result = this->end(ticket, end);
    notes.reporting.reset();
    notes.reported.push_back({ticket, end, result, taken, notes.lastPublication});
}

/// As BreakerCore.
ReportResult ExploredBreaker::end(detail::Ticket ticket, const detail::CallEnd& end) {
    const bool plain = end.outcome == Outcome::Success && !end.slow;
    return plain ? succeed(ticket, end) : machine_.report(ticket, end);
}

ReportResult ExploredBreaker::succeed(detail::Ticket ticket, const detail::CallEnd& end) {
    bool recorded = false;
    if (ticket.word.plain()) {
        recorded = machine_.recordPlainSuccess(ticket);
    } else if (ticket.word.quick()) {
        recorded = machine_.recordQuickSuccess(ticket);
    } else if (ticket.word.measured()) {
        recorded = machine_.recordTimedSuccess(ticket, end.time, end.elapsed);
    }
    return recorded ? ReportResult::Recorded : machine_.report(ticket, end);
}

void ExploredBreaker::read() {
    const detail::Reading reading = machine_.read();
    history_.notes().read.push_back({reading, clock_.lastCoarse()});
}

CircuitBreakerStats ExploredBreaker::stats() {
    CircuitBreakerStats stats = machine_.stats();
    for (const std::uint64_t figure :
         {stats.totalCalls, stats.totalSuccesses, stats.totalFailures, stats.totalIgnored,
          stats.totalCancelled, stats.totalRejected, stats.totalShadowRejected, stats.totalStale,
          stats.totalSlow, stats.timesOpened, stats.timesClosed, stats.windowCalls,
          stats.windowFailures, stats.consecutiveFailures, stats.consecutiveSuccesses}) {
        history_.notes().figures.push_back(static_cast<std::int64_t>(figure));
    }
    history_.notes().read.push_back(
        {{stats.state, stats.retryAfter.value_or(Nanoseconds::zero())}, clock_.lastCoarse()});
    return stats;
}

void ExploredBreaker::reconfigure(const CircuitBreakerOptions& options) {
    Machine::Rules rules{policyOf(setup_, history_), options, nullptr};
    (void)machine_.reconfigure(rules, true, [](std::uint64_t) { return true; });
}

}  // namespace fusebox::model
