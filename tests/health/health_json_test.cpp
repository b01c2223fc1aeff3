// SPDX-License-Identifier: MIT
// needs: nlohmann_json
#include "fusebox/health/health_json.hpp"

#include <chrono>
#include <string>

#include "fusebox/exposition/json.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/health/health_check_manager.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using nlohmann::ordered_json;

namespace {

HealthReport sample() {
    const auto time = std::chrono::sys_days{std::chrono::year{2024} / 11 / 11} + 10h + 30min;
    HealthReport report;
    report.status = HealthStatus::Degraded;
    report.service = "payments-svc";
    report.version = "1.0.0";
    report.time = time;
    report.checks = {{"database", HealthStatus::Healthy, "connected", true, false, 156ms, time},
                     {"mail", HealthStatus::Unhealthy, "refused", false, false, 1500us, time},
                     {"disk", HealthStatus::Degraded, "slow", false, true, 2ms, time}};
    CircuitBreakerStats stripe;
    stripe.name = "stripe";
    stripe.totalCalls = 142;
    stripe.totalSuccesses = 140;
    stripe.totalFailures = 1;
    stripe.totalTimeouts = 1;
    stripe.windowCalls = 100;
    stripe.windowFailures = 2;
    stripe.failureRate = 0.02;
    CircuitBreakerStats weather;
    weather.name = "weather";
    weather.state = CircuitState::Open;
    weather.totalRejected = 7;
    report.circuitBreakers = {stripe, weather};
    return report;
}

}  // namespace

TEST_CASE("A report in the form of our own") {
    const ordered_json expected = ordered_json::parse(R"({
      "status": "degraded",
      "timestamp": "2024-11-11T10:30:00.000Z",
      "service": "payments-svc",
      "version": "1.0.0",
      "checks": {
        "database": {"status": "healthy", "message": "connected", "responseTime": 156.0,
                     "critical": true, "timedOut": false},
        "mail": {"status": "unhealthy", "message": "refused", "responseTime": 1.5,
                 "critical": false, "timedOut": false},
        "disk": {"status": "degraded", "message": "slow", "responseTime": 2.0,
                 "critical": false, "timedOut": true}
      },
      "circuitBreakers": {
        "stripe": {"state": "CLOSED", "mode": "AUTOMATIC", "failureCount": 2, "successCount": 140,
                   "totalRequests": 142, "failureRate": 0.02},
        "weather": {"state": "OPEN", "mode": "AUTOMATIC", "failureCount": 0, "successCount": 0,
                    "totalRequests": 0, "failureRate": null}
      }
    })");
    CHECK(healthJson(sample()).dump(1) == expected.dump(1));
    CHECK(healthJson({})["checks"] == ordered_json::object());
}

TEST_CASE("A report as Spring's actuator has it") {
    const ordered_json json = actuatorJson(sample());
    CHECK(json["status"] == "UP");
    const ordered_json& components = json["components"];
    CHECK(components["database"]["status"] == "UP");
    CHECK(components["mail"] ==
          ordered_json::parse(R"({"status": "DOWN", "details": {"message": "refused"}})"));
    CHECK(components["disk"]["status"] == "UNKNOWN");
    CHECK(components["circuitBreakers"]["status"] == "UNKNOWN");
    const ordered_json expected = ordered_json::parse(R"({
      "stripe": {"status": "UP", "details": {"failureRate": "2.0%", "slowCallRate": "-1.0%",
        "bufferedCalls": 100, "slowCalls": 0, "failedCalls": 2, "notPermittedCalls": 0,
        "state": "CLOSED"}},
      "weather": {"status": "CIRCUIT_OPEN", "details": {"failureRate": "-1.0%",
        "slowCallRate": "-1.0%", "bufferedCalls": 0, "slowCalls": 0, "failedCalls": 0,
        "notPermittedCalls": 7, "state": "OPEN"}}
    })");
    CHECK(components["circuitBreakers"]["details"] == expected);

    HealthReport report;
    report.status = HealthStatus::Unhealthy;
    CHECK(actuatorJson(report).dump() == R"({"status":"DOWN","components":{}})");
}

TEST_CASE("A report as application/health+json") {
    const ordered_json json = healthPlusJson(sample());
    CHECK(json["status"] == "warn");
    CHECK(json["releaseId"] == "1.0.0");
    CHECK(json["serviceId"] == "payments-svc");
    CHECK(json["checks"]["database:responseTime"] == ordered_json::parse(R"([
      {"componentType": "component", "status": "pass", "observedValue": 156.0,
       "observedUnit": "ms", "time": "2024-11-11T10:30:00.000Z"}])"));
    CHECK(json["checks"]["mail:responseTime"][0]["output"] == "refused");
    CHECK(json["checks"]["mail:responseTime"][0]["status"] == "fail");
    const ordered_json& states = json["checks"]["circuitBreakers:state"];
    REQUIRE(states.size() == 2);
    CHECK(states[0]["componentId"] == "stripe");
    CHECK(states[0]["status"] == "pass");
    CHECK(states[1]["observedValue"] == "OPEN");
    CHECK(states[1]["status"] == "warn");
    CHECK(healthPlusJson({}).dump() == R"({"status":"pass","checks":{}})");
}

TEST_CASE("Names that are no UTF-8 stay different as keys of a report") {
    HealthReport report = sample();
    report.circuitBreakers[0].name = "\xfe";
    report.circuitBreakers[1].name = "\xff";
    report.checks[0].name = "\xfe";
    report.checks[1].name = "\xff";
    report.checks[2].name = "\\xFF";
    const ordered_json own = ordered_json::parse(jsonText(healthJson(report)));
    CHECK(own["circuitBreakers"]["\\xFE"]["state"] == "CLOSED");
    CHECK(own["circuitBreakers"]["\\xFF"]["state"] == "OPEN");
    CHECK(own["checks"].size() == 3);
    CHECK(own["checks"]["\\x5CxFF"]["message"] == "slow");
    const ordered_json spring = ordered_json::parse(jsonText(actuatorJson(report)));
    CHECK(spring["components"]["circuitBreakers"]["details"].size() == 2);
    const ordered_json plus = ordered_json::parse(jsonText(healthPlusJson(report)));
    CHECK(plus["checks"].contains("\\xFE:responseTime"));
}
