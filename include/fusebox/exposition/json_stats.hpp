// SPDX-License-Identifier: MIT
// Statistics as JSON, for nlohmann-json.
//
// Fields are named as those of CircuitBreakerStats; a duration is in milliseconds and says so with
// `Ms` at the end of its name; a time is ISO 8601 in UTC; what is not known is null.
//
// needs: nlohmann_json
#pragma once

#include <cstddef>
#include <string>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/breaker/transition_counts.hpp"
#include "fusebox/exposition/json_values.hpp"
#include "fusebox/vocabulary/utf8.hpp"
#include "fusebox/window/latency_counts.hpp"

namespace fusebox {

template <detail::BasicJson Json>
void to_json(Json& json, const LatencySummary& latency) {
    json = Json::object();
    json["p50"] = detail::jsonMilliseconds<Json>(latency.p50);
    json["p90"] = detail::jsonMilliseconds<Json>(latency.p90);
    json["p99"] = detail::jsonMilliseconds<Json>(latency.p99);
    json["max"] = detail::jsonMilliseconds<Json>(latency.max);
}

template <detail::BasicJson Json>
void to_json(Json& json, const TransitionCounts& counts) {
    json = Json::object();
    json["closedToOpen"] = counts.closedToOpen;
    json["openToHalfOpen"] = counts.openToHalfOpen;
    json["halfOpenToOpen"] = counts.halfOpenToOpen;
    json["halfOpenToClosed"] = counts.halfOpenToClosed;
    json["openToClosed"] = counts.openToClosed;
}

template <detail::BasicJson Json>
void to_json(Json& json, const TripRecord& trip) {
    json = Json::object();
    json["reason"] = trip.reason;
    json["time"] = isoTime(trip.time);
    json["windowCalls"] = trip.windowCalls;
    json["windowFailures"] = trip.windowFailures;
    json["windowSlow"] = trip.windowSlow;
    json["failureRate"] = detail::jsonOptional<Json>(trip.failureRate);
    json["slowCallRate"] = detail::jsonOptional<Json>(trip.slowCallRate);
    json["consecutiveFailures"] = trip.consecutiveFailures;
    json["waitMs"] = detail::jsonMilliseconds<Json>(trip.wait);
    json["policy"] = trip.policy;
    json["lastError"] = trip.lastError;
    json["lastOutcomes"] = trip.lastOutcomes;
    json["summary"] = trip.summary;
}

/// `retryAfterMs` is null unless the breaker is open, and also while it is forced open. Without the
/// histograms of latencies: those are for metrics.
template <detail::BasicJson Json>
void to_json(Json& json, const CircuitBreakerStats& stats) {
    json = Json::object();
    json["name"] = stats.name;
    json["policy"] = stats.policy;
    json["options"] = stats.options;
    json["tags"] = Json::object();
    for (const auto& [key, value] : stats.tags) json["tags"][detail::toUtf8(key)] = value;
    json["state"] = stats.state;
    json["mode"] = stats.mode;
    json["totalCalls"] = stats.totalCalls;
    json["totalSuccesses"] = stats.totalSuccesses;
    json["totalFailures"] = stats.totalFailures;
    json["totalTimeouts"] = stats.totalTimeouts;
    json["totalIgnored"] = stats.totalIgnored;
    json["totalCancelled"] = stats.totalCancelled;
    json["totalRejected"] = stats.totalRejected;
    json["totalShadowRejected"] = stats.totalShadowRejected;
    json["totalStale"] = stats.totalStale;
    json["totalSlow"] = stats.totalSlow;
    json["timesOpened"] = stats.timesOpened;
    json["timesClosed"] = stats.timesClosed;
    json["timesReconfigured"] = stats.timesReconfigured;
    json["listenerErrors"] = stats.listenerErrors;
    json["timeOpenMs"] = detail::jsonMilliseconds<Json>(stats.timeOpen);
    json["transitions"] = stats.transitions;
    json["probesInFlight"] = stats.probesInFlight;
    json["inFlight"] = detail::jsonOptional<Json>(stats.inFlight);
    json["windowCalls"] = stats.windowCalls;
    json["windowFailures"] = stats.windowFailures;
    json["windowSlow"] = stats.windowSlow;
    json["failureRate"] = detail::jsonOptional<Json>(stats.failureRate);
    json["slowCallRate"] = detail::jsonOptional<Json>(stats.slowCallRate);
    json["windowSize"] = detail::jsonOptional<Json>(stats.windowSize);
    json["policyScore"] = detail::jsonOptional<Json>(stats.policyScore);
    json["consecutiveFailures"] = stats.consecutiveFailures;
    json["consecutiveSuccesses"] = stats.consecutiveSuccesses;
    json["averageResponseTimeMs"] = detail::jsonMilliseconds<Json>(stats.averageResponseTime);
    json["latencyMs"] = stats.latency;
    json["retryAfterMs"] = detail::jsonMilliseconds<Json>(stats.retryAfter);
    json["lastError"] = stats.lastError;
    json["lastFailureTime"] = detail::jsonTime<Json>(stats.lastFailureTime);
    json["lastOpened"] = detail::jsonTime<Json>(stats.lastOpened);
    json["lastClosed"] = detail::jsonTime<Json>(stats.lastClosed);
    json["lastTrip"] = detail::jsonOptional<Json>(stats.lastTrip);
}

}  // namespace fusebox
