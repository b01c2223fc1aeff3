// SPDX-License-Identifier: MIT
// The text that Prometheus scrapes.
#include "fusebox/exposition/prometheus.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "exposition/metric_lines.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

CircuitBreakerStats named(std::string name) {
    CircuitBreakerStats stats;
    stats.name = std::move(name);
    return stats;
}

std::string textOf(const CircuitBreakerStats& stats, const MetricOptions& options = {}) {
    return prometheusText({&stats, 1}, options);
}

/// The value of one time series, without the prefix resilience4j_circuitbreaker_.
double value(const CircuitBreakerStats& stats, const std::string& series) {
    return metricsOf(textOf(stats)).at("resilience4j_circuitbreaker_" + series);
}
double own(const CircuitBreakerStats& stats, const std::string& series) {
    return metricsOf(textOf(stats)).at("fusebox_circuitbreaker_" + series);
}

}  // namespace

TEST_CASE("Without breakers there is no text") {
    CHECK(prometheusText(CircuitBreakerRegistry{}).empty());
}

TEST_CASE("Every time series has help and type before it, once, and appears once") {
    CircuitBreakerRegistry registry;
    for (const char* name : {"c", "a", "b"}) (void)registry.create(name, FailureRate{});
    const std::string text = prometheusText(registry);
    CHECK(text.ends_with('\n'));
    std::vector<std::string> families;
    std::vector<std::string> series;
    std::string helped;
    for (const std::string& line : linesOf(text)) {
        if (line.starts_with("# HELP ")) {
            helped = line.substr(7, line.find(' ', 7) - 7);
            families.push_back(helped);
        } else if (line.starts_with("# TYPE ")) {
            CHECK(line.starts_with("# TYPE " + helped + " "));
        } else {
            CHECK(line.starts_with(families.back()));
            series.push_back(line.substr(0, line.rfind(' ')));
        }
    }
    for (auto* names : {&families, &series}) {
        std::ranges::sort(*names);
        CHECK(std::ranges::adjacent_find(*names) == names->end());
    }
    CHECK(families.size() > 20);
}

TEST_CASE("The order is that of the names, whatever order the breakers come in") {
    const std::vector<CircuitBreakerStats> forth{named("a"), named("b"), named("c")};
    const std::vector<CircuitBreakerStats> back{named("c"), named("a"), named("b")};
    CHECK(prometheusText(forth) == prometheusText(back));
    const std::string text = prometheusText(back);
    CHECK(text.find("name=\"a\"") < text.find("name=\"b\""));
    CHECK(text.find("name=\"b\"") < text.find("name=\"c\""));
}

TEST_CASE("Of breakers with the same name the first is kept") {
    CircuitBreakerStats second = named("same");
    second.totalRejected = 5;
    const std::vector<CircuitBreakerStats> all{named("same"), second};
    CHECK(prometheusText(all) == textOf(named("same")));
}

