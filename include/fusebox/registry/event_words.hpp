// SPDX-License-Identifier: MIT
// Events by kind and in words.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

#include "fusebox/breaker/events.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox {

/// The events of breakers and registries; each is named as its struct.
enum class EventKind : std::uint8_t {
    StateChanged,
    ModeChanged,
    WasReset,
    Reconfigured,
    CallSucceeded,
    CallFailed,
    CallTimedOut,
    CallRejected,
    CallIgnored,
    SlowCall,
    BreakerAdded,
    BreakerRemoved,
    ConfigConflict,
};

/// The words in capitals, such as "STATE_CHANGED".
[[nodiscard]] constexpr std::string_view toString(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::StateChanged: return "STATE_CHANGED";
        case EventKind::ModeChanged: return "MODE_CHANGED";
        case EventKind::WasReset: return "WAS_RESET";
        case EventKind::Reconfigured: return "RECONFIGURED";
        case EventKind::CallSucceeded: return "CALL_SUCCEEDED";
        case EventKind::CallFailed: return "CALL_FAILED";
        case EventKind::CallTimedOut: return "CALL_TIMED_OUT";
        case EventKind::CallRejected: return "CALL_REJECTED";
        case EventKind::CallIgnored: return "CALL_IGNORED";
        case EventKind::SlowCall: return "SLOW_CALL";
        case EventKind::BreakerAdded: return "BREAKER_ADDED";
        case EventKind::BreakerRemoved: return "BREAKER_REMOVED";
        case EventKind::ConfigConflict: return "CONFIG_CONFLICT";
    }
    return "UNKNOWN";
}

namespace detail {

template <class E>
inline constexpr EventKind kindOf{};
template <>
inline constexpr EventKind kindOf<StateChanged> = EventKind::StateChanged;
template <>
inline constexpr EventKind kindOf<ModeChanged> = EventKind::ModeChanged;
template <>
inline constexpr EventKind kindOf<WasReset> = EventKind::WasReset;
template <>
inline constexpr EventKind kindOf<Reconfigured> = EventKind::Reconfigured;
template <>
inline constexpr EventKind kindOf<CallSucceeded> = EventKind::CallSucceeded;
template <>
inline constexpr EventKind kindOf<CallFailed> = EventKind::CallFailed;
template <>
inline constexpr EventKind kindOf<CallTimedOut> = EventKind::CallTimedOut;
template <>
inline constexpr EventKind kindOf<CallRejected> = EventKind::CallRejected;
template <>
inline constexpr EventKind kindOf<CallIgnored> = EventKind::CallIgnored;
template <>
inline constexpr EventKind kindOf<SlowCall> = EventKind::SlowCall;
template <>
inline constexpr EventKind kindOf<BreakerAdded> = EventKind::BreakerAdded;
template <>
inline constexpr EventKind kindOf<BreakerRemoved> = EventKind::BreakerRemoved;
template <>
inline constexpr EventKind kindOf<ConfigConflict> = EventKind::ConfigConflict;

/// "succeeded after 12 ms"; without the time if that is not known.
[[nodiscard]] inline std::string after(std::string_view what, std::chrono::nanoseconds elapsed) {
    std::string text{what};
    if (elapsed > std::chrono::nanoseconds::zero()) text += " after " + toText(elapsed);
    return text;
}

/// What an exception says of itself; empty if it is none, or of no known kind.
[[nodiscard]] inline std::string messageOf([[maybe_unused]] const std::exception_ptr& error) {
#if defined(__cpp_exceptions)
    try {
        if (error) std::rethrow_exception(error);
    } catch (const std::exception& known) {
        return known.what();
    } catch (...) {
        return "an exception not derived from std::exception";
    }
#endif
    return {};
}

[[nodiscard]] inline std::string inWords(const StateChanged& event) {
    std::string text{toString(event.from)};
    return text.append(" -> ")
               .append(toString(event.to))
               .append(" (")
               .append(toString(event.reason)) +
           ")";
}
[[nodiscard]] inline std::string inWords(const ModeChanged& event) {
    return std::string{toString(event.from)}.append(" -> ").append(toString(event.to));
}
[[nodiscard]] inline std::string inWords(const WasReset&) {
    return "reset";
}
[[nodiscard]] inline std::string inWords(const Reconfigured& event) {
    return "reconfigured: " + event.current + "; before: " + event.previous;
}
[[nodiscard]] inline std::string inWords(const CallSucceeded& event) {
    return after("succeeded", event.elapsed);
}
[[nodiscard]] inline std::string inWords(const CallFailed& event) {
    const std::string message = messageOf(event.error);
    return after("failed", event.elapsed) + (message.empty() ? "" : ": " + message);
}
[[nodiscard]] inline std::string inWords(const CallTimedOut& event) {
    return after("timed out", event.elapsed);
}
[[nodiscard]] inline std::string inWords(const CallRejected& event) {
    const Rejection& rejection = event.rejection;
    std::string text{"rejected: "};
    text += toString(rejection.reason);
    const bool known =
        rejection.retryAfter > std::chrono::nanoseconds::zero() && rejection.retryAfter != kForever;
    return known ? text + ", retry after " + toText(rejection.retryAfter) : text;
}
[[nodiscard]] inline std::string inWords(const CallIgnored& event) {
    return after("ignored", event.elapsed);
}
[[nodiscard]] inline std::string inWords(const SlowCall& event) {
    return after("slow", event.elapsed).append(" (").append(toString(event.outcome)) + ")";
}
[[nodiscard]] inline std::string inWords(const BreakerAdded&) {
    return "added";
}
[[nodiscard]] inline std::string inWords(const BreakerRemoved& event) {
    return std::string{"removed ("}.append(toString(event.reason)) + ")";
}
[[nodiscard]] inline std::string inWords(const ConfigConflict& event) {
    return "registered with " + event.existing + "; asked for with " + event.given;
}

}  // namespace detail
}  // namespace fusebox
