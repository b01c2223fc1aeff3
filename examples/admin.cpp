// SPDX-License-Identifier: MIT
// Endpoints for administrators on an httplib server, and a dashboard for the browser. With the
// argument --serve it serves until it is interrupted; otherwise it asks itself.
//
// needs: httplib
// needs: nlohmann_json
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <fusebox/adapters/httplib_admin.hpp>
#include <fusebox/fusebox.hpp>

namespace {

/// Asks as an administrator does; says whether the answers are right.
bool steer(int port) {
    httplib::Client client{"127.0.0.1", port};
    const char* const reset = "/circuit-breakers/payments-api/reset";
    const auto stranger = client.Post(reset);
    const auto administrator = client.Post(reset, {{"X-Admin-Token", "secret"}}, "", "text/plain");
    const auto health = client.Get("/health");
    const auto dashboard = client.Get("/");
    if (!stranger || !administrator || !health || !dashboard) return false;
    fmt::print("{} {}\n{} {}\n", stranger->status, stranger->body, administrator->status,
               administrator->body);
    return stranger->status == 403 && administrator->status == 200 && health->status == 200 &&
           dashboard->status == 200;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string token = "secret";
    fusebox::createCircuitBreaker("payments-api")->open();
    fusebox::HealthCheckManager health{{.serviceName = "payments-svc",
                                        .version = "1.0.0",
                                        .registry = &fusebox::circuitBreakerRegistry()}};
    // [mount]
    httplib::Server server;
    fusebox::mountAdmin(server, fusebox::circuitBreakerRegistry(),
                        {.authorize =
                             [&](const httplib::Request& request) {
                                 return request.get_header_value("X-Admin-Token") == token;
                             },
                         .health = &health});
    // [/mount]
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread listener{[&] { server.listen_after_bind(); }};
    if (argc > 1 && std::string_view{argv[1]} == "--serve") {
        fmt::print("http://127.0.0.1:{}/ is the dashboard; its token: {}, sent in X-Admin-Token\n",
                   port, token);
        listener.join();
        return 0;
    }
    while (!server.is_running()) std::this_thread::yield();
    const bool right = steer(port);
    server.stop();
    listener.join();
    return right ? 0 : 1;
}
