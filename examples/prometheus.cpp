// SPDX-License-Identifier: MIT
// Breakers for Prometheus: GET /metrics, over cpp-httplib. With the argument --serve it serves
// until it is interrupted; otherwise it asks itself once.
//
// needs: httplib
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <fusebox/exposition/prometheus.hpp>
#include <fusebox/fusebox.hpp>

namespace {

void work() {
    for (int i = 0; i < 20; ++i) {
        try {
            fusebox::withCircuitBreaker("payments-api", [&] {
                if (i % 4 == 3) throw std::runtime_error{"declined"};
            });
        } catch (const std::exception&) {
        }
    }
}

/// Asks the server as Prometheus does; says whether the answer tells of the breaker.
bool scrape(int port) {
    httplib::Client client{"127.0.0.1", port};
    const auto response = client.Get("/metrics");
    if (!response || response->status != 200) return false;
    fmt::print("{}", response->body);
    const std::string state =
        R"(resilience4j_circuitbreaker_state{name="payments-api",state="closed",application="shop"} 1)";
    return response->body.find(state) != std::string::npos;
}

}  // namespace

int main(int argc, char** argv) {
    httplib::Server server;
    // [endpoint]
    const fusebox::MetricOptions options{.labels = {{"application", "shop"}}};
    server.Get("/metrics", [&](const httplib::Request&, httplib::Response& response) {
        response.set_content(fusebox::prometheusText(fusebox::circuitBreakerRegistry(), options),
                             fusebox::kPrometheusContentType);
    });
    // [/endpoint]
    work();
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread listener{[&] { server.listen_after_bind(); }};
    const bool serves = argc > 1 && std::string_view{argv[1]} == "--serve";
    if (serves) {
        fmt::print("http://127.0.0.1:{}/metrics\n", port);
        listener.join();
        return 0;
    }
    while (!server.is_running()) std::this_thread::yield();
    const bool told = scrape(port);
    server.stop();
    listener.join();
    return told ? 0 : 1;
}