TEST_CASE("Label values are escaped, and are UTF-8") {
    const auto shown = [](std::string name) {
        const std::string text = textOf(named(std::move(name)));
        const std::size_t begin = text.find("{name=\"") + 7;
        return text.substr(begin, text.find("\",state=") - begin);
    };
    CHECK(shown("plain") == "plain");
    CHECK(shown("a\"b\\c\nd") == "a\\\"b\\\\c\\nd");
    CHECK(shown("m\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x98\x80") ==
          "m\xc3\xbcnchen \xe2\x82\xac \xf0\x9f\x98\x80");
    CHECK(shown("a\xff\x62") == "a\\\\xFFb");
    // A name of these four characters is another one.
    CHECK(shown("a\\xFF") == "a\\\\x5CxFF");
    CHECK(shown("a\\xfg") == "a\\\\xfg");
    CHECK(shown("cut \xc3") == "cut \\\\xC3");
    CHECK(shown("overlong \xc0\xaf") == "overlong \\\\xC0\\\\xAF");
    CHECK(shown("surrogate \xed\xa0\x80") == "surrogate \\\\xED\\\\xA0\\\\x80");
    CHECK(shown("beyond \xf4\x90\x80\x80") == "beyond \\\\xF4\\\\x90\\\\x80\\\\x80");
    CHECK(shown(std::string(10'000, 'x')) == std::string(10'000, 'x'));
}

TEST_CASE("Exactly one of resilience4j's six states is 1") {
    const auto present = [](CircuitState state, ControlMode mode) {
        CircuitBreakerStats stats = named("x");
        stats.state = state;
        stats.mode = mode;
        std::string found;
        for (const auto& [series, value] : metricsOf(textOf(stats))) {
            constexpr std::string_view kBegin =
                "resilience4j_circuitbreaker_state{name=\"x\",state=\"";
            if (!series.starts_with(kBegin) || value != 1.0) continue;
            found += series.substr(kBegin.size(), series.rfind('"') - kBegin.size());
        }
        return found;
    };
    CHECK(present(CircuitState::Closed, ControlMode::Automatic) == "closed");
    CHECK(present(CircuitState::Open, ControlMode::Automatic) == "open");
    CHECK(present(CircuitState::HalfOpen, ControlMode::Automatic) == "half_open");
    CHECK(present(CircuitState::Open, ControlMode::ForcedOpen) == "forced_open");
    CHECK(present(CircuitState::Closed, ControlMode::ForcedClosed) == "disabled");
    CHECK(present(CircuitState::HalfOpen, ControlMode::Shadow) == "metrics_only");
}

TEST_CASE("In shadow the cycle is to be seen in our own state") {
    CircuitBreakerStats stats = named("x");
    stats.state = CircuitState::Open;
    stats.mode = ControlMode::Shadow;
    CHECK(own(stats, R"(state{name="x",state="open"})") == 1.0);
    CHECK(own(stats, R"(state{name="x",state="closed"})") == 0.0);
    CHECK(own(stats, R"(mode{name="x",mode="shadow"})") == 1.0);
    CHECK(own(stats, R"(mode{name="x",mode="automatic"})") == 0.0);
}

TEST_CASE("Rates are percentages, and -1 below the minimum of calls") {
    CircuitBreakerStats stats = named("x");
    CHECK(value(stats, R"(failure_rate{name="x"})") == -1.0);
    CHECK(value(stats, R"(slow_call_rate{name="x"})") == -1.0);
    stats.failureRate = 0.25;
    stats.slowCallRate = 0.0;
    CHECK(value(stats, R"(failure_rate{name="x"})") == 25.0);
    CHECK(value(stats, R"(slow_call_rate{name="x"})") == 0.0);
}

TEST_CASE("Calls are counted by how they ended, with their latencies") {
    ManualClock clock;
    CircuitBreaker breaker{"x", ConsecutiveFailures{100}, {.requestTimeout = 5s}, clock};
    (void)breaker.stats();
    const auto take = [&](std::chrono::nanoseconds elapsed, Outcome outcome) {
        auto permit = breaker.tryAcquire();
        clock.advance(elapsed);
        (void)permit.report(outcome);
    };
    take(1ms, Outcome::Success);
    take(3s, Outcome::Success);
    take(100ms, Outcome::Failure);
    take(6s, Outcome::Success);  // Late.
    take(250ms, Outcome::Ignored);
    const CircuitBreakerStats stats = breaker.stats();
    CHECK(value(stats, R"(calls_seconds_count{name="x",kind="successful"})") == 2.0);
    CHECK(value(stats, R"(calls_seconds_sum{name="x",kind="successful"})") == 3.001);
    CHECK(value(stats, R"(calls_seconds_max{name="x",kind="successful"})") == 3.0);
    CHECK(value(stats, R"(calls_seconds_count{name="x",kind="failed"})") == 2.0);
    CHECK(value(stats, R"(calls_seconds_sum{name="x",kind="failed"})") == 6.1);
    CHECK(value(stats, R"(calls_seconds_count{name="x",kind="ignored"})") == 1.0);
    CHECK(value(stats, R"(calls_seconds_sum{name="x",kind="ignored"})") == 0.25);
    const auto bucket = [&](const char* bound) {
        return value(stats, R"(calls_seconds_bucket{name="x",kind="successful",le=")" +
                                std::string{bound} + "\"}");
    };
    CHECK(bucket("0.000524287") == 0.0);
    CHECK(bucket("0.001048575") == 1.0);
    CHECK(bucket("2.147483647") == 1.0);
    CHECK(bucket("4.294967295") == 2.0);
    CHECK(bucket("+Inf") == 2.0);
}

