// SPDX-License-Identifier: MIT
// The text in which a breaker's saved state outlives the process.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "fusebox/breaker/field_reader.hpp"
#include "fusebox/breaker/field_writer.hpp"
#include "fusebox/breaker/saved_state.hpp"
#include "fusebox/breaker/value_forms.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

inline constexpr Format kSavedStateFormat{"fusebox-state", "1"};

using StateForm = WordForm<CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen>;
using ModeForm = WordForm<ControlMode::Automatic, ControlMode::ForcedOpen,
                          ControlMode::ForcedClosed, ControlMode::Shadow>;
using ReasonForm =
    WordForm<TransitionReason::PolicyTripped, TransitionReason::ProbeFailed,
             TransitionReason::ProbeLost, TransitionReason::WaitElapsed,
             TransitionReason::ProbesSucceeded, TransitionReason::Manual, TransitionReason::Reset>;
using OutcomeForm =
    WordForm<Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Ignored>;
using ErrorForm = StringForm<127>;

/// A list of calls, each an outcome and whether it was slow: "FAILURE,SUCCESS+SLOW".
struct OutcomesForm {
    static constexpr std::size_t kMost = 32;
    static constexpr std::string_view kSlow = "+SLOW";

    template <class Calls>
    [[nodiscard]] static std::string write(const Calls& calls) {
        std::string text;
        for (const auto& call : calls) {
            if (!text.empty()) text += ',';
            text.append(toString(call.outcome)).append(call.slow ? kSlow : "");
        }
        return text;
    }
    template <class Calls>
    [[nodiscard]] static bool read(std::string_view text, Calls& calls) {
        calls.clear();
        bool more = !text.empty();
        while (more) {
            if (calls.size() == kMost) return false;
            const std::size_t comma = std::min(text.find(','), text.size());
            std::string_view word = text.substr(0, comma);
            more = comma < text.size();
            text.remove_prefix(more ? comma + 1 : comma);
            auto& call = calls.emplace_back();
            call.slow = word.ends_with(kSlow);
            if (call.slow) word.remove_suffix(kSlow.size());
            if (!OutcomeForm::read(word, call.outcome)) return false;
        }
        return true;
    }
    [[nodiscard]] static std::string allowed() {
        return "at most " + std::to_string(kMost) + " of " + OutcomeForm::allowed() +
               ", each with " + std::string{kSlow} + " or without, separated by commas";
    }
};

/// The fields of a record. Its summary is none: it follows from the others.
template <class Archive, class Trip>
void visitTrip(Archive& archive, Trip& trip) {
    archive.required("lastTrip.reason", trip.reason, ReasonForm{});
    archive.required("lastTrip.time", trip.time, TimeForm{});
    archive.required("lastTrip.windowCalls", trip.windowCalls, CountForm{});
    archive.required("lastTrip.windowFailures", trip.windowFailures, CountForm{});
    archive.required("lastTrip.windowSlow", trip.windowSlow, CountForm{});
    archive.optional("lastTrip.failureRate", trip.failureRate, RateForm{});
    archive.optional("lastTrip.slowCallRate", trip.slowCallRate, RateForm{});
    archive.required("lastTrip.consecutiveFailures", trip.consecutiveFailures, CountForm{});
    archive.required("lastTrip.wait", trip.wait, DurationForm{});
    archive.required("lastTrip.policy", trip.policy, StringForm<>{});
    archive.required("lastTrip.lastError", trip.lastError, ErrorForm{});
    archive.required("lastTrip.lastOutcomes", trip.lastOutcomes, OutcomesForm{});
}

