// SPDX-License-Identifier: MIT
// Operations on a breaker, as small numbers: easy to draw, to shrink and to read.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "reference/model.hpp"

namespace fusebox::test {

struct Operation {
    enum class Kind : std::uint8_t {
        Acquire,
        Report,
        ReportElapsed,
        ReportTwice,
        Drop,
        DropUnwinding,
        Overwrite,
        Execute,
        Wait,
        WaitForRecovery,
        StepBack,
        Open,
        OpenFor,
        Close,
        Reset,
        Mode,
        Reconfigure,
        Refused,
        Restart,
        Listen,
        Count
    };

    Kind kind = Kind::Acquire;
    /// Chosen among what there is, by remainder.
    std::uint8_t a = 0, b = 0, c = 0;

    friend bool operator==(const Operation&, const Operation&) = default;
};

/// How often what is done, of 256.
inline constexpr std::pair<Operation::Kind, int> kFrequencies[] = {
    {Operation::Kind::Acquire, 50},       {Operation::Kind::Report, 46},
    {Operation::Kind::ReportElapsed, 18}, {Operation::Kind::ReportTwice, 4},
    {Operation::Kind::Drop, 6},           {Operation::Kind::DropUnwinding, 1},
    {Operation::Kind::Overwrite, 2},      {Operation::Kind::Execute, 48},
    {Operation::Kind::Wait, 28},          {Operation::Kind::WaitForRecovery, 24},
    {Operation::Kind::StepBack, 1},       {Operation::Kind::Open, 3},
    {Operation::Kind::OpenFor, 2},        {Operation::Kind::Close, 2},
    {Operation::Kind::Reset, 1},          {Operation::Kind::Mode, 6},
    {Operation::Kind::Reconfigure, 5},    {Operation::Kind::Refused, 1},
    {Operation::Kind::Restart, 2},        {Operation::Kind::Listen, 6},
};

/// What is done where the dice show that.
[[nodiscard]] inline Operation::Kind kindOf(int dice) {
    for (const auto& [kind, frequency] : kFrequencies) {
        dice -= frequency;
        if (dice < 0) return kind;
    }
    return Operation::Kind::Acquire;
}

/// How a call through `execute` is written.
enum class Form : std::uint8_t { Judged, Throws, Code, Answered, Context, BadJudge, Void, Inner };
inline constexpr std::uint8_t kForms = 8;

/// One set of rules, as choices; 0 is the simplest of each.
struct RulesChoice {
    enum Field : std::uint8_t {
        Policy,
        SuccessThreshold,
        HalfOpenLimit,
        Backoff,
        MaxRecovery,
        Jitter,
        ProbeTimeout,
        RequestTimeout,
        NoLatency,
        TrackInFlight,
        DetectOverdue,
        Classify,
        Fields
    };
    std::array<std::uint8_t, Fields> choice{};

    friend bool operator==(const RulesChoice&, const RulesChoice&) = default;
};

/// A random breaker: what it begins with, and what it may be reconfigured to.
struct Setup {
    std::array<RulesChoice, 3> rules{};
    /// In place of a policy that is chosen.
    std::array<std::optional<PolicyChoice>, 3> policies{};
    bool callbacks = false;
    /// Every time is a multiple of an eighth of the deadline, so that it is certain which calls are
    /// overdue: what is noticed when, within a sixteenth, is not promised.
    bool coarse = false;