TEST_CASE("What ended before anyone asked is in the totals only") {
    ManualClock clock;
    CircuitBreaker breaker{"x", ConsecutiveFailures{100}, {}, clock};
    (void)breaker.tryAcquire().success();
    const CircuitBreakerStats stats = breaker.stats();
    CHECK(value(stats, R"(calls_seconds_count{name="x",kind="successful"})") == 0.0);
    CHECK(own(stats, R"(calls_total{name="x",outcome="success"})") == 1.0);
    (void)breaker.tryAcquire().success();
    CHECK(value(breaker.stats(), R"(calls_seconds_count{name="x",kind="successful"})") == 1.0);
}

TEST_CASE("A breaker that measures nothing counts its calls all the same") {
    CircuitBreakerRegistry registry;
    const auto breaker = registry.create("x", {.measureLatency = false});
    for (int i = 0; i < 5; ++i) (void)breaker->tryAcquire().success();
    const auto metrics = metricsOf(prometheusText(registry));
    const std::string name = "resilience4j_circuitbreaker_calls_seconds";
    CHECK(metrics.at(name + R"(_bucket{name="x",kind="successful",le="68.719476735"})") == 0.0);
    CHECK(metrics.at(name + R"(_bucket{name="x",kind="successful",le="+Inf"})") == 5.0);
    CHECK(metrics.at(name + R"(_count{name="x",kind="successful"})") == 5.0);
    CHECK(metrics.at(name + R"(_sum{name="x",kind="successful"})") == 0.0);
}

TEST_CASE("Rejections have their new and their former name") {
    CircuitBreakerStats stats = named("x");
    stats.totalRejected = 1'000'000;
    CHECK(value(stats, R"(not_permitted_calls_total{name="x",kind="not_permitted"})") == 1e6);
    CHECK(value(stats, R"(calls_total{name="x",kind="not_permitted"})") == 1e6);
    // Whole numbers are written as such.
    CHECK_THAT(textOf(stats), ContainsSubstring("\"not_permitted\"} 1000000\n"));
}

TEST_CASE("The window is there as buffered calls") {
    CircuitBreakerStats stats = named("x");
    stats.windowCalls = 10;
    stats.windowFailures = 3;
    stats.windowSlow = 2;
    CHECK(value(stats, R"(buffered_calls{name="x",kind="successful"})") == 7.0);
    CHECK(value(stats, R"(buffered_calls{name="x",kind="failed"})") == 3.0);
    CHECK(value(stats, R"(slow_calls{name="x",kind="any"})") == 2.0);
    CHECK_THAT(textOf(stats), !ContainsSubstring("max_buffered_calls"));
    stats.windowSize = 100;
    CHECK(value(stats, R"(max_buffered_calls{name="x"})") == 100.0);
}

TEST_CASE("What only this library knows has names of its own") {
    CircuitBreakerStats stats = named("x");
    stats.transitions = {1, 2, 3, 4, 5};
    stats.timeOpen = 1500ms;
    stats.totalStale = 6;
    stats.totalTimeouts = 7;
    stats.totalCancelled = 8;
    stats.totalSlow = 9;
    stats.totalShadowRejected = 10;
    stats.listenerErrors = 11;
    stats.timesReconfigured = 12;
    stats.probesInFlight = 2;
    stats.consecutiveFailures = 13;
    stats.totalSuccesses = 14;
    stats.totalFailures = 15;
    stats.totalIgnored = 16;
    CHECK(own(stats, R"(transitions_total{name="x",from="closed",to="open"})") == 1.0);
    CHECK(own(stats, R"(transitions_total{name="x",from="open",to="half_open"})") == 2.0);
    CHECK(own(stats, R"(transitions_total{name="x",from="half_open",to="open"})") == 3.0);
    CHECK(own(stats, R"(transitions_total{name="x",from="half_open",to="closed"})") == 4.0);
    CHECK(own(stats, R"(transitions_total{name="x",from="open",to="closed"})") == 5.0);
    CHECK(own(stats, R"(open_seconds_total{name="x"})") == 1.5);
    CHECK(own(stats, R"(stale_calls_total{name="x"})") == 6.0);
    CHECK(own(stats, R"(calls_total{name="x",outcome="success"})") == 14.0);
    CHECK(own(stats, R"(calls_total{name="x",outcome="failure"})") == 15.0);
    CHECK(own(stats, R"(calls_total{name="x",outcome="timeout"})") == 7.0);
    CHECK(own(stats, R"(calls_total{name="x",outcome="ignored"})") == 16.0);
    CHECK(own(stats, R"(calls_total{name="x",outcome="cancelled"})") == 8.0);
    CHECK(own(stats, R"(slow_calls_total{name="x"})") == 9.0);
    CHECK(own(stats, R"(shadow_rejected_calls_total{name="x"})") == 10.0);
    CHECK(own(stats, R"(listener_errors_total{name="x"})") == 11.0);
    CHECK(own(stats, R"(reconfigurations_total{name="x"})") == 12.0);
    CHECK(own(stats, R"(probes_in_flight{name="x"})") == 2.0);
    CHECK(own(stats, R"(consecutive_failures{name="x"})") == 13.0);
    CHECK(own(stats, R"(retry_after_seconds{name="x"})") == 0.0);
}

