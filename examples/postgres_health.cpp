// SPDX-License-Identifier: MIT
// Whether a PostgreSQL database answers, as a health check: `postgres_health <connection string>`.
// Without an argument it asks one that is not there.
//
// needs: pqxx
#include <string>

#include <fmt/format.h>
#include <fusebox/adapters/pqxx_health.hpp>
#include <fusebox/health/health.hpp>

int main(int argc, char** argv) {
    const bool given = argc > 1;
    const std::string database =
        given ? argv[1] : "host=127.0.0.1 port=1 dbname=orders connect_timeout=2";
    fusebox::HealthCheckManager health{{.serviceName = "orders-svc"}};
    // [postgres]
    const bool critical = true;
    health.registerCheck(fusebox::createPostgresHealthCheck("orders-db", database, critical));
    // [/postgres]
    const fusebox::HealthReport report = health.executeHealthChecks();
    const fusebox::CheckReport& orders = report.checks[0];
    fmt::print("{} {}: {}\n", report.httpStatus(), toString(orders.status), orders.message);
    return report.httpStatus() == (given ? 200 : 503) ? 0 : 1;
}
