// SPDX-License-Identifier: MIT
// httplib on both sides: requests under a breaker, and a handler that answers 503 when it rejects.
//
// needs: httplib
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <fusebox/adapters/httplib_client.hpp>
#include <fusebox/adapters/httplib_unavailable.hpp>
#include <fusebox/fusebox.hpp>

int main() {
    const auto breaker =
        fusebox::createCircuitBreaker("listings-api", fusebox::ConsecutiveFailures{3});
    httplib::Server server;
    server.Get("/broken",
               [](const httplib::Request&, httplib::Response& response) { response.status = 500; });
    // [server]
    server.Get("/external-data", fusebox::answeringUnavailable([&](const httplib::Request&,
                                                                   httplib::Response& response) {
                   response.set_content(breaker->execute([] { return "listings"; }), "text/plain");
               }));
    // [/server]
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread listener{[&] { server.listen_after_bind(); }};
    while (!server.is_running()) std::this_thread::yield();

    // [client]
    httplib::Client client{"127.0.0.1", port};
    auto listings = fusebox::guarded(breaker, client);
    for (int i = 0; i < 4; ++i) {
        const auto result = listings.Get("/broken");
        if (result) {
            fmt::print("answered {}\n", result->status);
        } else if (listings.rejection()) {
            fmt::print("not sent: {}\n", toString(*listings.rejection()));
        }
    }
    // [/client]
    const auto answer = httplib::Client{"127.0.0.1", port}.Get("/external-data");
    const bool right =
        breaker->isOpen() && answer && answer->status == 503 && answer->has_header("Retry-After");
    server.stop();
    listener.join();
    return right ? 0 : 1;
}
