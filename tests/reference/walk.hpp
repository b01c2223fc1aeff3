// SPDX-License-Identifier: MIT
// A breaker and its model, walked side by side.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "reference/listeners.hpp"
#include "reference/operation.hpp"

namespace fusebox::test {

template <class Policy>
class Walk {
public:
    using Breaker = CircuitBreaker<ManualClock, Policy>;
    using Nanoseconds = std::chrono::nanoseconds;

    explicit Walk(const Setup& setup) : setup_(setup), model_(rules(0), Nanoseconds{0}) {
        breaker_ = std::make_unique<Breaker>("walked", policyOf(rules(0)), real(rules(0)), clock_);
        model_.audience.callbacks = setup.callbacks;
        // A lost probe's wait cannot be asked for, so there is none where waits are drawn.
        model_.drawn = [this] { return breaker_->stats().lastTrip.value().wait; };
        compare();
    }
    Walk(const Walk&) = delete;
    Walk& operator=(const Walk&) = delete;

    /// Takes a step with both. False: they differ, see `difference()`.
    bool step(const Operation& operation) {
        act(operation);
        model_.look(clock_.now().time_since_epoch());
        compare();
        return difference_.empty();
    }
    [[nodiscard]] const std::string& difference() const { return difference_; }
    [[nodiscard]] const Breaker& breaker() const { return *breaker_; }
    /// What the model says now.
    [[nodiscard]] Seen expected() { return model_.seen(); }

private:
    using Kind = Operation::Kind;
    using Permit = typename Breaker::Permit;
    struct Held {
        Permit permit;
        Model::Ticket ticket;
    };

    static constexpr std::size_t kMostHeld = 12;

    [[nodiscard]] Rules rules(std::size_t which) const {
        Rules chosen = rulesOf(setup_, which);
        // A breaker of one policy cannot have another: the first of its kind then.
        if (!holdsPolicy(chosen.policy)) {
            for (const PolicyChoice& other : policyChoices()) {
                if (!holdsPolicy(other)) continue;
                chosen.policy = other;
                break;
            }
            if (factsOf(chosen.policy).slowerThan != kForever) chosen.options.measureLatency = true;
        }
        return chosen;
    }
    [[nodiscard]] static bool holdsPolicy(const PolicyChoice& choice) {
        return std::visit(
            []<class P>(const P&) { return std::is_constructible_v<Policy, const P&>; }, choice);
    }
    [[nodiscard]] static Policy policyOf(const Rules& rules) {
        return std::visit(
            []<class P>(const P& policy) -> Policy {
                if constexpr (std::is_constructible_v<Policy, const P&>) {
                    return Policy{policy};
                } else {
                    throw std::logic_error{"a policy that this breaker cannot have"};
                }
            },
            rules.policy);
    }
    [[nodiscard]] CircuitBreakerOptions real(const Rules& rules) {
        CircuitBreakerOptions options = rules.options;
        if (setup_.callbacks) listeners_.fill(options);
        return options;
    }

    void expect(bool agreed, const char* what) {
        if (!agreed && difference_.empty()) difference_ = std::string{"  "} + what + '\n';
    }

    void compare() {
        const Seen seen = seenIn(breaker_->stats());
        const Seen expected = model_.seen();
        expect(breaker_->state() == model_.state(), "state()");
        expect(breaker_->retryAfter() == model_.retryAfter(), "retryAfter()");
        expect(breaker_->mode() == model_.mode(), "mode()");
        expect(breaker_->isOpen() == (model_.state() == CircuitState::Open), "isOpen()");
        expect(!model_.drewOutside, "a wait outside its bounds");
        if (!(seen == expected) || listeners_.told != model_.told) {
            std::ostringstream text;
            text << difference_;
            printDifferences(text, seen, expected);
            if (listeners_.told != model_.told) {
                text << "  told:    " << listeners_.told << "\n  expected:" << model_.told << '\n';
            }
            difference_ = std::move(text).str();
        }
        listeners_.told.clear();
        model_.told.clear();
    }

    void act(const Operation& op) {
        switch (op.kind) {
            case Kind::Acquire: return acquire();
            case Kind::Report:
            case Kind::ReportElapsed:
            case Kind::ReportTwice: return report(op);
            case Kind::Drop:
            case Kind::DropUnwinding:
            case Kind::Overwrite: return drop(op);
            case Kind::Execute: return execute(op);
            case Kind::Wait: return clock_.advance(stepOf(op.a, setup_.coarse));
            case Kind::WaitForRecovery: return waitForRecovery(op);
            case Kind::StepBack:
                if (!setup_.coarse) clock_.advance(-stepOf(op.a, false));
                return;
            case Kind::Open:
            case Kind::OpenFor:
            case Kind::Close:
            case Kind::Reset:
            case Kind::Mode: return control(op);
            case Kind::Reconfigure: return reconfigure(op);
            case Kind::Refused: return beRefused(op);
            case Kind::Restart: return restart();
            case Kind::Listen: return listen(op);
            case Kind::Count: return;
        }
    }