    friend bool operator==(const Setup&, const Setup&) = default;
};

inline constexpr ControlMode kModes[] = {ControlMode::Automatic, ControlMode::Shadow,
                                         ControlMode::ForcedOpen, ControlMode::ForcedClosed};
inline constexpr Outcome kOutcomes[] = {Outcome::Failure, Outcome::Success, Outcome::Timeout,
                                        Outcome::Ignored, Outcome::Success, Outcome::Failure,
                                        Outcome::Success};

[[nodiscard]] inline std::chrono::nanoseconds stepOf(std::uint8_t choice, bool coarse) {
    using namespace std::chrono_literals;
    using Nanoseconds = std::chrono::nanoseconds;
    static constexpr std::array<Nanoseconds, 10> kCoarse{0s,  2s,  4s,  10s, 16s,
                                                         18s, 20s, 40s, 66s, 1h};
    static constexpr std::array<Nanoseconds, 20> kFine{
        0s,  1s,        1ns, 1s - 1ns,  1s + 1ns, 2s,        2s - 1ns, 4s,  6s,  6s + 1ns,
        10s, 10s - 1ns, 11s, 10s + 1ns, 16s,      16s + 1ns, 20s,      40s, 66s, 1h};
    return coarse ? kCoarse[choice % kCoarse.size()] : kFine[choice % kFine.size()];
}
[[nodiscard]] inline std::chrono::nanoseconds elapsedOf(std::uint8_t choice) {
    using namespace std::chrono_literals;
    static constexpr std::array<std::chrono::nanoseconds, 9> kElapsed{
        0s, 1s, 2s, 2s - 1ns, 5s, 16s, 16s + 1ns, -1s, 1h};
    return kElapsed[choice % kElapsed.size()];
}

/// What is thrown through `execute`: judged as it says, where the options have a classifier.
struct Thrown {
    Outcome outcome = Outcome::Failure;
    bool classifierThrows = false;
};

[[nodiscard]] inline const PolicyChoice& policyOf(const Setup& setup, std::size_t which) {
    const auto& own = setup.policies[which];
    if (own) return *own;
    return policyChoices()[setup.rules[which].choice[RulesChoice::Policy] % policyChoices().size()];
}

/// The rules of a choice; impossible combinations give way.
[[nodiscard]] inline Rules rulesOf(const Setup& setup, std::size_t which) {
    using namespace std::chrono_literals;
    const auto& choice = setup.rules[which % setup.rules.size()].choice;
    const auto oneOf = [&](RulesChoice::Field field, auto... values) {
        const std::common_type_t<decltype(values)...> all[] = {values...};
        return all[choice[field] % sizeof...(values)];
    };
    const auto chosen = [&](RulesChoice::Field field) { return choice[field] % 2 == 1; };
    using Ns = std::chrono::nanoseconds;
    Rules rules;
    rules.policy = policyOf(setup, which % setup.rules.size());
    CircuitBreakerOptions& o = rules.options;
    o.recoveryTimeout = 10s;
    o.successThreshold = oneOf(RulesChoice::SuccessThreshold, 2, 1, 3);
    o.halfOpenLimit = oneOf(RulesChoice::HalfOpenLimit, 1, 2, 5);
    o.recoveryBackoff = oneOf(RulesChoice::Backoff, 1.0, 2.0, 1.5);
    if (chosen(RulesChoice::MaxRecovery)) o.maxRecoveryTimeout = 66s;
    o.requestTimeout = oneOf(RulesChoice::RequestTimeout, Ns{kForever}, Ns{16s});
    o.trackInFlight = chosen(RulesChoice::TrackInFlight);
    bool everSlow = false;
    bool everJitter = false;
    for (std::size_t i = 0; i < setup.rules.size(); ++i) {
        everSlow |= factsOf(policyOf(setup, i)).slowerThan != kForever;
        everJitter |= setup.rules[i].choice[RulesChoice::Jitter] % 4 == 3;
    }
    everJitter &= !setup.coarse;
    o.measureLatency = everSlow || !chosen(RulesChoice::NoLatency);
    if (choice[RulesChoice::Jitter] % 4 == 3 && everJitter) o.recoveryJitter = 0.5;
    // A lost probe reopens before anyone can ask what was drawn.
    const Ns lease = oneOf(RulesChoice::ProbeTimeout, Ns{0}, Ns{6s}, Ns{kForever});
    if (everJitter) o.probeTimeout = kForever;
    if (!everJitter && lease > Ns{0}) o.probeTimeout = lease;
    if (setup.coarse && chosen(RulesChoice::DetectOverdue)) {
        o.requestTimeout = 16s;
        o.measureLatency = true;
        o.detectOverdue = true;
    }
    if (chosen(RulesChoice::Classify)) {
        o.classifyError = [](std::exception_ptr error) {
            try {
                std::rethrow_exception(error);
            } catch (const Thrown& thrown) {
                if (thrown.classifierThrows) throw;
                return thrown.outcome;
            }
        };
    }
    return rules;
}

inline std::ostream& operator<<(std::ostream& out, const Operation& op) {
    static constexpr const char* kNames[] = {"acquire",        "report",
                                             "report elapsed", "report twice",
                                             "drop",           "drop while unwinding",
                                             "overwrite",      "execute",
                                             "wait",           "wait for recovery",
                                             "step back",      "open",
                                             "open for",       "close",
                                             "reset",          "mode",
                                             "reconfigure",    "be refused",
                                             "restart",        "listen"};
    out << kNames[static_cast<std::size_t>(op.kind)];
    const auto which = [&] { out << " #" << int{op.a}; };
    const auto outcome = [&] { out << ' ' << toString(kOutcomes[op.b % std::size(kOutcomes)]); };
    switch (op.kind) {
        case Operation::Kind::Report:
        case Operation::Kind::ReportTwice:
            which();
            outcome();
            break;
        case Operation::Kind::ReportElapsed:
            which();
            outcome();
            out << " after " << detail::toText(elapsedOf(op.c));
            break;
        case Operation::Kind::Drop:
        case Operation::Kind::DropUnwinding:
        case Operation::Kind::Overwrite: which(); break;
        case Operation::Kind::Execute: {
            static constexpr const char* kFormNames[] = {"judged",  "throws",    "code", "answered",
                                                         "context", "bad judge", "void", "inner"};
            out << ' ' << kFormNames[op.a % kForms];
            outcome();
            out << " and " << int{op.b} << " taking " << int{op.c};
            break;
        }
        case Operation::Kind::Wait:
            out << ' ' << detail::toText(stepOf(op.a, false))
                << " (coarse: " << detail::toText(stepOf(op.a, true)) << ')';
            break;
        case Operation::Kind::Mode: out << ' ' << toString(kModes[op.a % 4]); break;
        default: out << ' ' << int{op.a}; break;
    }
    return out;
}

inline std::ostream& operator<<(std::ostream& out, const Setup& setup) {
    out << (setup.coarse ? "coarse" : "fine") << (setup.callbacks ? ", with callbacks" : "");
    for (std::size_t i = 0; i < setup.rules.size(); ++i) {
        const Rules rules = rulesOf(setup, i);
        out << "\n  rules " << i << ": "
            << std::visit([](const auto& policy) { return toString(policy); }, rules.policy) << "; "
            << toString(rules.options) << (rules.options.classifyError ? ", classifier" : "");
    }
    return out;
}

}  // namespace fusebox::test
