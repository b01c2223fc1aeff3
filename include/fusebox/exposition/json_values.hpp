// SPDX-License-Identifier: MIT
// Durations, times and words as JSON values, for nlohmann-json.
//
// needs: nlohmann_json
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/past_calls.hpp"
#include "fusebox/registry/event_words.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/iso_time.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox {
namespace detail {

/// `nlohmann::json`, `nlohmann::ordered_json` and their kin.
template <class J>
concept BasicJson = requires {
    typename J::object_t;
    typename J::array_t;
    typename J::number_unsigned_t;
};

/// Milliseconds, with what is below them as a fraction; "never" is null.
template <BasicJson Json>
[[nodiscard]] Json jsonMilliseconds(std::chrono::nanoseconds duration) {
    if (duration == kForever) return nullptr;
    return static_cast<double>(duration.count()) / 1e6;
}
template <BasicJson Json>
[[nodiscard]] Json jsonMilliseconds(std::optional<std::chrono::nanoseconds> duration) {
    return duration ? jsonMilliseconds<Json>(*duration) : Json(nullptr);
}

/// ISO 8601, or null.
template <BasicJson Json>
[[nodiscard]] Json jsonTime(std::optional<std::chrono::system_clock::time_point> time) {
    return time ? Json(isoTime(*time)) : Json(nullptr);
}

/// The value, or null.
template <BasicJson Json, class T>
[[nodiscard]] Json jsonOptional(const std::optional<T>& value) {
    return value ? Json(*value) : Json(nullptr);
}

template <BasicJson Json, class Enum>
[[nodiscard]] Json jsonWord(Enum value) {
    return std::string{toString(value)};
}

}  // namespace detail

// Found by nlohmann-json by argument-dependent lookup: the names are its own.

template <detail::BasicJson Json>
void to_json(Json& json, const CircuitState& state) {
    json = detail::jsonWord<Json>(state);
}
template <detail::BasicJson Json>
void to_json(Json& json, const ControlMode& mode) {
    json = detail::jsonWord<Json>(mode);
}
template <detail::BasicJson Json>
void to_json(Json& json, const TransitionReason& reason) {
    json = detail::jsonWord<Json>(reason);
}
template <detail::BasicJson Json>
void to_json(Json& json, const Outcome& outcome) {
    json = detail::jsonWord<Json>(outcome);
}
template <detail::BasicJson Json>
void to_json(Json& json, const RejectionReason& reason) {
    json = detail::jsonWord<Json>(reason);
}
template <detail::BasicJson Json>
void to_json(Json& json, const RemovalReason& reason) {
    json = detail::jsonWord<Json>(reason);
}
template <detail::BasicJson Json>
void to_json(Json& json, const EventKind& kind) {
    json = detail::jsonWord<Json>(kind);
}
template <detail::BasicJson Json>
void to_json(Json& json, const PastCall& call) {
    json = Json::object();
    json["outcome"] = call.outcome;
    json["slow"] = call.slow;
}
/// `retryAfterMs` is null for one that is forced open: nobody knows.
template <detail::BasicJson Json>
void to_json(Json& json, const Rejection& rejection) {
    json = Json::object();
    json["breaker"] = std::string{rejection.breaker};
    json["state"] = rejection.state;
    json["reason"] = rejection.reason;
    json["retryAfterMs"] = detail::jsonMilliseconds<Json>(rejection.retryAfter);
}

/// The text of a value: in one line, with U+FFFD where a text is not UTF-8, as an error message may
/// be.
template <detail::BasicJson Json>
[[nodiscard]] std::string jsonText(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fusebox
