// SPDX-License-Identifier: MIT
#include "breaker/actions.hpp"

#include <array>
#include <chrono>

namespace fusebox::model {
namespace {

using namespace std::chrono_literals;

constexpr detail::CallEnd kSuccess{};
constexpr detail::CallEnd kFailure{.outcome = Outcome::Failure};
constexpr detail::CallEnd kCancelled{.outcome = Outcome::Ignored, .cancelled = true};
constexpr detail::CallEnd kSlow{.slow = true};

void call(ExploredBreaker& breaker, const detail::CallEnd& end) {
    if (const auto ticket = breaker.admit()) breaker.report(*ticket, end);
}

void end(ExploredBreaker& breaker, const std::optional<detail::Ticket>& ticket,
         const detail::CallEnd& end) {
    if (ticket) breaker.report(*ticket, end);
}

void reopen(ExploredBreaker& breaker) {
    breaker.machine().close();
    breaker.machine().open(300ns);
}

void look(ExploredBreaker& breaker) {
    const CircuitBreakerStats stats = breaker.stats();
    const bool whole = stats.totalCalls == stats.totalSuccesses + stats.totalFailures +
                                               stats.totalTimeouts + stats.totalIgnored +
                                               stats.totalCancelled;
    if (!whole) execution().fail("the totals of a snapshot do not add up");
    if (stats.windowFailures > stats.windowCalls)
        execution().fail("more failures than calls in the window of a snapshot");
}

void reconfigure(ExploredBreaker& breaker, const Setup& setup) {
    CircuitBreakerOptions options = setup.options;
    options.halfOpenLimit = 3 - options.halfOpenLimit;
    options.recoveryTimeout = 700ns;
    if (setup.watchLater) {
        options.detectOverdue = true;
        options.measureLatency = true;
        options.requestTimeout = 160ns;
    }
    breaker.reconfigure(options);
}

}  // namespace

std::string_view toString(Action action) {
    constexpr std::array<std::string_view, static_cast<std::size_t>(Action::Count_)> kNames{
        "succeed",     "fail",       "cancel",      "succeedSlowly", "lateSuccess",
        "lateFailure", "lateCancel", "open",        "close",         "reopen",
        "reset",       "forceOpen",  "forceClosed", "shadow",        "reconfigure",
        "advance",     "read",       "stats",       "automatic"};
    return kNames[static_cast<std::size_t>(action)];
}

void perform(Action action, ExploredBreaker& breaker, const Setup& setup,
             const std::optional<detail::Ticket>& late) {
    switch (action) {
        case Action::Succeed: return call(breaker, kSuccess);
        case Action::Fail: return call(breaker, kFailure);
        case Action::Cancel: return call(breaker, kCancelled);
        case Action::SucceedSlowly: return call(breaker, kSlow);
        case Action::LateSuccess: return end(breaker, late, kSuccess);
        case Action::LateFailure: return end(breaker, late, kFailure);
        case Action::LateCancel: return end(breaker, late, kCancelled);
        case Action::Open: return breaker.machine().open(std::nullopt);
        case Action::Close: return breaker.machine().close();
        case Action::Reopen: return reopen(breaker);
        case Action::Reset: return breaker.machine().reset();
        case Action::ForceOpen: return breaker.machine().setMode(ControlMode::ForcedOpen);
        case Action::ForceClosed: return breaker.machine().setMode(ControlMode::ForcedClosed);
        case Action::Shadow: return breaker.machine().setMode(ControlMode::Shadow);
        case Action::Automatic: return breaker.machine().setMode(ControlMode::Automatic);
        case Action::Reconfigure: return reconfigure(breaker, setup);
        case Action::Advance: return breaker.clock().set(ClockFace::kBegin + 5000ns);
        case Action::Read: return breaker.read();
        case Action::Stats: return look(breaker);
        case Action::Count_: break;
    }
}

}  // namespace fusebox::model