    void acquire() {
        Permit permit = breaker_->tryAcquire();
        const auto ticket = model_.acquire();
        expect(static_cast<bool>(permit) == ticket.has_value(), "admitted by one alone");
        if (!permit && !ticket) compareRejection(permit.rejection());
        if (!permit || !ticket) return;
        if (held_.size() < kMostHeld) {
            held_.push_back({std::move(permit), *ticket});
        } else {
            permit = {};
            (void)model_.cancel(*ticket);
        }
    }

    void compareRejection(const Rejection& rejection) {
        const Rejection expected = model_.rejection();
        expect(rejection.breaker == "walked", "the rejection's name");
        expect(rejection.reason == expected.reason, "the rejection's reason");
        expect(rejection.state == expected.state, "the rejection's state");
        expect(rejection.retryAfter == expected.retryAfter, "the rejection's retryAfter");
    }

    std::optional<Held> take(std::uint8_t which) {
        if (held_.empty()) return std::nullopt;
        const auto at = held_.begin() + static_cast<std::ptrdiff_t>(which % held_.size());
        Held held = std::move(*at);
        held_.erase(at);
        return held;
    }

    void report(const Operation& op) {
        auto held = take(op.a);
        if (!held) return;
        const Outcome outcome = kOutcomes[op.b % std::size(kOutcomes)];
        ReportResult result{};
        ReportResult expected{};
        if (op.kind == Kind::ReportElapsed) {
            result = held->permit.report(outcome, elapsedOf(op.c));
            expected = model_.report(held->ticket, outcome, elapsedOf(op.c));
        } else {
            result = reportInWords(held->permit, outcome);
            expected = model_.report(held->ticket, outcome);
        }
        expect(result == expected, "what the report did");
        if (op.kind != Kind::ReportTwice) return;
        expect(!held->permit, "a permit that was reported is still one");
        expect(held->permit.report(outcome) == ReportResult::AlreadyReported, "reported twice");
    }
    static ReportResult reportInWords(Permit& permit, Outcome outcome) {
        switch (outcome) {
            case Outcome::Success: return permit.success();
            case Outcome::Failure: return permit.failure();
            case Outcome::Timeout: return permit.timeout();
            case Outcome::Ignored: break;
        }
        return permit.ignore();
    }

    void drop(const Operation& op) {
        auto held = take(op.a);
        if (!held) return;
        if (op.kind == Kind::DropUnwinding) {
            try {
                const Permit permit = std::move(held->permit);
                throw 0;
            } catch (int) {
            }
            (void)model_.report(held->ticket, Outcome::Failure);
            return;
        }
        if (op.kind == Kind::Overwrite) held->permit = Permit{};
        const Model::Ticket ticket = held->ticket;
        held.reset();
        (void)model_.cancel(ticket);
    }

    void waitForRecovery(const Operation& op) {
        const auto rest = breaker_->retryAfter();
        if (!rest || *rest == kForever) return;
        // Just before, exactly at, and just after the end of the wait.
        const Nanoseconds offset{setup_.coarse ? 0 : op.a % 3 - 1};
        clock_.advance(*rest + offset);
    }

    void control(const Operation& op) {
        switch (op.kind) {
            case Kind::Open: breaker_->open(); return model_.open(std::nullopt);
            case Kind::OpenFor: {
                const Nanoseconds wait = std::max(stepOf(op.a, setup_.coarse), Nanoseconds{2});
                breaker_->open(wait);
                return model_.open(wait);
            }
            case Kind::Close: breaker_->close(); return model_.close();
            case Kind::Reset: breaker_->reset(); return model_.reset();
            default: break;
        }
        const ControlMode mode = kModes[op.a % std::size(kModes)];
        breaker_->setMode(mode);
        model_.setMode(mode);
    }

