// SPDX-License-Identifier: MIT
// What permits and guarded calls share: the state machine, the listeners and the judging of time.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/event_hub.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/state_machine.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/breaker/time_source.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox::detail {

template <class Clock, class Policy>
class BreakerCore {
public:
    using Nanoseconds = std::chrono::nanoseconds;
    using Time = TimeSource<Clock>;
    using Machine = StateMachine<typename Policy::template Tracker<Clock>, Time, EventHub>;

    BreakerCore(std::string name, Policy policy, CircuitBreakerOptions options, Clock clock)
        : policy_(checked(name, std::move(policy), options)),
          options_(std::move(options)),
          hub_(options_),
          machine_(policy_, options_, std::move(clock), hub_) {
        hub_.describe(name, detail::describe(policy_), toString(options_));
        if (!options_.measureLatency && machine_.needs().slowerThan != kForever) {
            raise(complaintAbout(name, complain("measureLatency", "false",
                                                "true with a policy that decides on slow calls")));
        }
    }

    [[nodiscard]] Machine& machine() noexcept { return machine_; }
    [[nodiscard]] const Machine& machine() const noexcept { return machine_; }
    [[nodiscard]] EventHub& hub() noexcept { return hub_; }
    [[nodiscard]] const EventHub& hub() const noexcept { return hub_; }
    [[nodiscard]] const std::string& name() const noexcept { return hub_.name(); }
    [[nodiscard]] const Policy& policy() const noexcept { return policy_; }
    [[nodiscard]] const CircuitBreakerOptions& options() const noexcept { return options_; }

    [[nodiscard]] Rejection rejection(Ticket ticket) const noexcept {
        return {name(), ticket.rejectedIn(), ticket.reason(), ticket.time};
    }
    /// Tells the listeners of a rejected ticket.
    void tellRejected(Ticket ticket) noexcept {
        if (hub_.wants<CallRejected>()) hub_.emit(CallRejected{{}, rejection(ticket)});
    }

    /// A success by the caller's judgement; time may say otherwise.
    FUSEBOX_HOT ReportResult succeed(Ticket ticket) noexcept {
        if (ticket.word.plain() && machine_.recordPlainSuccess(ticket)) [[likely]] {
            if (hub_.wants<CallSucceeded>()) [[unlikely]]
                hub_.emit(CallSucceeded{});
            return ReportResult::Recorded;
        }
        return finish(ticket, measure(ticket, Outcome::Success));
    }

    /// How a call ended, with its time: a success or failure after the deadline is a timeout.
    [[nodiscard]] CallEnd measure(Ticket ticket, Outcome outcome,
                                  std::optional<Nanoseconds> given = std::nullopt) const noexcept {
        CallEnd end;
        end.outcome = outcome;
        end.measured = machine_.measuresLatency();
        if (given) {
            end.elapsed = std::max(*given, Nanoseconds::zero());
        } else if (end.measured) {
            end.timed = true;
            end.time = machine_.time().now();
            end.elapsed = std::max(saturatingSubtract(end.time, ticket.time), Nanoseconds::zero());
        }
        if (!end.measured || end.neutral()) return end;
        if (end.elapsed > options_.requestTimeout) {
            end.late = true;
            end.outcome = Outcome::Timeout;
            end.error = "the call took longer than its deadline";
        }
        end.slow = end.elapsed >= machine_.needs().slowerThan;
        return end;
    }

    /// Reports the end of an admitted call and tells the listeners.
    ReportResult finish(Ticket ticket, const CallEnd& end,
                        const std::exception_ptr& error = nullptr) noexcept {
        const ReportResult result = machine_.report(ticket, end);
        if (end.cancelled) return result;
        switch (end.outcome) {
            case Outcome::Success: tell(CallSucceeded{{}, end.elapsed}); break;
            case Outcome::Failure: tell(CallFailed{{}, end.elapsed, error}); break;
            case Outcome::Timeout: tell(CallTimedOut{{}, end.elapsed}); break;
            case Outcome::Ignored: tell(CallIgnored{{}, end.elapsed}); break;
        }
        if (end.slow) tell(SlowCall{{}, end.elapsed, end.outcome});
        return result;
    }

private:
    template <class E>
    void tell(E event) noexcept {
        if (hub_.wants<E>()) hub_.emit(std::move(event));
    }

    [[nodiscard]] static ConfigError complaintAbout(const std::string& name,
                                                    const std::string& complaint) {
        return ConfigError{"circuit breaker \"" + name + "\": " + complaint};
    }

    /// The policy, if it, the name and the options can work.
    [[nodiscard]] static Policy checked(const std::string& name, Policy policy,
                                        const CircuitBreakerOptions& options) {
        const Complaint complaint = firstOf(
            name.empty() ? Complaint{complain("name", "empty", "a text of at least one character")}
                         : std::nullopt,
            complaintOf(policy), validate(options));
        if (complaint) raise(complaintAbout(name, *complaint));
        return policy;
    }

    Policy policy_;
    CircuitBreakerOptions options_;
    EventHub hub_;
    Machine machine_;
};

}  // namespace fusebox::detail
