// SPDX-License-Identifier: MIT
// A health check: whether a PostgreSQL database answers. With libpqxx 6 or newer.
//
// needs: pqxx
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include <pqxx/pqxx>

#include "fusebox/health/health_check.hpp"

namespace fusebox {
namespace detail {

[[nodiscard]] inline HealthCheckResult askDatabase(const std::string& connectionString,
                                                   const HealthCheckContext& context) {
    using std::chrono::milliseconds;
    pqxx::connection connection{connectionString};
    pqxx::nontransaction work{connection};
    // The server itself ends what nobody waits for any more. 0 would mean "no timeout".
    const auto rest =
        std::max(std::chrono::ceil<milliseconds>(context.remaining()), milliseconds{1});
    work.exec("SET statement_timeout = " + std::to_string(rest.count()));
    if (work.exec("SELECT 1").size() != 1) return HealthCheckResult::unhealthy("no row");
    const int version = connection.server_version() / 10'000;
    return HealthCheckResult::healthy("PostgreSQL " + std::to_string(version));
}

/// Messages of libpq end with line feeds.
[[nodiscard]] inline std::string withoutLineEnd(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    return std::string{text};
}

}  // namespace detail

/// Unhealthy unless the database can be connected to and answers `SELECT 1`; each run makes a
/// connection of its own. The message is PostgreSQL's own: it may name host, port, user and
/// database, and never a password.
/// @param connectionString as libpq takes it. Give it a `connect_timeout`: a server that accepts
/// and stays silent is reported as timed out in any case, but holds the check's thread for so long.
[[nodiscard]] inline HealthCheck createPostgresHealthCheck(std::string_view name,
                                                           std::string connectionString,
                                                           bool critical = false) {
    return createHealthCheck(
        name,
        [text = std::move(connectionString)](const HealthCheckContext& context) {
            try {
                return detail::askDatabase(text, context);
            } catch (const std::exception& error) {
                return HealthCheckResult::unhealthy(detail::withoutLineEnd(error.what()));
            }
        },
        critical);
}

}  // namespace fusebox
