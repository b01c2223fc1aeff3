// SPDX-License-Identifier: MIT
// What permits and guarded calls share: the state machine, the listeners and the judging of time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/configuration.hpp"
#include "fusebox/breaker/draft.hpp"
#include "fusebox/breaker/event_hub.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/saved_state_text.hpp"
#include "fusebox/breaker/state_machine.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/breaker/time_source.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/window/sharded_counters.hpp"

namespace fusebox::detail {

template <class Clock, class Policy>
class BreakerCore {
public:
    using Nanoseconds = std::chrono::nanoseconds;
    using Time = TimeSource<Clock>;
    using Machine = StateMachine<typename Policy::template Tracker<Clock>, Time, EventHub>;

    using Draft = detail::Draft<Policy, typename Machine::Rules>;
    using Handle = typename Draft::Handle;

    BreakerCore(std::string name, Policy policy, CircuitBreakerOptions options, Clock clock)
        : BreakerCore(Draft{name, std::move(policy), std::move(options)}, name, std::move(clock)) {}

    /// As above, where another process stopped.
    BreakerCore(std::string name, Policy policy, CircuitBreakerOptions options, Clock clock,
                std::string_view restoredFrom)
        : BreakerCore(std::move(name), std::move(policy), std::move(options), std::move(clock)) {
        resume(restoredFrom);
    }

    /// The text from which another process can go on.
    [[nodiscard]] std::string save() const {
        SavedState saved = machine_.save();
        saved.name = name();
        saved.savedAt = std::chrono::system_clock::now();
        saved.listenerErrors = hub_.errors();
        return toText(saved);
    }

    /// Goes on under another policy, other options, or both; what is null stays.
    void reconfigure(const Policy* policy, const CircuitBreakerOptions* options) {
        for (;;) {
            const Handle present = configurations_.present();
            Draft draft{name(), policy ? *policy : present->policy,
                        options ? *options : present->options};
            requireSameShards(present->options.shards, draft.config->options.shards);
            const bool samePolicy = draft.config->policy == present->policy;
            std::shared_ptr<const Setup> setup = draft.config;
            typename ConfigurationHistory<Policy>::Successor successor{std::move(draft.config),
                                                                       draft.slowerThan};
            const bool done =
                machine_.reconfigure(draft.rules, samePolicy, [&](std::uint64_t epoch) {
                    const bool agreed = configurations_.replace(present, successor, epoch);
                    if (agreed) hub_.reconfigured(setup);
                    return agreed;
                });
            // Else another thread was faster: what it changed must not be lost.
            if (done) return;
        }
    }

    [[nodiscard]] Machine& machine() noexcept { return machine_; }
    [[nodiscard]] const Machine& machine() const noexcept { return machine_; }
    [[nodiscard]] EventHub& hub() noexcept { return hub_; }
    [[nodiscard]] const EventHub& hub() const noexcept { return hub_; }
    [[nodiscard]] const std::string& name() const noexcept { return hub_.name(); }
    [[nodiscard]] Handle configuration() const noexcept { return configurations_.present(); }
    /// The configuration and the limits under which a call was admitted.
    [[nodiscard]] Handle configurationOf(Ticket ticket) const noexcept {
        return configurations_.of(ticket.word);
    }
    [[nodiscard]] CallLimits limitsOf(Ticket ticket) const noexcept {
        return configurations_.limitsOf(ticket.word);
    }