TEST_CASE("What is not known of any breaker is left out") {
    CircuitBreakerStats stats = named("x");
    for (const char* name : {"in_flight", "policy_score", "last_opened_timestamp_seconds",
                             "last_failure_timestamp_seconds"}) {
        CHECK_THAT(textOf(stats),
                   !ContainsSubstring("fusebox_circuitbreaker_" + std::string{name}));
    }
    stats.inFlight = 3;
    stats.policyScore = 0.5;
    stats.lastOpened = std::chrono::system_clock::time_point{1s};
    stats.lastFailureTime = std::chrono::system_clock::time_point{2500ms};
    stats.retryAfter = kForever;
    CHECK(own(stats, R"(in_flight{name="x"})") == 3.0);
    CHECK(own(stats, R"(policy_score{name="x"})") == 0.5);
    CHECK(own(stats, R"(last_opened_timestamp_seconds{name="x"})") == 1.0);
    CHECK(own(stats, R"(last_failure_timestamp_seconds{name="x"})") == 2.5);
    CHECK(own(stats, R"(retry_after_seconds{name="x"})") == kInfinite);
}

TEST_CASE("Labels of the options and tags of the breaker are labels") {
    CircuitBreakerStats stats = named("x");
    stats.tags = {
        {"team", "pay"}, {"9 lives", "cat"}, {"kind", "k"}, {"__x", "y"}, {"region", "eu"}};
    const MetricOptions options{.labels = {{"region", "all"}}};
    CHECK_THAT(textOf(stats, options),
               ContainsSubstring("failure_rate{name=\"x\",region=\"all\",tag_9_lives=\"cat\","
                                 "tag___x=\"y\",tag_kind=\"k\",team=\"pay\"} -1\n"));
    CHECK_THAT(textOf(stats, {.tagsAsLabels = false}),
               ContainsSubstring("failure_rate{name=\"x\"} -1\n"));
}

TEST_CASE("Of tags that become the same label the first is kept") {
    CircuitBreakerStats stats = named("x");
    stats.tags = {{"a.b", "first"}, {"a_b", "second"}};
    CHECK_THAT(textOf(stats), ContainsSubstring("failure_rate{name=\"x\",a_b=\"first\"} -1\n"));
}

TEST_CASE("Other prefixes can be chosen") {
    const std::string text =
        textOf(named("x"), {.prefix = "my_breaker_", .ownPrefix = "my_breaker_own_"});
    CHECK_THAT(text, ContainsSubstring("my_breaker_calls_seconds_count{"));
    CHECK_THAT(text, ContainsSubstring("my_breaker_own_transitions_total{"));
    CHECK_THAT(text, !ContainsSubstring("resilience4j"));
}

TEST_CASE("Options that cannot work are refused, with field, value and what is allowed") {
    const auto complaint = [](const MetricOptions& options) {
        CHECK_THROWS_AS(prometheusText(CircuitBreakerRegistry{}, options), ConfigError);
        return validate(options).value_or("");
    };
    CHECK_THAT(complaint({.prefix = ""}), ContainsSubstring("prefix is \"\"; allowed: letters"));
    CHECK_THAT(complaint({.prefix = "a-b_"}), ContainsSubstring("prefix is \"a-b_\""));
    CHECK_THAT(complaint({.ownPrefix = "1a_"}), ContainsSubstring("ownPrefix is \"1a_\""));
    CHECK_THAT(complaint({.prefix = "x_", .ownPrefix = "x_"}), ContainsSubstring("than prefix"));
    CHECK_THAT(complaint({.labels = {{"a b", "c"}}}), ContainsSubstring("labels is \"a b\""));
    CHECK_THAT(complaint({.labels = {{"kind", "c"}}}), ContainsSubstring("labels is \"kind\""));
    CHECK_FALSE(validate(MetricOptions{.labels = {{"application", "shop"}}}));
}
