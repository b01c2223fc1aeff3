// SPDX-License-Identifier: MIT
// Health reports as JSON, for nlohmann-json, in three forms.
//
// needs: nlohmann_json
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/health/health_report.hpp"
#include "fusebox/health/health_status.hpp"
#include "fusebox/vocabulary/iso_time.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/utf8.hpp"

namespace fusebox {
namespace detail {

using HealthJson = nlohmann::ordered_json;

[[nodiscard]] inline HealthJson healthMilliseconds(std::chrono::nanoseconds duration) {
    return static_cast<double>(duration.count()) / 1e6;
}

[[nodiscard]] inline std::string_view actuatorWord(HealthStatus status) noexcept {
    switch (status) {
        case HealthStatus::Healthy: return "UP";
        case HealthStatus::Degraded: return "UNKNOWN";
        case HealthStatus::Unhealthy: return "DOWN";
    }
    return "UNKNOWN";
}
[[nodiscard]] inline std::string_view actuatorWord(CircuitState state) noexcept {
    switch (state) {
        case CircuitState::Closed: return "UP";
        case CircuitState::Open: return "CIRCUIT_OPEN";
        case CircuitState::HalfOpen: return "CIRCUIT_HALF_OPEN";
    }
    return "UNKNOWN";
}

/// "12.5%", or "-1.0%" below the minimum of calls: as resilience4j has it.
[[nodiscard]] inline std::string actuatorPercent(std::optional<double> rate) {
    if (!rate) return "-1.0%";
    std::string text = toText(std::round(*rate * 1e4) / 1e2);
    if (text.find('.') == std::string::npos) text += ".0";
    return text += '%';
}

[[nodiscard]] inline HealthJson actuatorBreaker(const CircuitBreakerStats& stats) {
    HealthJson json = HealthJson::object();
    json["status"] = actuatorWord(stats.state);
    HealthJson& details = json["details"];
    details["failureRate"] = actuatorPercent(stats.failureRate);
    details["slowCallRate"] = actuatorPercent(stats.slowCallRate);
    details["bufferedCalls"] = stats.windowCalls;
    details["slowCalls"] = stats.windowSlow;
    details["failedCalls"] = stats.windowFailures;
    details["notPermittedCalls"] = stats.totalRejected;
    details["state"] = toString(stats.state);
    return json;
}

[[nodiscard]] inline std::string_view passWord(HealthStatus status) noexcept {
    switch (status) {
        case HealthStatus::Healthy: return "pass";
        case HealthStatus::Degraded: return "warn";
        case HealthStatus::Unhealthy: return "fail";
    }
    return "fail";
}

}  // namespace detail

/// What an HTTP response with `healthPlusJson` says in its header Content-Type.
inline constexpr const char* kHealthJsonContentType = "application/health+json";
/// The same for `actuatorJson`.
inline constexpr const char* kActuatorContentType = "application/vnd.spring-boot.actuator.v3+json";

/// The report in a form of our own: `status`, `timestamp`, `service`, `version`, `checks` by name
/// and `circuitBreakers` by name. Times are ISO 8601 in UTC, `responseTime` is in milliseconds,
/// `failureRate` from 0 to 1, and null below the minimum of calls.
[[nodiscard]] inline nlohmann::ordered_json healthJson(const HealthReport& report) {
    detail::HealthJson json = detail::HealthJson::object();
    json["status"] = toString(report.status);
    json["timestamp"] = isoTime(report.time);
    json["service"] = report.service;
    json["version"] = report.version;
    detail::HealthJson& checks = json["checks"] = detail::HealthJson::object();
    for (const CheckReport& check : report.checks) {
        detail::HealthJson& one = checks[detail::toUtf8(check.name)];
        one["status"] = toString(check.status);
        one["message"] = check.message;
        one["responseTime"] = detail::healthMilliseconds(check.responseTime);
        one["critical"] = check.critical;
        one["timedOut"] = check.timedOut;
    }
    detail::HealthJson& breakers = json["circuitBreakers"] = detail::HealthJson::object();
    for (const CircuitBreakerStats& stats : report.circuitBreakers) {
        detail::HealthJson& one = breakers[detail::toUtf8(stats.name)];
        one["state"] = toString(stats.state);
        one["mode"] = toString(stats.mode);
        one["failureCount"] = stats.totalFailures + stats.totalTimeouts;
        one["successCount"] = stats.totalSuccesses;
        one["totalRequests"] = stats.totalCalls;
        one["failureRate"] = stats.failureRate ? detail::HealthJson(*stats.failureRate)
                                               : detail::HealthJson(nullptr);
    }
    return json;
}

/// The report in the form of Spring's actuator, with resilience4j's names for breakers. Its overall
/// status is UP or DOWN: what is merely degraded still gets traffic.
[[nodiscard]] inline nlohmann::ordered_json actuatorJson(const HealthReport& report) {
    detail::HealthJson json = detail::HealthJson::object();
    json["status"] = report.ready() ? "UP" : "DOWN";
    detail::HealthJson& components = json["components"] = detail::HealthJson::object();
    for (const CheckReport& check : report.checks) {
        detail::HealthJson& one = components[detail::toUtf8(check.name)];
        one["status"] = detail::actuatorWord(check.status);
        one["details"]["message"] = check.message;
    }
    if (report.circuitBreakers.empty()) return json;
    detail::HealthJson& breakers = components["circuitBreakers"];
    const bool degraded = std::ranges::any_of(report.circuitBreakers, degrades);
    breakers["status"] = degraded ? "UNKNOWN" : "UP";
    for (const CircuitBreakerStats& stats : report.circuitBreakers) {
        breakers["details"][detail::toUtf8(stats.name)] = detail::actuatorBreaker(stats);
    }
    return json;
}

/// The report as `application/health+json` (draft-inadarei-api-health-check-06): `status` is pass,
/// warn or fail, and `checks` maps to lists.
[[nodiscard]] inline nlohmann::ordered_json healthPlusJson(const HealthReport& report) {
    detail::HealthJson json = detail::HealthJson::object();
    json["status"] = detail::passWord(report.status);
    if (!report.version.empty()) json["releaseId"] = report.version;
    if (!report.service.empty()) json["serviceId"] = report.service;
    detail::HealthJson& checks = json["checks"] = detail::HealthJson::object();
    for (const CheckReport& check : report.checks) {
        detail::HealthJson one = detail::HealthJson::object();
        one["componentType"] = "component";
        one["status"] = detail::passWord(check.status);
        one["observedValue"] = detail::healthMilliseconds(check.responseTime);
        one["observedUnit"] = "ms";
        one["time"] = isoTime(check.time);
        if (check.status != HealthStatus::Healthy) one["output"] = check.message;
        checks[detail::toUtf8(check.name) + ":responseTime"].push_back(std::move(one));
    }
    for (const CircuitBreakerStats& stats : report.circuitBreakers) {
        detail::HealthJson one = detail::HealthJson::object();
        one["componentId"] = stats.name;
        one["componentType"] = "component";
        one["status"] = degrades(stats) ? "warn" : "pass";
        one["observedValue"] = toString(stats.state);
        one["time"] = isoTime(report.time);
        checks["circuitBreakers:state"].push_back(std::move(one));
    }
    return json;
}

}  // namespace fusebox
