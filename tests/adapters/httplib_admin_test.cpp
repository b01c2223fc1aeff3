// SPDX-License-Identifier: MIT
// needs: httplib
// needs: nlohmann_json
#include "fusebox/adapters/httplib_admin.hpp"

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "adapters/http_loopback.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::LoopbackServer;
using fusebox::test::RawConnection;
using nlohmann::json;

namespace {

const AdminHook kEveryone = [](const httplib::Request&) { return true; };

/// A server with endpoints, and breakers.
struct AdminService {
    explicit AdminService(HttplibAdminOptions options = {}, std::size_t threads = 8)
        : loopback(threads) {
        registry.create("payments")->execute([] {});
        mountAdmin(loopback.server(), registry, std::move(options));
        loopback.start();
    }

    struct Answer {
        int status = 0;
        std::string type{};
        std::string body{};
        httplib::Headers headers{};

        [[nodiscard]] json parsed() const { return json::parse(body, nullptr, false); }
        [[nodiscard]] std::string error() const {
            const json parts = parsed();
            return parts.is_object() && parts.contains("error") ? parts["error"].get<std::string>()
                                                                : "no error: " + body;
        }
    };
    [[nodiscard]] static Answer answerOf(const httplib::Result& result) {
        if (!result) return {-1, {}, to_string(result.error()), {}};
        return {result->status, result->get_header_value("Content-Type"), result->body,
                result->headers};
    }
    [[nodiscard]] Answer get(const std::string& path, const httplib::Headers& headers = {}) const {
        return answerOf(loopback.client().Get(path, headers));
    }
    [[nodiscard]] Answer post(const std::string& path, const httplib::Headers& headers = {}) const {
        return answerOf(loopback.client().Post(path, headers, "", "text/plain"));
    }

    CircuitBreakerRegistry registry;
    LoopbackServer loopback;
};

}  // namespace

TEST_CASE("Probes and reports without a manager know the breakers") {
    const AdminService service;
    for (const char* path : {"/livez", "/readyz", "/health", "/health/liveness",
                             "/health/readiness", "/health/circuit-breakers"}) {
        CAPTURE(path);
        const auto answer = service.get(path);
        CHECK(answer.status == 200);
        CHECK(answer.type == "application/json");
        CHECK(answer.headers.find("Cache-Control")->second == "no-store");
        CHECK(answer.headers.find("X-Content-Type-Options")->second == "nosniff");
        CHECK(answer.parsed()["status"] == "healthy");
    }
    service.registry.view("payments")->open();
    const auto health = service.get("/health");
    CHECK(health.status == 200);
    CHECK(health.parsed()["status"] == "degraded");
    CHECK(health.parsed()["circuitBreakers"]["payments"]["state"] == "OPEN");
    CHECK(health.parsed()["circuitBreakers"]["payments"]["totalRequests"] == 1);
    CHECK(service.get("/readyz").status == 200);
    CHECK(service.get("/livez").parsed()["status"] == "healthy");
    const auto breakers = service.get("/health/circuit-breakers");
    CHECK(breakers.status == 200);
    CHECK(breakers.parsed() == json::parse(R"({"status": "degraded", "breakers": [
        {"name": "payments", "state": "OPEN", "mode": "AUTOMATIC", "failures": 0,
         "isOpen": true}]})"));
}

TEST_CASE("A critical check that fails makes readiness and health answer 503, liveness never") {
    HealthCheckManager manager{{.serviceName = "shop", .version = "2.0"}};
    manager.registerCheck(createHealthCheck("cache", [] { return false; }));
    AdminService service{{.health = &manager}};
    CHECK(service.get("/health").status == 200);
    CHECK(service.get("/health").parsed()["status"] == "degraded");
    CHECK(service.get("/readyz").status == 200);
    manager.registerCheck(createHealthCheck(
        "database", [] { return false; }, true));
    for (const char* path : {"/health", "/readyz", "/health/readiness"}) {
        CHECK(service.get(path).status == 503);
        CHECK(service.get(path).parsed()["status"] == "unhealthy");
    }
    CHECK(service.get("/livez").status == 200);
    const json report = service.get("/health").parsed();
    CHECK(report["service"] == "shop");
    CHECK(report["version"] == "2.0");
    CHECK(report["checks"]["database"]["status"] == "unhealthy");

    const auto plus = service.get("/health", {{"Accept", "application/health+json"}});
    CHECK(plus.status == 503);
    CHECK(plus.type == "application/health+json");
    CHECK(plus.parsed()["status"] == "fail");
    const auto actuator =
        service.get("/health", {{"Accept", "application/vnd.spring-boot.actuator.v3+json"}});
    CHECK(actuator.status == 503);
    CHECK(actuator.parsed()["components"]["database"]["status"] == "DOWN");
}