    void reconfigure(const Operation& op) {
        Rules next = rules(op.a);
        // Policy, options, or both.
        if (op.b % 3 == 1) next.options = model_.rules().options;
        if (op.b % 3 == 2) next.policy = model_.rules().policy;
        if (factsOf(next.policy).slowerThan != kForever && !next.options.measureLatency) return;
        if (op.b % 3 == 0) breaker_->reconfigure(policyOf(next), real(next));
        if (op.b % 3 == 1) breaker_->reconfigure(policyOf(next));
        if (op.b % 3 == 2) breaker_->reconfigure(real(next));
        const auto keeps = [this] {
            const CircuitBreakerStats now = breaker_->stats();
            return now.consecutiveFailures + now.consecutiveSuccesses > 0;
        };
        model_.reconfigure(next, keeps);
        expect(breaker_->hasOptions(next.options), "hasOptions");
        expect(equivalent(breaker_->options(), next.options), "options()");
        expect(breaker_->hasPolicy(policyOf(next)), "hasPolicy");
        expect(breaker_->policy() == policyOf(next), "policy()");
    }

    /// What is wrong is refused, and changes nothing.
    void beRefused(const Operation& op) {
        try {
            CircuitBreakerOptions bad = breaker_->options();
            switch (op.a % 5) {
                case 0: breaker_->open(Nanoseconds{0}); break;
                case 1:
                    bad.recoveryTimeout = Nanoseconds{0};
                    breaker_->reconfigure(bad);
                    break;
                case 2:
                    bad.shards = 64;
                    breaker_->reconfigure(bad);
                    break;
                case 3:
                    bad.successThreshold = 65536;
                    breaker_->reconfigure(bad);
                    break;
                default:
                    Breaker{"another", breaker_->policy(), {}, clock_, breaker_->exportState()};
                    break;
            }
            expect(false, "what should be refused was not");
        } catch (const ConfigError&) {
        }
    }

    /// Another process goes on, at once by the system clock.
    void restart() {
        while (const auto held = take(0)) (void)model_.cancel(held->ticket);
        std::string saved = breaker_->exportState();
        // Saved in the future: then the whole rest of a wait remains, to the nanosecond.
        const std::size_t at = saved.find("savedAt=");
        const std::size_t end = saved.find('\n', at);
        saved.replace(at, end - at, "savedAt=4000000000000000000");
        Policy policy = breaker_->policy();
        CircuitBreakerOptions options = breaker_->options();
        listeners_.stopAll();
        breaker_ = std::make_unique<Breaker>("walked", std::move(policy), std::move(options),
                                             clock_, saved);
        model_.restore(clock_.now().time_since_epoch());
    }

    /// Someone begins or ends to listen; one kind of listeners begins or ends to throw.
    void listen(const Operation& op) {
        Model::Audience& audience = model_.audience;
        switch (op.a % 4) {
            case 0:
                audience.transitions = !audience.transitions;
                if (!audience.transitions) return listeners_.stopTransitions();
                return listeners_.listenToTransitions(*breaker_);
            case 1:
                audience.calls = !audience.calls;
                if (!audience.calls) return listeners_.stopCalls();
                return listeners_.listenToCalls(*breaker_);
            case 2:
                audience.rejections = !audience.rejections;
                if (!audience.rejections) return listeners_.stopRejections();
                return listeners_.listenToRejections(*breaker_);
            default: audience.throwing = listeners_.throwing = !audience.throwing;
        }
    }

    // ---- calls through `execute`

    enum class Got : std::uint8_t { Value, Thrown, Rejected, CallTimeout, Answer, BadCode };

    /// What happens inside a call: time passes, perhaps somebody steers, or another call comes.
    void inside(const Operation& op) {
        model_.look(clock_.now().time_since_epoch());
        classified_ = static_cast<bool>(model_.rules().options.classifyError);
        ticket_ = model_.acquire();
        called_ = true;
        expect(ticket_.has_value(), "called, though rejected");
        clock_.advance(stepOf(op.c, setup_.coarse));
        model_.look(clock_.now().time_since_epoch());
        switch (op.b / 8 % 12) {
            case 0: return control({Kind::Open});
            case 1: return control({Kind::Close});
            case 2: return control({Kind::Reset});
            case 3: return control({Kind::Mode, op.c});
            case 4: return acquire();
            case 5: return reconfigure({Kind::Reconfigure, op.c, op.c});
            default: return;
        }
    }

    void execute(const Operation& op) {
        called_ = false;
        ticket_.reset();
        Rejection rejection;
        const Got got = run(op, rejection);
        if (!called_) {
            expect(!model_.acquire().has_value(), "rejected, though admitted");
            if (got == Got::Rejected) compareRejection(rejection);
            const bool answers = form(op) == Form::Answered;
            expect(got == (form(op) == Form::Code ? Got::BadCode
                           : answers              ? Got::Answer
                                                  : Got::Rejected),
                   "how a rejection reached its caller");
            return;
        }
        if (!ticket_) return;
        model_.look(clock_.now().time_since_epoch());
        compareEnd(op, got);
    }

