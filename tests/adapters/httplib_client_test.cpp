// SPDX-License-Identifier: MIT
// Requests under a breaker, checks that ask a server, and handlers that answer for a breaker.
//
// needs: httplib
#include "fusebox/adapters/httplib_client.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "adapters/http_loopback.hpp"
#include "fusebox/adapters/httplib_health.hpp"
#include "fusebox/adapters/httplib_unavailable.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/health/health_check_manager.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::LoopbackServer;

namespace {

/// Answers /status/{n} with that status, and counts.
struct Upstream {
    Upstream() {
        const auto answer = [this](const httplib::Request& request, httplib::Response& response) {
            ++requests;
            response.status = std::stoi(request.matches[1]);
            response.set_content("hello", "text/plain");
        };
        auto& server = loopback.server();
        server.Get(R"(/status/(\d{3}))", answer);
        server.Post(R"(/status/(\d{3}))", answer);
        server.Put(R"(/status/(\d{3}))", answer);
        server.Patch(R"(/status/(\d{3}))", answer);
        server.Delete(R"(/status/(\d{3}))", answer);
        server.Options(R"(/status/(\d{3}))", answer);
        loopback.start();
    }
    LoopbackServer loopback;
    std::atomic<int> requests{0};
};

HealthStatus ask(const std::string& server, const std::string& path, std::string& message) {
    HealthCheck check = createHttpHealthCheck("upstream", server, path);
    check.timeout = 10min;
    HealthCheckManager manager{{.checks = {check}}};
    const CheckReport report = manager.executeHealthChecks().checks.at(0);
    message = report.message;
    return report.status;
}

}  // namespace

TEST_CASE("Requests are judged by their answers, and not sent while the breaker is open") {
    Upstream upstream;
    auto client = upstream.loopback.client();
    CircuitBreaker breaker{"upstream", ConsecutiveFailures{2}};
    auto service = guarded(breaker, client);
    for (const auto& result :
         {service.Get("/status/200"), service.Head("/status/404"), service.Options("/status/204"),
          service.Post("/status/201", "{}", "application/json"),
          service.Put("/status/400", "{}", "application/json"),
          service.Patch("/status/429", "{}", "application/json"), service.Delete("/status/302")}) {
        REQUIRE(result);
        CHECK_FALSE(service.rejection());
    }
    CHECK(breaker.stats().totalSuccesses == 7);
    CHECK(service.Get("/status/500")->body == "hello");
    CHECK(service.Get("/status/503")->status == 503);
    CHECK(breaker.isOpen());
    CHECK(upstream.requests == 9);

    const auto rejected = guarded(breaker, client).Get("/status/200");
    CHECK_FALSE(rejected);
    CHECK(rejected.error() == httplib::Error::Connection);
    CHECK_FALSE(service.Get("/status/200"));
    REQUIRE(service.rejection());
    CHECK(service.rejection()->breaker == "upstream");
    CHECK(service.rejection()->reason == RejectionReason::Open);
    CHECK(service.rejection()->retryAfter > 0s);
    CHECK(upstream.requests == 9);
    breaker.close();
    CHECK(service.Get("/status/200"));
    CHECK_FALSE(service.rejection());
}

TEST_CASE("A server that is not there is a failure, a request that was called off is none") {
    int port = 0;
    {
        Upstream upstream;
        port = upstream.loopback.port();
        auto client = upstream.loopback.client();
        CircuitBreaker breaker{"upstream"};
        const auto canceled =
            guarded(breaker, client).Get("/status/200", [](const char*, std::size_t) {
                return false;
            });
        CHECK(canceled.error() == httplib::Error::Canceled);
        CHECK(breaker.stats().totalIgnored == 1);
    }
    httplib::Client client{"127.0.0.1", port};
    const auto handle = std::make_shared<CircuitBreaker<>>("upstream");
    CHECK_FALSE(guarded(handle, client).Get("/status/200"));
    CHECK(handle->stats().totalFailures == 1);
}