TEST_CASE("Metrics for Prometheus and as JSON") {
    const AdminService service{{.metrics = {.labels = {{"application", "shop"}}}}};
    const auto text = service.get("/metrics");
    CHECK(text.status == 200);
    CHECK(text.type == kPrometheusContentType);
    CHECK_THAT(text.body, ContainsSubstring(R"(resilience4j_circuitbreaker_state{name="payments",)"
                                            R"(state="closed",application="shop"} 1)"));
    for (const char* path : {"/metrics/circuit-breakers", "/circuit-breakers"}) {
        const json all = service.get(path).parsed();
        REQUIRE(all.size() == 1);
        CHECK(all[0]["name"] == "payments");
        CHECK(all[0]["totalSuccesses"] == 1);
    }
}

TEST_CASE("One breaker is found by its name, whatever is in it") {
    AdminService service{{.authorize = kEveryone}};
    struct Named {
        std::string name;
        const char* path;
    };
    const std::vector<Named> names{{"payments", "payments"},
                                   {"with space", "with%20space"},
                                   {"a/b", "a%2Fb"},
                                   {"a/reset", "a%2freset"},
                                   {"100%", "100%25"},
                                   {"%2F", "%252F"},
                                   {"plus+", "plus+"},
                                   {"what?#", "what%3F%23"},
                                   {"<script>\"'&", "%3Cscript%3E%22'%26"},
                                   {"line\nfeed", "line%0Afeed"},
                                   {std::string("nul\0", 4), "nul%00"},
                                   {"..", "%2E%2E"},
                                   {"ümlaut", "%C3%BCmlaut"},
                                   {std::string(256, 'x'), nullptr}};
    for (const auto& [name, encoded] : names) {
        const std::string path = "/circuit-breakers/" + (encoded ? std::string{encoded} : name);
        CAPTURE(path);
        (void)service.registry.getOrCreate(name);
        const auto answer = service.get(path);
        CHECK(answer.status == 200);
        CHECK(answer.parsed()["name"] == name);
        CHECK(service.get(path + "?query=1").status == 200);
        const auto opened = service.post(path + "/open");
        CHECK(opened.status == 200);
        CHECK(opened.parsed()["breaker"] == name);
        CHECK(service.registry.view(name)->isOpen());
    }
    (void)service.registry.getOrCreate("\xff raw");
    const auto answer = service.get("/circuit-breakers/%FF%20raw");
    CHECK(answer.status == 200);
    CHECK(answer.parsed()["name"] == "\xEF\xBF\xBD raw");
}

