// SPDX-License-Identifier: MIT
// A health check: whether an HTTP server answers well. With cpp-httplib.
//
// needs: httplib
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <httplib.h>

#include "fusebox/health/health_check.hpp"

namespace fusebox {
namespace detail {

[[nodiscard]] inline HealthCheckResult askServer(const std::string& server, const std::string& path,
                                                 const HealthCheckContext& context) {
    using std::chrono::microseconds;
    httplib::Client client{server};
    if (!client.is_valid())
        return HealthCheckResult::unhealthy(server + ": no such kind of server");
    const auto rest = std::chrono::ceil<microseconds>(context.remaining());
    client.set_connection_timeout(rest);
    client.set_read_timeout(rest);
    client.set_write_timeout(rest);
    int status = 0;
    // The status is all that counts: a body may be long, or never end.
    const auto result = client.Get(
        path,
        [&](const httplib::Response& response) {
            status = response.status;
            return false;
        },
        [](const char*, std::size_t) { return false; });
    const std::string place = server + path;
    if (status == 0) return HealthCheckResult::unhealthy(place + ": " + to_string(result.error()));
    const std::string message = place + " answers " + std::to_string(status);
    if (status >= 200 && status < 400) return HealthCheckResult::healthy(message);
    return HealthCheckResult::unhealthy(message);
}

}  // namespace detail

/// Unhealthy unless `GET path` is answered with a status from 200 to 399; redirections are not
/// followed. Not critical.
/// @param server such as "http://127.0.0.1:8080"; https where httplib was built for it.
[[nodiscard]] inline HealthCheck createHttpHealthCheck(const std::string& name, std::string server,
                                                       std::string path = "/") {
    return createHealthCheck(name, [server = std::move(server),
                                    path = std::move(path)](const HealthCheckContext& context) {
        return detail::askServer(server, path, context);
    });
}

}  // namespace fusebox
