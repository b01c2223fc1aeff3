// SPDX-License-Identifier: MIT
// Events for {fmt}: `{}` is breaker, kind and details in one line; `{:t}` puts the time before it.
//
// needs: fmt
#pragma once

#include <string>

#include <fmt/format.h>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/value_forms.hpp"
#include "fusebox/exposition/format_stats.hpp"
#include "fusebox/registry/event_log.hpp"
#include "fusebox/registry/event_words.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/vocabulary/iso_time.hpp"

namespace fusebox::detail {

/// "payments STATE_CHANGED: CLOSED -> OPEN (POLICY_TRIPPED)"; control characters as %XX.
struct EventFormatter : LetterFormatter {
    template <class E, class Context>
    auto format(const E& event, Context& context) const {
        std::string text = letter() ? isoTime(event.time) + " " : std::string{};
        text.append(event.breaker).append(" ").append(toString(kindOf<E>));
        return write(escaped(text.append(": ").append(inWords(event))), context);
    }
};

}  // namespace fusebox::detail

template <>
struct fmt::formatter<fusebox::StateChanged> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::ModeChanged> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::Reconfigured> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::WasReset> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::CallSucceeded> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::CallFailed> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::CallTimedOut> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::CallRejected> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::CallIgnored> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::SlowCall> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::BreakerAdded> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::BreakerRemoved> : fusebox::detail::EventFormatter {};
template <>
struct fmt::formatter<fusebox::ConfigConflict> : fusebox::detail::EventFormatter {};

/// As an event, after its number in the log.
template <>
struct fmt::formatter<fusebox::LoggedEvent> : fusebox::detail::LetterFormatter {
    template <class Context>
    auto format(const fusebox::LoggedEvent& event, Context& context) const {
        std::string text = std::to_string(event.sequence) + " ";
        if (letter()) text += fusebox::isoTime(event.time) + " ";
        text.append(event.breaker).append(" ").append(toString(event.kind));
        return write(fusebox::detail::escaped(text.append(": ").append(event.text)), context);
    }
};