TEST_CASE("Names that are none are refused, and nothing that was sent comes back") {
    const AdminService service{{.authorize = kEveryone}};
    struct Refused {
        std::string path;
        int status;
        const char* error;
    };
    const std::vector<Refused> all{
        {"/missing", 404, "there is no circuit breaker of that name"},
        {"/%3Cscript%3E", 404, "there is no circuit breaker of that name"},
        {"/", 400, "the name of the circuit breaker is empty"},
        {"/%", 400, "the path is not well encoded"},
        {"/%2", 400, "the path is not well encoded"},
        {"/%zz", 400, "the path is not well encoded"},
        {"/payments%", 400, "the path is not well encoded"},
        {"/" + std::string(257, 'x'), 400, "the name of the circuit breaker is too long"},
        {"/payments/reset/now", 404, "the path has too many parts"},
    };
    for (const auto& [path, status, error] : all) {
        CAPTURE(path);
        const auto answer = service.get("/circuit-breakers" + path);
        CHECK(answer.status == status);
        CHECK(answer.type == "application/json");
        CHECK_THAT(answer.error(), ContainsSubstring(error));
        CHECK(answer.body.find("script") == std::string::npos);
    }
    // The server finds the route once it has decoded the path; the name is read from what was sent.
    CHECK(service.get("/circuit%2Dbreakers/payments").status == 400);
    // The server's own answers.
    CHECK(service.get("/circuit-breakers/" + std::string(8'000, 'x')).status == 404);
    CHECK(service.get("/circuit-breakers/" + std::string(10'000, 'x')).status == 414);
    CHECK(service.registry.size() == 1);
    const auto unknown = service.post("/circuit-breakers/payments/explode");
    CHECK(unknown.status == 404);
    CHECK(unknown.error() == "there is no such action");
    CHECK(service.post("/circuit-breakers/missing/reset").status == 404);
}

TEST_CASE("Without a hook nothing can be changed, and the answer says why") {
    const AdminService service;
    const auto answer = service.post("/circuit-breakers/payments/open");
    CHECK(answer.status == 403);
    CHECK_THAT(answer.error(), ContainsSubstring("no authorization hook"));
    CHECK_FALSE(service.registry.view("payments")->isOpen());
    // Whether there is such a breaker is nobody's business.
    CHECK(service.post("/circuit-breakers/missing/open").status == 403);
}

TEST_CASE("A hook decides, and refuses by throwing") {
    const AdminService service{{.authorize = [](const httplib::Request& request) {
        const std::string word = request.get_header_value("Authorization");
        if (word == "throw") throw std::runtime_error{"no token store"};
        return word == "Bearer secret";
    }}};
    const auto open = [&](const char* word) {
        return service.post("/circuit-breakers/payments/open", {{"Authorization", word}});
    };
    for (const char* word : {"", "throw", "Bearer guess"}) {
        CHECK(open(word).status == 403);
        CHECK(open(word).error() == "not authorized to change circuit breakers");
        CHECK_FALSE(service.registry.view("payments")->isOpen());
    }
    CHECK(open("Bearer secret").status == 200);
    CHECK(service.registry.view("payments")->isOpen());
}

TEST_CASE("Each action does what it says") {
    const AdminService service{{.authorize = kEveryone}};
    const auto view = service.registry.view("payments");
    struct Expected {
        const char* action;
        CircuitState state;
        ControlMode mode;
    };
    const Expected steps[] = {{"open", CircuitState::Open, ControlMode::Automatic},
                              {"shadow", CircuitState::Open, ControlMode::Shadow},
                              {"automatic", CircuitState::Open, ControlMode::Automatic},
                              {"close", CircuitState::Closed, ControlMode::Automatic},
                              {"force-open", CircuitState::Open, ControlMode::ForcedOpen},
                              {"force-closed", CircuitState::Closed, ControlMode::ForcedClosed},
                              {"automatic", CircuitState::Closed, ControlMode::Automatic},
                              {"reset", CircuitState::Closed, ControlMode::Automatic}};
    for (const auto& [action, state, mode] : steps) {
        CAPTURE(action);
        const auto answer = service.post(std::string{"/circuit-breakers/payments/"} + action);
        CHECK(answer.status == 200);
        CHECK(answer.parsed() == json{{"breaker", "payments"},
                                      {"action", action},
                                      {"state", toString(state)},
                                      {"mode", toString(mode)}});
        CHECK(view->state() == state);
        CHECK(view->mode() == mode);
    }
    CHECK(view->stats().totalCalls == 0);
}

TEST_CASE("Who may not read gets probes, with the status alone") {
    const AdminService service{{.authorizeReading = [](const httplib::Request& request) {
        return request.has_header("X-Admin");
    }}};
    for (const char* path : {"/health", "/health/circuit-breakers", "/metrics", "/circuit-breakers",
                             "/metrics/circuit-breakers", "/circuit-breakers/payments",
                             "/circuit-breakers/missing", "/events"}) {
        CAPTURE(path);
        CHECK(service.get(path).status == 403);
        CHECK(service.get(path).error() == "not authorized to read");
    }
    CHECK(service.get("/health", {{"X-Admin", "1"}}).status == 200);
    CHECK(service.get("/readyz").body == R"({"status":"healthy"})");
    CHECK(service.get("/livez").body == R"({"status":"healthy"})");
    CHECK(service.get("/readyz", {{"X-Admin", "1"}}).parsed().contains("circuitBreakers"));
}

TEST_CASE("Wrong methods are refused, and the answer says which are right") {
    const AdminService service{{.authorize = kEveryone}};
    auto client = service.loopback.client();
    for (const char* path : {"/livez", "/health", "/metrics", "/events", "/circuit-breakers",
                             "/circuit-breakers/payments"}) {
        CAPTURE(path);
        for (const auto& answer :
             {service.answerOf(client.Post(path, "{}", "application/json")),
              service.answerOf(client.Put(path, "{}", "application/json")),
              service.answerOf(client.Patch(path, "{}", "application/json")),
              service.answerOf(client.Delete(path)),
              service.answerOf(client.Delete(path, "{}", "application/json"))}) {
            CHECK(answer.status == 405);
            CHECK(answer.headers.find("Allow")->second == "GET, HEAD");
            CHECK_THAT(answer.error(), ContainsSubstring("allowed: GET, HEAD"));
        }
    }
    const std::string reset = "/circuit-breakers/payments/reset";
    for (const auto& answer : {service.get(reset), service.answerOf(client.Delete(reset))}) {
        CHECK(answer.status == 405);
        CHECK(answer.headers.find("Allow")->second == "POST");
    }
    CHECK(service.get("/circuit-breakers/payments/explode").status == 404);
    CHECK(client.Head("/health")->status == 200);
}

TEST_CASE("Answers are whole, whatever range of them is asked for") {
    HealthCheckManager manager{{.serviceName = "shop", .version = "2.0"}};
    manager.registerCheck(createHealthCheck(
        "database", [] { return false; }, true));
    const AdminService service{{.health = &manager}};
    const auto client = [&](const char* range) {
        auto asking = service.loopback.client();
        asking.set_default_headers({{"Range", range}});
        return asking;
    };
    const auto isWhole = [&](const httplib::Result& result, int status) {
        const auto answer = service.answerOf(result);
        CHECK(answer.status == status);
        CHECK(answer.parsed().is_structured());
        CHECK(answer.headers.count("Content-Range") == 0);
    };
    const std::string nobody = "/circuit-breakers/nobody";
    for (const char* range : {"bytes=0-1", "bytes=-3", "bytes=2-3,5-6", "bytes=100000-"}) {
        CAPTURE(range);
        isWhole(client(range).Get("/livez"), 200);
        isWhole(client(range).Get("/readyz"), 503);
        isWhole(client(range).Get("/health"), 503);
        isWhole(client(range).Get("/circuit-breakers"), 200);
        isWhole(client(range).Get(nobody), 404);
        isWhole(client(range).Delete("/health"), 405);
        isWhole(client(range).Put("/health", "{}", "application/json"), 405);
        isWhole(client(range).Post(nobody + "/open", "{}", "application/json"), 403);
        CHECK(client(range).Get("/metrics")->status == 200);
        CHECK(client(range).Get("/metrics")->body.ends_with('\n'));
    }
}

TEST_CASE("A body that nobody wants is read and refused: the connection goes on") {
    const AdminService service{{.authorize = kEveryone}};
    auto client = service.loopback.client();
    client.set_keep_alive(true);
    const auto large =
        client.Post("/circuit-breakers/payments/open", std::string(5'000'000, 'x'), "text/plain");
    REQUIRE(large);
    CHECK(large->status == 413);
    CHECK_FALSE(service.registry.view("payments")->isOpen());
    // Were the body left unread, its rest would be the next request.
    const auto next = client.Post("/circuit-breakers/payments/open", std::string(4096, 'x'),
                                  "application/x-www-form-urlencoded");
    REQUIRE(next);
    CHECK(next->status == 200);
    CHECK(service.registry.view("payments")->isOpen());

    // No length: no body, and no wait for the connection's end.
    RawConnection raw{service.loopback.port()};
    REQUIRE(raw.isConnected());
    CHECK(raw.send("POST /circuit-breakers/payments/reset HTTP/1.1\r\nHost: x\r\n\r\n"));
    CHECK_THAT(raw.receiveUntil("}"), ContainsSubstring("HTTP/1.1 200 OK"));
    CHECK_FALSE(service.registry.view("payments")->isOpen());

    RawConnection chunked{service.loopback.port()};
    CHECK(
        chunked.send("POST /circuit-breakers/payments/open HTTP/1.1\r\nHost: x\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
    CHECK_THAT(chunked.receiveUntil("}"), ContainsSubstring("HTTP/1.1 200 OK"));
    RawConnection broken{service.loopback.port()};
    CHECK(
        broken.send("POST /circuit-breakers/payments/reset HTTP/1.1\r\nHost: x\r\n"
                    "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"));
    broken.receiveUntil("HTTP/1.1 400");
    CHECK(service.registry.view("payments")->isOpen());
}

TEST_CASE("A prefix stands before every path") {
    const AdminService service{{.authorize = kEveryone, .prefix = "/internal/fuse-box_1"}};
    CHECK(service.get("/internal/fuse-box_1/health").status == 200);
    CHECK(service.get("/internal/fuse-box_1/circuit-breakers/payments").status == 200);
    CHECK(service.post("/internal/fuse-box_1/circuit-breakers/payments/open").status == 200);
    CHECK(service.get("/health").status == 404);
    CHECK(service.get("/circuit-breakers/payments").status == 404);
}

TEST_CASE("The dashboard is a page that may do little, and says nothing of breakers") {
    const AdminService service{{.authorizeReading = [](const httplib::Request&) { return false; }}};
    const auto page = service.get("/");
    CHECK(page.status == 200);
    CHECK(page.type == "text/html; charset=utf-8");
    CHECK(page.body.starts_with("<!doctype html>"));
    CHECK(page.body.ends_with("</html>\n"));
    CHECK(page.body.find("payments") == std::string::npos);
    CHECK(page.body.find("http://") == page.body.find("http://www.w3.org/2000/svg"));
    CHECK(page.body.find("https://") == std::string::npos);
    const std::string policy = page.headers.find("Content-Security-Policy")->second;
    CHECK(policy.starts_with("default-src 'none'; connect-src 'self'; "));
    CHECK_THAT(policy, ContainsSubstring("script-src 'sha256-"));
    CHECK_THAT(policy, ContainsSubstring("frame-ancestors 'none'"));
    CHECK(policy.find("unsafe") == std::string::npos);
    CHECK(page.headers.find("X-Frame-Options")->second == "DENY");
    CHECK(page.headers.find("X-Content-Type-Options")->second == "nosniff");
    CHECK(service.post("/").status == 405);
    CHECK(service.get("/events/history").status == 403);
}

TEST_CASE("The dashboard stands below the prefix, or is not there") {
    const AdminService service{{.prefix = "/internal"}};
    CHECK(service.get("/internal/").status == 200);
    const auto moved = service.get("/internal");
    CHECK(moved.status == 308);
    CHECK(moved.headers.find("Location")->second == "/internal/");
    CHECK(service.get("/").status == 404);
    const AdminService without{{.dashboard = false}};
    CHECK(without.get("/").status == 404);
    CHECK(without.get("/events/history").status == 200);
}

TEST_CASE("The history knows how each breaker was") {
    AdminService service;
    const auto history = [&] { return service.get("/events/history").parsed(); };
    const auto told = [](const json& changes) {
        std::vector<std::string> all;
        for (const json& change : changes) {
            const std::string reason =
                change["reason"].is_null() ? "-" : change["reason"].get<std::string>();
            all.push_back(change["state"].get<std::string>() + " " +
                          change["mode"].get<std::string>() + " " + reason);
        }
        return all;
    };
    const auto view = service.registry.view("payments");
    view->open();
    view->setMode(ControlMode::ForcedClosed);
    view->setMode(ControlMode::Automatic);
    view->setMode(ControlMode::ForcedOpen);
    view->reset();
    (void)service.registry.getOrCreate("mail");
    const json all = history();
    CHECK(all["since"].get<std::string>() <= all["time"].get<std::string>());
    REQUIRE(all["circuitBreakers"].size() == 2);
    CHECK(all["circuitBreakers"][0]["name"] == "mail");
    CHECK(told(all["circuitBreakers"][0]["changes"]) ==
          std::vector<std::string>{"CLOSED AUTOMATIC -"});
    CHECK(all["circuitBreakers"][1]["name"] == "payments");
    CHECK(told(all["circuitBreakers"][1]["changes"]) ==
          std::vector<std::string>{"CLOSED AUTOMATIC -", "OPEN AUTOMATIC MANUAL",
                                   "CLOSED FORCED_CLOSED -", "OPEN AUTOMATIC -",
                                   "OPEN FORCED_OPEN -", "OPEN FORCED_OPEN RESET"});
    service.registry.remove("payments");
    CHECK(history()["circuitBreakers"].size() == 1);
}

TEST_CASE("The history of a breaker is an hour long, and has at most 256 entries") {
    using std::chrono::minutes;
    const std::chrono::system_clock::time_point begin{std::chrono::hours{24}};
    detail::PastStates past{begin, CircuitState::Closed, ControlMode::Automatic};
    past.changed(begin + minutes{10}, CircuitState::Open, TransitionReason::Manual);
    past.changed(begin + minutes{20}, CircuitState::Closed, TransitionReason::Manual);
    past.forgetBefore(begin + minutes{75});
    // What it was when the hour began is still known.
    REQUIRE(past.entries().size() == 2);
    CHECK(past.entries()[0].state == CircuitState::Open);
    past.forgetBefore(begin + minutes{200});
    REQUIRE(past.entries().size() == 1);
    CHECK(past.entries()[0].since == begin + minutes{20});
    for (int i = 0; i < 600; ++i) past.changed(begin + minutes{200}, ControlMode::Shadow);
    CHECK(past.entries().size() == 256);
}

TEST_CASE("200 readers at once get their answers") {
    const AdminService service{{}, 16};
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 200; ++t) {
        threads.emplace_back([&, t] {
            const char* const paths[] = {"/health", "/metrics", "/circuit-breakers/payments",
                                         "/readyz"};
            auto client = service.loopback.client();
            client.set_connection_timeout(5min);
            const auto answer = client.Get(paths[t % 4]);
            if (answer && answer->status == 200) ++good;
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(good == 200);
}

TEST_CASE("Options of endpoints that cannot work are refused") {
    const auto complaint = [](HttplibAdminOptions options) {
        httplib::Server server;
        CircuitBreakerRegistry registry;
        CHECK_THROWS_AS(mountAdmin(server, registry, options), ConfigError);
        return validate(options).value_or("");
    };
    for (const char* prefix : {"internal", "/internal/", "/", "/a.*", "/a b", "/(", "/:id"}) {
        CHECK_THAT(complaint({.prefix = prefix}),
                   ContainsSubstring(std::string{"prefix is \""} + prefix + "\"; allowed: empty"));
    }
    CHECK_THAT(complaint({.metrics = {.labels = {{"0", ""}}}}), ContainsSubstring("label"));
    CHECK_THAT(complaint({.maxEventReaders = 0}), ContainsSubstring("maxEventReaders is 0"));
    CHECK_THAT(complaint({.eventQueueLength = 0}), ContainsSubstring("eventQueueLength is 0"));
    CHECK_THAT(complaint({.eventHeartbeat = 0s}), ContainsSubstring("eventHeartbeat is 0 ns"));
    CHECK_THAT(complaint({.snapshotInterval = -1s}), ContainsSubstring("snapshotInterval is -1 s"));
    CHECK_FALSE(validate(HttplibAdminOptions{}));
}