TEST_CASE("A result can be had from execute as well") {
    Upstream upstream;
    auto client = upstream.loopback.client();
    CircuitBreaker breaker{"upstream", ConsecutiveFailures{1}};
    CHECK(breaker.execute([&] { return client.Get("/status/502"); })->status == 502);
    CHECK(breaker.isOpen());
    const auto rejected = breaker.execute([&] { return client.Get("/status/200"); });
    CHECK(rejected.error() == httplib::Error::Connection);
}

TEST_CASE("A handler answers 503 with Retry-After when a breaker rejects") {
    CircuitBreaker open{"inside", ConsecutiveFailures{1}, {.recoveryTimeout = 90min}};
    open.open();
    LoopbackServer loopback;
    const auto call = [&](const httplib::Request&, httplib::Response& response) {
        open.execute([] {});
        response.set_content("done", "text/plain");
    };
    loopback.server().Get("/call", answeringUnavailable(call));
    loopback.start();
    const auto answer = loopback.client().Get("/call");
    REQUIRE(answer);
    CHECK(answer->status == 503);
    CHECK(std::stoi(answer->get_header_value("Retry-After")) > 3600);
    CHECK(std::stoi(answer->get_header_value("Retry-After")) <= 5400);
    CHECK_THAT(answer->body,
               ContainsSubstring(R"({"error":"service temporarily unavailable","retryAfter":5)"));
    CHECK(answer->body.find("inside") == std::string::npos);
    open.setMode(ControlMode::ForcedOpen);
    const auto forced = loopback.client().Get("/call");
    CHECK(forced->status == 503);
    CHECK_FALSE(forced->has_header("Retry-After"));
    CHECK(forced->body == R"({"error":"service temporarily unavailable"})");
    const auto piece = loopback.client().Get("/call", {{"Range", "bytes=0-1"}});
    CHECK(piece->status == 503);
    CHECK(piece->body == forced->body);
    open.setMode(ControlMode::Automatic);
    open.close();
    CHECK(loopback.client().Get("/call")->body == "done");
}

TEST_CASE("Retry-After is in whole seconds, rounded up, and at least one") {
    const auto retryAfter = [](std::chrono::nanoseconds wait) {
        httplib::Response response;
        answerUnavailable(response, {"x", CircuitState::Open, RejectionReason::Open, wait});
        return response.get_header_value("Retry-After");
    };
    CHECK(retryAfter(0ns) == "1");
    CHECK(retryAfter(1ns) == "1");
    CHECK(retryAfter(1s) == "1");
    CHECK(retryAfter(1s + 1ns) == "2");
    CHECK(retryAfter(kForever - 1ns) == "9223372037");
    CHECK(retryAfter(kForever).empty());
}

TEST_CASE("What else a handler throws leaves") {
    const auto handler = [](const httplib::Request&, httplib::Response&) {
        throw std::runtime_error{"other"};
    };
    auto guardedHandler = answeringUnavailable(handler);
    httplib::Response response;
    CHECK_THROWS_AS(guardedHandler(httplib::Request{}, response), std::runtime_error);
}

TEST_CASE("A check asks an HTTP server, and looks at the status alone") {
    Upstream upstream;
    const std::string server = "http://127.0.0.1:" + std::to_string(upstream.loopback.port());
    std::string message;
    CHECK(ask(server, "/status/200", message) == HealthStatus::Healthy);
    CHECK(message == server + "/status/200 answers 200");
    CHECK(ask(server, "/status/302", message) == HealthStatus::Healthy);
    CHECK(ask(server, "/status/404", message) == HealthStatus::Unhealthy);
    CHECK(ask(server, "/status/500", message) == HealthStatus::Unhealthy);
    CHECK(message == server + "/status/500 answers 500");
    upstream.loopback.stop();
    CHECK(ask(server, "/status/200", message) == HealthStatus::Unhealthy);
    CHECK_THAT(message, ContainsSubstring(server + "/status/200: "));
    CHECK(ask("gopher://127.0.0.1", "/", message) == HealthStatus::Unhealthy);
}
