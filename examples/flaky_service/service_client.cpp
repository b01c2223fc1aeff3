// SPDX-License-Identifier: MIT

#include "service_client.hpp"

#include <algorithm>
#include <stdexcept>

namespace flaky {

ServiceClient::ServiceClient(int port) : http_{"127.0.0.1", port} {
    http_.set_keep_alive(true);
    http_.set_tcp_nodelay(true);
    const auto answer = http_.Get("/hello");
    if (!answer || answer->status != 200) {
        throw std::runtime_error{"flaky_server did not answer GET /hello"};
    }
}

Response ServiceClient::work(nanoseconds patience) {
    // To httplib, 0 would mean something else than "no time left".
    const nanoseconds timeout = std::max<nanoseconds>(patience, 1ms);
    return ask(timeout, timeout);
}

Response ServiceClient::workUntil(const std::stop_token& stop) {
    const std::stop_callback hangUp{stop, [this] { http_.stop(); }};
    // Too late to begin: a connection that was hung up would be made anew.
    if (stop.stop_requested()) return {};
    // While httplib connects, its stop() waits for that: not for long, because meanwhile the thread
    // that asked to stop can ask nobody else.
    return ask(kCallTimeout, kLongest);
}

Response ServiceClient::ask(nanoseconds toConnect, nanoseconds toAnswer) {
    http_.set_connection_timeout(toConnect);
    http_.set_read_timeout(toAnswer);
    const auto answer = http_.Get("/work");
    return {.status = answer ? answer->status : 0};
}

}  // namespace flaky
