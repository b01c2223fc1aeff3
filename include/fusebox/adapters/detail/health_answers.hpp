// SPDX-License-Identifier: MIT
// Health reports as answers to HTTP requests, for cpp-httplib.
//
// needs: httplib
// needs: nlohmann_json
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "fusebox/adapters/detail/httplib_answers.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/json.hpp"
#include "fusebox/health/health_json.hpp"
#include "fusebox/health/health_report.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// In the form that the request asks for, by its header Accept.
inline void answerHealth(const httplib::Request& request, httplib::Response& response,
                         const HealthReport& report) {
    const std::string accept = request.get_header_value("Accept");
    const auto accepts = [&](std::string_view type) {
        return accept.find(type) != std::string::npos;
    };
    const int status = report.httpStatus();
    if (accepts(kHealthJsonContentType)) {
        answerJson(response, status, healthPlusJson(report), kHealthJsonContentType);
    } else if (accepts(kActuatorContentType)) {
        answerJson(response, status, actuatorJson(report), kActuatorContentType);
    } else {
        answerJson(response, status, healthJson(report));
    }
}

/// The status and nothing else.
inline void answerStatus(httplib::Response& response, const HealthReport& report) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    json["status"] = toString(report.status);
    answerJson(response, report.httpStatus(), json);
}

/// How breakers are; one that is open degrades, and is no reason to take a service out of use.
inline void answerBreakersHealth(httplib::Response& response,
                                 std::vector<CircuitBreakerStats> breakers) {
    HealthReport report;
    report.circuitBreakers = std::move(breakers);
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    json["status"] = toString(overallStatus(report));
    json["breakers"] = nlohmann::ordered_json::array();
    for (const CircuitBreakerStats& stats : report.circuitBreakers) {
        nlohmann::ordered_json one = nlohmann::ordered_json::object();
        one["name"] = stats.name;
        one["state"] = stats.state;
        one["mode"] = stats.mode;
        one["failures"] = stats.totalFailures + stats.totalTimeouts;
        one["isOpen"] = stats.state == CircuitState::Open;
        json["breakers"].push_back(std::move(one));
    }
    answerJson(response, 200, json);
}

}  // namespace fusebox::detail
