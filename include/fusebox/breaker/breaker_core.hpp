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
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/sharded_counters.hpp"

namespace fusebox::detail {

template <class Clock, class Policy, class Platform = StdPlatform>
class BreakerCore {
public:
    using Nanoseconds = std::chrono::nanoseconds;
    using Time = TimeSource<Clock, Platform>;
    using Hub = EventHub<Platform>;
    using Machine = StateMachine<typename Policy::template Tracker<Clock>, Time, Hub, Platform>;

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
            typename Configurations::Successor successor{std::move(draft.config), draft.slowerThan};
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
    [[nodiscard]] Hub& hub() noexcept { return hub_; }
    [[nodiscard]] const Hub& hub() const noexcept { return hub_; }
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
    FUSEBOX_HOT void tellRejected(Ticket ticket) noexcept {
        if (hub_.template wants<CallRejected>()) [[unlikely]]
            emitRejected(ticket);
    }

    /// A success by the caller's judgement; time may say otherwise.
    FUSEBOX_HOT ReportResult succeed(Ticket ticket) noexcept {
        // Each condition by itself, since a hint reaches no further.
        if (ticket.word.plain()) [[likely]] {
            if (machine_.recordPlainSuccess(ticket)) [[likely]] {
                tell<CallSucceeded>(Nanoseconds::zero());
                return ReportResult::Recorded;
            }
        }
        return ticket.word.quick() ? succeedQuickly(ticket) : succeedTimed(ticket);
    }

    /// How a call ended, with its time: a success or failure after the deadline is a timeout.
    [[nodiscard]] FUSEBOX_APART CallEnd
    measure(Ticket ticket, Outcome outcome,
            std::optional<Nanoseconds> given = std::nullopt) const noexcept {
        return given ? endAfter(std::max(*given, Nanoseconds::zero()), ticket, outcome)
                     : endOf(ticket, outcome);
    }

    /// Reports the end of an admitted call and tells the listeners.
    FUSEBOX_APART ReportResult finish(Ticket ticket, const CallEnd& end,
                                      const std::exception_ptr* error = nullptr) noexcept {
        return finishHere(ticket, end, error);
    }

    /// As above, of a call that ends now; `why` it did so, unless time says better.
    FUSEBOX_APART ReportResult conclude(Ticket ticket, Outcome outcome,
                                        std::string_view why) noexcept {
        CallEnd end = endOf(ticket, outcome);
        if (end.error.empty()) end.error = why;
        return finishHere(ticket, end, nullptr);
    }

    /// Gives an admission back unreported: neutral, and a probe's slot is free again.
    FUSEBOX_APART void cancel(Ticket ticket) noexcept {
        CallEnd end = measure(ticket, Outcome::Ignored);
        end.cancelled = true;
        finish(ticket, end);
    }

private:
    using Configurations = ConfigurationHistory<Policy, typename Platform::Mutex>;

    FUSEBOX_HOT ReportResult finishHere(Ticket ticket, const CallEnd& end,
                                        const std::exception_ptr* error) noexcept {
        const ReportResult result = machine_.report(ticket, end);
        if (end.cancelled) return result;
        switch (end.outcome) {
            case Outcome::Success: tell<CallSucceeded>(end.elapsed); break;
            case Outcome::Failure: tell<CallFailed>(end.elapsed, error ? *error : nullptr); break;
            case Outcome::Timeout: tell<CallTimedOut>(end.elapsed); break;
            case Outcome::Ignored: tell<CallIgnored>(end.elapsed); break;
        }
        if (end.slow) tell<SlowCall>(end.elapsed, end.outcome);
        return result;
    }

    /// A success that needs no time of its own.
    FUSEBOX_APART ReportResult succeedQuickly(Ticket ticket) noexcept {
        if (!machine_.recordQuickSuccess(ticket)) [[unlikely]]
            return conclude(ticket, Outcome::Success, {});
        tell<CallSucceeded>(Nanoseconds::zero());
        return ReportResult::Recorded;
    }

    FUSEBOX_APART ReportResult succeedTimed(Ticket ticket) noexcept {
        if (!ticket.word.measured()) return conclude(ticket, Outcome::Success, {});
        const Nanoseconds now = machine_.time().now();
        const Nanoseconds elapsed = since(ticket, now);
        const CallLimits limits = limitsOf(ticket);
        if (elapsed <= limits.requestTimeout && elapsed < limits.slowerThan &&
            machine_.recordTimedSuccess(ticket, now, elapsed)) [[likely]] {
            tell<CallSucceeded>(elapsed);
            return ReportResult::Recorded;
        }
        return finish(ticket, endedAt(now, ticket, Outcome::Success));
    }

    /// The end of a call that ends now.
    [[nodiscard]] CallEnd endOf(Ticket ticket, Outcome outcome) const noexcept {
        if (!ticket.word.measured()) return {.outcome = outcome};
        return endedAt(machine_.time().now(), ticket, outcome);
    }
    [[nodiscard]] CallEnd endedAt(Nanoseconds now, Ticket ticket, Outcome outcome) const noexcept {
        CallEnd end = endAfter(since(ticket, now), ticket, outcome);
        end.timed = true;
        end.time = now;
        return end;
    }
    [[nodiscard]] CallEnd endAfter(Nanoseconds elapsed, Ticket ticket,
                                   Outcome outcome) const noexcept {
        CallEnd end{.outcome = outcome, .measured = ticket.word.measured(), .elapsed = elapsed};
        if (!end.measured || end.neutral()) return end;
        const CallLimits limits = limitsOf(ticket);
        if (elapsed > limits.requestTimeout) {
            end.late = true;
            end.outcome = Outcome::Timeout;
            end.error = "the call took longer than its deadline";
        }
        end.slow = elapsed >= limits.slowerThan && limits.slowerThan != kForever;
        return end;
    }
    [[nodiscard]] static Nanoseconds since(Ticket ticket, Nanoseconds now) noexcept {
        return std::max(saturatingSubtract(now, ticket.time), Nanoseconds::zero());
    }

    /// Tells the listeners to an event, if there are any: it is made of `parts`.
    template <class E, class... Parts>
    FUSEBOX_HOT void tell(const Parts&... parts) noexcept {
        if (hub_.template wants<E>()) [[unlikely]]
            emit<E>(parts...);
    }
    // The ticket, not its rejection, so that callers need not make that.
    FUSEBOX_APART void emitRejected(Ticket ticket) noexcept {
        hub_.emit(CallRejected{{}, rejection(ticket)});
    }
    template <class E, class... Parts>
    FUSEBOX_APART void emit(Parts... parts) noexcept {
        hub_.emit(E{{}, std::move(parts)...});
    }

    BreakerCore(Draft draft, std::string name, Clock clock)
        : hub_(std::move(name), draft.config),
          machine_(std::move(draft.rules), draft.config->options, std::move(clock), hub_),
          configurations_(draft.config, draft.slowerThan, machine_.mutex()) {}

    void resume(std::string_view text) {
        SavedState saved;
        if (const auto complaint = parseSavedState(text, saved)) {
            raise(complaintAbout(name(), "restoredFrom, " + *complaint));
        }
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

    Hub hub_;
    Machine machine_;
    Configurations configurations_;
};

}  // namespace fusebox::detail