    [[nodiscard]] static Form form(const Operation& op) { return static_cast<Form>(op.a % kForms); }
    [[nodiscard]] static Outcome outcomeIn(const Operation& op) {
        return kOutcomes[op.b % std::size(kOutcomes)];
    }
    /// Forms that may do either.
    [[nodiscard]] static bool throws(const Operation& op) {
        switch (form(op)) {
            case Form::Throws: return true;
            case Form::Answered:
            case Form::Context: return op.b % 2 == 1;
            default: return false;
        }
    }

    [[nodiscard]] Got run(const Operation& op, Rejection& rejection) {
        const Thrown thrown{outcomeIn(op), op.c % 7 == 6};
        const auto value = [&] {
            inside(op);
            if (throws(op)) throw thrown;
            return 1;
        };
        try {
            switch (form(op)) {
                case Form::Judged:
                    (void)breaker_->execute(judgedBy(value, [&](int) { return outcomeIn(op); }));
                    return Got::Value;
                case Form::Throws: (void)breaker_->execute(value); return Got::Value;
                case Form::Code: {
                    const auto code = breaker_->execute([&] {
                        inside(op);
                        return outcomeIn(op) == Outcome::Success
                                   ? std::error_code{}
                                   : std::make_error_code(std::errc::io_error);
                    });
                    const bool ours = code && code != std::errc::io_error;
                    return ours ? Got::BadCode : Got::Value;
                }
                case Form::Answered: {
                    const int got = breaker_->execute(value, fallback([] { return 99; }));
                    return got == 99 ? Got::Answer : Got::Value;
                }
                case Form::Context:
                    (void)breaker_->execute([&](const CallContext& context) {
                        const Nanoseconds deadline = breaker_->options().requestTimeout;
                        expect(context.remaining() == deadline, "remaining() at the start");
                        return value();
                    });
                    return Got::Value;
                case Form::BadJudge:
                    (void)breaker_->execute(judgedBy(value, [](int) -> Outcome { throw 0; }));
                    return Got::Value;
                case Form::Void: breaker_->execute([&] { inside(op); }); return Got::Value;
                case Form::Inner:
                    // Through another breaker: its rejection is a failure like any other.
                    (void)breaker_->execute([&]() -> int {
                        inside(op);
                        throw CircuitOpenError{
                            {"inner", CircuitState::Open, RejectionReason::Open, Nanoseconds{1}}};
                    });
                    return Got::Value;
            }
        } catch (const Thrown&) {
            return Got::Thrown;
        } catch (const CircuitOpenError& error) {
            if (called_) return Got::Thrown;
            rejection = error.rejection();
            rejection.breaker = "walked";
            expect(error.name() == "walked", "the error's name");
            return Got::Rejected;
        } catch (const CallTimeoutError&) {
            return Got::CallTimeout;
        }
        return Got::Value;
    }

    [[nodiscard]] Outcome judgedOutcome(const Operation& op) const {
        switch (form(op)) {
            case Form::Judged: return outcomeIn(op);
            case Form::Code:
                return outcomeIn(op) == Outcome::Success ? Outcome::Success : Outcome::Failure;
            case Form::BadJudge:
            case Form::Inner: return Outcome::Failure;
            case Form::Void: return Outcome::Success;
            default: break;
        }
        if (!throws(op)) return Outcome::Success;
        return classified_ && op.c % 7 != 6 ? outcomeIn(op) : Outcome::Failure;
    }

    void compareEnd(const Operation& op, Got got) {
        const Nanoseconds elapsed = model_.elapsedOf(*ticket_);
        const Outcome outcome = judgedOutcome(op);
        const Model::End end = model_.judged(*ticket_, outcome, elapsed);
        (void)model_.report(*ticket_, outcome);
        Got expected = Got::Value;
        if (throws(op) || form(op) == Form::Inner) {
            expected = Got::Thrown;
            const bool failed = end.outcome == Outcome::Failure || end.outcome == Outcome::Timeout;
            if (form(op) == Form::Answered && failed) expected = Got::Answer;
            if (form(op) == Form::Context && end.late) expected = Got::CallTimeout;
        }
        expect(got == expected, "what reached the caller");
    }

    Setup setup_;
    ManualClock clock_{};
    Listeners listeners_{};
    std::unique_ptr<Breaker> breaker_{};
    Model model_;
    std::vector<Held> held_{};
    std::optional<Model::Ticket> ticket_{};
    bool called_ = false;
    bool classified_ = false;
    std::string difference_{};
};

}  // namespace fusebox::test