    [[nodiscard]] CircuitBreakerStats stats() const {
        CircuitBreakerStats stats = machine_.stats();
        hub_.addWords(stats, *configuration());
        return stats;
    }

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
                tellSucceeded();
            return ReportResult::Recorded;
        }
        return succeedWithCare(ticket);
    }

    /// How a call ended, with its time: a success or failure after the deadline is a timeout.
    [[nodiscard]] CallEnd measure(Ticket ticket, Outcome outcome,
                                  std::optional<Nanoseconds> given = std::nullopt) const noexcept {
        CallEnd end;
        end.outcome = outcome;
        end.measured = ticket.word.measured();
        if (given) {
            end.elapsed = std::max(*given, Nanoseconds::zero());
        } else if (end.measured) {
            end.timed = true;
            end.time = machine_.time().now();
            end.elapsed = std::max(saturatingSubtract(end.time, ticket.time), Nanoseconds::zero());
        }
        if (!end.measured || end.neutral()) return end;
        const CallLimits limits = limitsOf(ticket);
        if (end.elapsed > limits.requestTimeout) {
            end.late = true;
            end.outcome = Outcome::Timeout;
            end.error = "the call took longer than its deadline";
        }
        end.slow = end.elapsed >= limits.slowerThan;
        return end;
    }

    /// Reports the end of an admitted call and tells the listeners.
    FUSEBOX_APART ReportResult finish(Ticket ticket, const CallEnd& end,
                                      const std::exception_ptr* error = nullptr) noexcept {
        const ReportResult result = machine_.report(ticket, end);
        if (end.cancelled) return result;
        switch (end.outcome) {
            case Outcome::Success: tell(CallSucceeded{{}, end.elapsed}); break;
            case Outcome::Failure:
                if (hub_.wants<CallFailed>())
                    hub_.emit(CallFailed{{}, end.elapsed, error ? *error : nullptr});
                break;
            case Outcome::Timeout: tell(CallTimedOut{{}, end.elapsed}); break;
            case Outcome::Ignored: tell(CallIgnored{{}, end.elapsed}); break;
        }
        if (end.slow) tell(SlowCall{{}, end.elapsed, end.outcome});
        return result;
    }

    /// Gives an admission back unreported: neutral, and a probe's slot is free again.
    FUSEBOX_APART void cancel(Ticket ticket) noexcept {
        CallEnd end = measure(ticket, Outcome::Ignored);
        end.cancelled = true;
        finish(ticket, end);
    }

private:
    FUSEBOX_APART ReportResult succeedWithCare(Ticket ticket) noexcept {
        if (ticket.word.quick() && machine_.recordQuickSuccess(ticket)) {
            if (hub_.wants<CallSucceeded>()) tellSucceeded();
            return ReportResult::Recorded;
        }
        return finish(ticket, measure(ticket, Outcome::Success));
    }
    /// Of a call that was not measured.
    FUSEBOX_APART void tellSucceeded() noexcept { hub_.emit(CallSucceeded{}); }

    template <class E>
    void tell(E event) noexcept {
        if (hub_.wants<E>()) hub_.emit(std::move(event));
    }

    BreakerCore(Draft draft, std::string name, Clock clock)
        : hub_(std::move(name), draft.config),
          machine_(std::move(draft.rules), draft.config->options, std::move(clock), hub_),
          configurations_(draft.config, draft.slowerThan, machine_.mutex()) {}

    void resume(std::string_view text) {
        const auto parsed = parseSavedState(text);
        if (const auto* sentence = std::get_if<std::string>(&parsed)) {
            raise(complaintAbout(name(), "restoredFrom, " + *sentence));
        }
        const SavedState& saved = *std::get_if<SavedState>(&parsed);
        if (saved.name != name()) {
            raise(complaintAbout(name(), complain("restoredFrom", "of \"" + saved.name + '"',
                                                  "what a breaker of the same name exported")));
        }
        // While no process ran, the wait went on.
        const auto sinceEpoch = [](std::chrono::system_clock::time_point time) {
            return saturatingNanoseconds(time.time_since_epoch());
        };
        const auto elapsed = saturatingSubtract(sinceEpoch(std::chrono::system_clock::now()),
                                                sinceEpoch(saved.savedAt));
        const auto gone = std::max(elapsed, Nanoseconds::zero());
        const bool endless = saved.remainingWait == kForever;
        machine_.resume(saved, endless ? kForever
                                       : std::max(saturatingSubtract(saved.remainingWait, gone),
                                                  Nanoseconds::zero()));
        hub_.countErrors(saved.listenerErrors);
    }

    void requireSameShards(int present, int given) const {
        if (shardCount(given) == shardCount(present)) return;
        raise(complaintAbout(
            name(), complain("shards", std::to_string(given),
                             std::to_string(present) + ": threads are using them already")));
    }

    EventHub hub_;
    Machine machine_;
    ConfigurationHistory<Policy> configurations_;
};

}  // namespace fusebox::detail
