// SPDX-License-Identifier: MIT
// Enumerations, rejections, windows and counts for {fmt}: in words, under any spec of a string.
//
// needs: fmt
#pragma once

#include <fmt/format.h>

#include "fusebox/breaker/past_calls.hpp"
#include "fusebox/exposition/word_formatter.hpp"
#include "fusebox/registry/event_words.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/window/latency_counts.hpp"
#include "fusebox/window/window.hpp"

// Each is a full specialisation: those are never ambiguous with what {fmt} itself makes of a type.

template <>
struct fmt::formatter<fusebox::CircuitState> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::ControlMode> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::TransitionReason> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::Outcome> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::ReportResult> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::RejectionReason> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::RemovalReason> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::EventKind> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::Rejection> : fusebox::detail::WordFormatter {};
template <>
struct fmt::formatter<fusebox::Window> : fusebox::detail::WordFormatter {};

/// The message of the error code.
template <>
struct fmt::formatter<fusebox::Errc> : fusebox::detail::TextFormatter {
    template <class Context>
    auto format(fusebox::Errc code, Context& context) const {
        return formatText(make_error_code(code).message(), context);
    }
};

/// "FAILURE", "slow SUCCESS".
template <>
struct fmt::formatter<fusebox::PastCall> : fusebox::detail::TextFormatter {
    template <class Context>
    auto format(const fusebox::PastCall& call, Context& context) const {
        const std::string text{call.slow ? "slow " : ""};
        return formatText(text + std::string{toString(call.outcome)}, context);
    }
};

/// "3 of 100 calls failed, 2 slow".
template <>
struct fmt::formatter<fusebox::CallCounts> : fusebox::detail::TextFormatter {
    template <class Context>
    auto format(const fusebox::CallCounts& counts, Context& context) const {
        return formatText(fmt::format("{} of {} failed, {} slow", counts.failures,
                                      fusebox::detail::toText(counts.calls, "call"), counts.slow),
                          context);
    }
};

/// "p50 1.2 ms, p90 3 ms, p99 20 ms, max 31.4 ms".
template <>
struct fmt::formatter<fusebox::LatencySummary> : fusebox::detail::TextFormatter {
    template <class Context>
    auto format(const fusebox::LatencySummary& latency, Context& context) const {
        using fusebox::detail::toText;
        return formatText(
            fmt::format("p50 {}, p90 {}, p99 {}, max {}", toText(latency.p50), toText(latency.p90),
                        toText(latency.p99), toText(latency.max)),
            context);
    }
};
