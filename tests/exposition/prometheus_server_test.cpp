// SPDX-License-Identifier: MIT
// A real Prometheus scrapes a registry over HTTP, and answers what dashboards for resilience4j ask.
//
// needs: httplib
// needs: nlohmann_json
// needs: program prometheus
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "exposition/prometheus_server.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::MetricsServer;
using fusebox::test::Prometheus;
using fusebox::test::waitUntil;
using nlohmann::json;

namespace {

double numberOf(const json& series) {
    return std::stod(series.at("value").at(1).get<std::string>());
}

/// An expression in which @ stands for the names' beginning and $ for what dashboards filter by.
std::string filled(std::string_view pattern) {
    std::string text;
    for (const char c : pattern) {
        if (c == '@') {
            text += "resilience4j_circuitbreaker_";
        } else if (c == '$') {
            text += R"({application=~"demo", instance=~".+", name=~"payments"})";
        } else {
            text += c;
        }
    }
    return text;
}

/// What the published dashboards ask of a circuit breaker.
const std::vector<std::string> kDashboard{
    R"(sum(@state{state="closed"}))",
    R"(sum(@state{state=~"open|forced_open"}))",
    R"(sum(@state{state="half_open"}))",
    R"(@state{instance=~".+"})",
    "@failure_rate$",
    "@slow_call_rate$",
    "rate(@calls_seconds_count$[1m])",
    "rate(@calls_total$[1m])",
    "@buffered_calls$",
    "@max_buffered_calls$",
    "@calls_seconds_max$",
    "histogram_quantile(0.9, sum(rate(@calls_seconds_bucket$[1m])) by (le))",
    "histogram_quantile(0.50, sum(rate(@calls_seconds_bucket$[1m])) by (le))",
    "increase(@calls_seconds_sum$[1m]) / increase(@calls_seconds_count$[1m])",
    "sum(increase(@calls_seconds_sum$[1m])) / sum(increase(@calls_seconds_count$[1m]))",
};

/// The first query that has no number yet; empty when all have one.
std::string unanswered(const Prometheus& prometheus) {
    for (const std::string& pattern : kDashboard) {
        const json result = prometheus.query(filled(pattern));
        const bool known = std::ranges::any_of(
            result, [](const json& series) { return !std::isnan(numberOf(series)); });
        if (!known) return pattern;
    }
    return {};
}

}  // namespace

TEST_CASE("A real Prometheus scrapes the breakers and answers the dashboards' queries") {
    CircuitBreakerRegistry registry;
    const auto payments = registry.create("payments", FailureRate{.window = lastCalls(50)});
    registry.create("forced")->setMode(ControlMode::ForcedOpen);
    (void)registry.create("na\"me \\ with\n things \xff in it");
    const MetricsServer server{registry};
    const Prometheus prometheus{server.port()};

    // Nine calls of 100 ms that succeed, one of 3 s that fails; over and over.
    std::atomic<bool> stop{false};
    std::thread traffic{[&] {
        for (int i = 0; !stop; ++i) {
            const bool fails = i % 10 == 9;
            (void)payments->tryAcquire().report(fails ? Outcome::Failure : Outcome::Success,
                                                fails ? 3000ms : 100ms);
            std::this_thread::sleep_for(1ms);
        }
    }};
    const bool answered = waitUntil([&] { return unanswered(prometheus).empty(); }, 100ms);
    const std::string missing = unanswered(prometheus);
    const auto one = [&](std::string_view pattern) {
        const json result = prometheus.query(filled(pattern));
        return result.size() == 1 ? numberOf(result.at(0)) : -1000.0;
    };
    CHECK(missing == "");
    CHECK(answered);
    CHECK(one(R"(sum(@state{state="closed"}))") == 2.0);
    CHECK(one(R"(sum(@state{state=~"open|forced_open"}))") == 1.0);
    CHECK(one("@max_buffered_calls$") == 50.0);
    CHECK(one("@failure_rate$") == 10.0);
    // Between the bounds around 100 ms, and around 3 s.
    const double median =
        one("histogram_quantile(0.50, sum(rate(@calls_seconds_bucket$[1m])) by (le))");
    CHECK(median > 0.067);
    CHECK(median < 0.135);
    const double p98 =
        one("histogram_quantile(0.98, sum(rate(@calls_seconds_bucket$[1m])) by (le))");
    CHECK(p98 > 2.1);
    CHECK(p98 < 4.3);
    const double average =
        one(R"(increase(@calls_seconds_sum{name="payments",kind="failed"}[1m]) / )"
            R"(increase(@calls_seconds_count{name="payments",kind="failed"}[1m]))");
    CHECK(std::abs(average - 3.0) < 0.01);
    CHECK(prometheus.ask("/api/v1/label/application/values") == json{"demo"});
    const json names = prometheus.ask("/api/v1/label/name/values");
    CHECK(names.size() == 3);
    CHECK(std::ranges::count(names, json("na\"me \\ with\n things \\xFF in it")) == 1);
    CHECK(one(R"(up{job="demo"})") == 1.0);
    stop = true;
    traffic.join();
}