/// The fields in the order in which they are written. The last one is required, so that no text
/// that was cut short is a whole one: keep it so.
template <class Archive, class State>
void visitFields(Archive& archive, State& state) {
    archive.required("name", state.name, StringForm<>{});
    archive.required("state", state.state, StateForm{});
    archive.required("mode", state.mode, ModeForm{});
    archive.required("savedAt", state.savedAt, TimeForm{});
    archive.requiredIf(state.state == CircuitState::Open, "in state OPEN", "remainingWait",
                       state.remainingWait, DurationForm{});
    archive.required("reopenings", state.reopenings, CountForm{});
    archive.requiredIf(state.state == CircuitState::HalfOpen, "in state HALF_OPEN",
                       "probeSuccesses", state.probeSuccesses, CountForm{});
    archive.required("lastError", state.lastError, ErrorForm{});
    archive.optional("lastFailureTime", state.lastFailureTime, TimeForm{});
    archive.optional("lastClosed", state.lastClosed, TimeForm{});
    archive.group("lastTrip.", state.lastTrip,
                  [](auto& inner, auto& trip) { visitTrip(inner, trip); });
    archive.required("totalSuccesses", state.totalSuccesses, CountForm{});
    archive.required("totalFailures", state.totalFailures, CountForm{});
    archive.required("totalTimeouts", state.totalTimeouts, CountForm{});
    archive.required("totalIgnored", state.totalIgnored, CountForm{});
    archive.required("totalCancelled", state.totalCancelled, CountForm{});
    archive.required("totalRejected", state.totalRejected, CountForm{});
    archive.required("totalShadowRejected", state.totalShadowRejected, CountForm{});
    archive.required("totalStale", state.totalStale, CountForm{});
    archive.required("totalSlow", state.totalSlow, CountForm{});
    archive.required("timesOpened", state.timesOpened, CountForm{});
    archive.required("timesClosed", state.timesClosed, CountForm{});
    archive.required("timesReconfigured", state.timesReconfigured, CountForm{});
    archive.required("listenerErrors", state.listenerErrors, CountForm{});
    archive.required("timeOpen", state.timeOpen, DurationForm{});
}

/// The largest `successThreshold`.
inline constexpr std::uint64_t kMostProbeSuccesses = 65535;
/// More than there can be in the life of a process; far from where a counter wraps.
inline constexpr std::uint64_t kMostReopenings = std::numeric_limits<std::uint32_t>::max();

/// Refuses what no breaker can have come to.
template <class Reader, class State>
void requireConsistency(Reader& reader, const State& state) {
    if (state.state != CircuitState::Closed && state.timesOpened == 0) {
        reader.refuse("timesOpened",
                      std::string{"at least 1 in state "}.append(toString(state.state)));
    }
    if (state.probeSuccesses > kMostProbeSuccesses) {
        reader.refuse("probeSuccesses", "at most " + std::to_string(kMostProbeSuccesses));
    }
    if (state.reopenings > kMostReopenings) {
        reader.refuse("reopenings", "at most " + std::to_string(kMostReopenings));
    }
    if (state.lastTrip) {
        const TripRecord& trip = *state.lastTrip;
        const std::string most =
            "at most lastTrip.windowCalls, which is " + std::to_string(trip.windowCalls);
        if (trip.windowFailures > trip.windowCalls) reader.refuse("lastTrip.windowFailures", most);
        if (trip.windowSlow > trip.windowCalls) reader.refuse("lastTrip.windowSlow", most);
    }
    std::uint64_t room = std::numeric_limits<std::uint64_t>::max();
    const auto add = [&](std::string_view name, std::uint64_t total) {
        if (total > room) {
            reader.refuse(name, "at most " + std::to_string(room) +
                                    ", so that the sum of the calls that ended fits into 64 bits");
        }
        room -= std::min(total, room);
    };
    add("totalSuccesses", state.totalSuccesses);
    add("totalFailures", state.totalFailures);
    add("totalTimeouts", state.totalTimeouts);
    add("totalIgnored", state.totalIgnored);
    add("totalCancelled", state.totalCancelled);
}

// Templates, so that only those compile them who save or restore a breaker.

/// The state as lines of text: it reads back as the same state, unless it takes more than 64 KiB,
/// which takes a name or a policy of about that size.
template <std::same_as<SavedState> State>
[[nodiscard]] std::string toText(const State& state) {
    FieldWriter<kSavedStateFormat> writer;
    visitFields(writer, state);
    return std::move(writer).take();
}

/// Reads into a new state what `toText` wrote; complains of a text that is wrong, and then the
/// state is of no use. Throws nothing of its own.
template <std::same_as<SavedState> State>
[[nodiscard]] Complaint parseSavedState(std::string_view text, State& state) {
    FieldNames<kSavedStateFormat> names;
    visitFields(names, state);
    FieldReader<kSavedStateFormat> reader{text, std::move(names)};
    visitFields(reader, state);
    requireConsistency(reader, state);
    return reader.complaint();
}

}  // namespace fusebox::detail
