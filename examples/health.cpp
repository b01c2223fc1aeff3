// SPDX-License-Identifier: MIT
// Health checks: ready-made ones and one of a service's own, and the report as JSON.
//
// needs: nlohmann_json
#include <chrono>
#include <cstdlib>
#include <stdexcept>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/health/health.hpp>
#include <fusebox/health/health_json.hpp>

using namespace std::chrono_literals;

namespace {

struct Database {
    bool reachable = true;
    void query(const char*) const {
        if (!reachable) throw std::runtime_error{"connection refused"};
    }
};

}  // namespace

int main() {
    ::setenv("TABLE_NAME", "orders", 1);
    Database database;
    auto& registry = fusebox::circuitBreakerRegistry();
    registry.create("stripe")->open();

    // [manager]
    fusebox::HealthCheckManager health{{.serviceName = "payments-svc",
                                        .version = "1.0.0",
                                        .checks = {fusebox::createEnvVarHealthCheck({"TABLE_NAME"}),
                                                   fusebox::createMemoryHealthCheck(99.9),
                                                   fusebox::createDiskSpaceHealthCheck("/", 99.9)},
                                        .registry = &registry}};
    // [/manager]
    // [own]
    health.registerCheck({.name = "database-connection",
                          .check = [&] { database.query("SELECT 1"); },  // Fails by throwing.
                          .critical = true,  // Without it the service is of no use.
                          .timeout = 2s,
                          .cacheTime = 5s});
    // [/own]
    // [report]
    const fusebox::HealthReport report = health.executeHealthChecks();
    fmt::print("{}\n{}\n", report.httpStatus(), fusebox::healthJson(report).dump(2));
    // [/report]
    // The breaker degrades, and nothing critical failed.
    return report.httpStatus() == 200 && report.status != fusebox::HealthStatus::Healthy ? 0 : 1;
}
