// SPDX-License-Identifier: MIT
// Events as JSON, for nlohmann-json: `event` is the kind, `breaker` the name, `time` ISO 8601 in
// UTC, and the rest the fields of the event.
//
// needs: nlohmann_json
#pragma once

#include <chrono>
#include <string>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/events.hpp"
#include "fusebox/exposition/json_stats.hpp"
#include "fusebox/exposition/json_values.hpp"
#include "fusebox/registry/event_log.hpp"
#include "fusebox/registry/event_words.hpp"
#include "fusebox/registry/registry_events.hpp"

namespace fusebox {
namespace detail {

template <BasicJson Json, class E>
[[nodiscard]] Json jsonEvent(const E& event) {
    Json json = Json::object();
    json["event"] = kindOf<E>;
    json["breaker"] = std::string{event.breaker};
    json["time"] = isoTime(event.time);
    return json;
}

/// An event of a call; `elapsedMs` is null when it was neither measured nor reported.
template <BasicJson Json, class E>
[[nodiscard]] Json jsonCallEvent(const E& event) {
    Json json = jsonEvent<Json>(event);
    const bool known = event.elapsed != std::chrono::nanoseconds::zero();
    json["elapsedMs"] = known ? jsonMilliseconds<Json>(event.elapsed) : Json(nullptr);
    return json;
}

}  // namespace detail

template <detail::BasicJson Json>
void to_json(Json& json, const StateChanged& event) {
    json = detail::jsonEvent<Json>(event);
    json["from"] = event.from;
    json["to"] = event.to;
    json["reason"] = event.reason;
    json["snapshot"] = event.snapshot;
}
template <detail::BasicJson Json>
void to_json(Json& json, const ModeChanged& event) {
    json = detail::jsonEvent<Json>(event);
    json["from"] = event.from;
    json["to"] = event.to;
}
template <detail::BasicJson Json>
void to_json(Json& json, const Reconfigured& event) {
    json = detail::jsonEvent<Json>(event);
    json["previous"] = event.previous;
    json["current"] = event.current;
}
template <detail::BasicJson Json>
void to_json(Json& json, const WasReset& event) {
    json = detail::jsonEvent<Json>(event);
}
template <detail::BasicJson Json>
void to_json(Json& json, const CallSucceeded& event) {
    json = detail::jsonCallEvent<Json>(event);
}
/// `error` is what the exception says of itself; null without one.
template <detail::BasicJson Json>
void to_json(Json& json, const CallFailed& event) {
    json = detail::jsonCallEvent<Json>(event);
    json["error"] = event.error ? Json(detail::messageOf(event.error)) : Json(nullptr);
}
template <detail::BasicJson Json>
void to_json(Json& json, const CallTimedOut& event) {
    json = detail::jsonCallEvent<Json>(event);
}
template <detail::BasicJson Json>
void to_json(Json& json, const CallRejected& event) {
    json = detail::jsonEvent<Json>(event);
    json["rejection"] = event.rejection;
}
template <detail::BasicJson Json>
void to_json(Json& json, const CallIgnored& event) {
    json = detail::jsonCallEvent<Json>(event);
}
template <detail::BasicJson Json>
void to_json(Json& json, const SlowCall& event) {
    json = detail::jsonCallEvent<Json>(event);
    json["outcome"] = event.outcome;
}
template <detail::BasicJson Json>
void to_json(Json& json, const BreakerAdded& event) {
    json = detail::jsonEvent<Json>(event);
}
template <detail::BasicJson Json>
void to_json(Json& json, const BreakerRemoved& event) {
    json = detail::jsonEvent<Json>(event);
    json["reason"] = event.reason;
}
template <detail::BasicJson Json>
void to_json(Json& json, const ConfigConflict& event) {
    json = detail::jsonEvent<Json>(event);
    json["existing"] = event.existing;
    json["given"] = event.given;
}
template <detail::BasicJson Json>
void to_json(Json& json, const LoggedEvent& event) {
    json = Json::object();
    json["sequence"] = event.sequence;
    json["event"] = event.kind;
    json["breaker"] = event.breaker;
    json["time"] = isoTime(event.time);
    json["text"] = event.text;
}

}  // namespace fusebox
