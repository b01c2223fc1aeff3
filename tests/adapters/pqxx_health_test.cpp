// SPDX-License-Identifier: MIT
// A health check against a real PostgreSQL that is there, hangs, is gone, and comes again.
//
// needs: pqxx
// needs: program postgres
// needs: program initdb
#include "fusebox/adapters/pqxx_health.hpp"

#include <chrono>
#include <string>

#include "adapters/postgres_server.hpp"
#include "fusebox/health/health.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::PostgresServer;
using fusebox::test::waitUntil;

namespace {

HealthCheck checkOf(const std::string& connectionString, std::chrono::nanoseconds timeout) {
    HealthCheck check = createPostgresHealthCheck("orders-db", connectionString, true);
    check.timeout = timeout;
    check.cacheTime = 0ns;
    return check;
}

}  // namespace

TEST_CASE("A real PostgreSQL is healthy, hangs, is gone, and comes again") {
    PostgresServer server;
    HealthCheckManager patient{{.checks = {checkOf(server.connectionString(), 1min)}}};
    const HealthReport before = patient.executeHealthChecks();
    CHECK(before.httpStatus() == 503);
    CHECK_THAT(before.checks[0].message, ContainsSubstring("connection to server on socket"));
    CHECK(before.checks[0].message.back() != '\n');

    server.start();
    CHECK(waitUntil([&] { return patient.executeHealthChecks().httpStatus() == 200; }, 10ms));
    const HealthReport there = patient.executeHealthChecks();
    CHECK(there.status == HealthStatus::Healthy);
    CHECK_THAT(there.checks[0].message, ContainsSubstring("PostgreSQL "));

    HealthCheckManager other{{.checks = {checkOf(server.connectionString("no_such"), 1min)}}};
    const HealthReport missing = other.executeHealthChecks();
    CHECK(missing.status == HealthStatus::Unhealthy);
    CHECK_THAT(missing.checks[0].message, ContainsSubstring("\"no_such\" does not exist"));

    {
        HealthCheckManager hasty{{.checks = {checkOf(server.connectionString(), 100ms)}}};
        server.hang();
        const HealthReport hung = hasty.executeHealthChecks();
        CHECK(hung.httpStatus() == 503);
        CHECK(hung.checks[0].timedOut);
        CHECK(hung.checks[0].responseTime < 20s);
        server.goOn();
    }
    CHECK(waitUntil([&] { return patient.executeHealthChecks().httpStatus() == 200; }, 10ms));

    server.stop();
    CHECK(patient.executeHealthChecks().httpStatus() == 503);
    server.start();
    CHECK(waitUntil([&] { return patient.executeHealthChecks().httpStatus() == 200; }, 10ms));
}
