// SPDX-License-Identifier: MIT
// Snapshots as lines of JSON, and in CloudWatch's embedded metric format.
//
// needs: nlohmann_json
#include <chrono>
#include <set>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "exposition/metric_lines.hpp"
#include "fusebox/exposition/counter_deltas.hpp"
#include "fusebox/exposition/emf_sink.hpp"
#include "fusebox/exposition/json_lines_sink.hpp"
#include "fusebox/exposition/metrics_publisher.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;
using Catch::Matchers::ContainsSubstring;
using nlohmann::json;

namespace {

static_assert(MetricsSink<JsonLinesSink>);
static_assert(MetricsSink<EmfSink>);

const std::chrono::system_clock::time_point kJustAfterNoon{
    std::chrono::sys_days{std::chrono::year{2026} / 11 / 21} + 12h + 5ms};

CircuitBreakerStats statsOf(std::string name, std::uint64_t calls, std::uint64_t failures = 0) {
    CircuitBreakerStats stats;
    stats.name = std::move(name);
    stats.totalCalls = calls;
    stats.totalFailures = failures;
    stats.totalSuccesses = calls - failures;
    return stats;
}

/// Every line as JSON.
std::vector<json> jsonLines(const std::string& text) {
    std::vector<json> lines;
    for (const std::string& line : linesOf(text)) lines.push_back(json::parse(line));
    return lines;
}

/// A stream that takes nothing while it is full.
class Disk : public std::streambuf {
public:
    bool full = false;
    std::string text;

protected:
    std::streamsize xsputn(const char* bytes, std::streamsize count) override {
        if (full) return 0;
        text.append(bytes, static_cast<std::size_t>(count));
        return count;
    }
    int_type overflow(int_type) override { return traits_type::eof(); }
};

}  // namespace

TEST_CASE("A line of JSON for each breaker, with the time of the snapshot") {
    std::ostringstream stream;
    JsonLinesSink sink{stream};
    sink.publish({kJustAfterNoon, {statsOf("a\nb", 3, 1), statsOf("c", 0)}});
    const auto lines = jsonLines(stream.str());
    REQUIRE(lines.size() == 2);
    CHECK(lines[0].at("time") == "2026-11-21T12:00:00.005Z");
    CHECK(lines[0].at("name") == "a\nb");
    CHECK(lines[0].at("totalFailures") == 1);
    CHECK(lines[1].at("name") == "c");
    CHECK(stream.str().starts_with(R"({"time":"2026-11-21T12:00:00.005Z","name":"a\nb",)"));
    sink.publish({kJustAfterNoon, {}});
    CHECK(jsonLines(stream.str()).size() == 2);
}

TEST_CASE("A stream that fails is an error of the publisher, and is tried again") {
    CircuitBreakerRegistry registry;
    (void)registry.create("a");
    Disk disk;
    std::ostream stream{&disk};
    MetricsPublisher publisher{registry, JsonLinesSink{stream}};
    CHECK(publisher.publish());
    disk.full = true;
    CHECK_FALSE(publisher.publish());
    CHECK(publisher.errors() == 1);
    disk.full = false;
    CHECK(publisher.publish());
    CHECK(linesOf(disk.text).size() == 2);
}

TEST_CASE("The embedded metric format names every metric it has, and has every one it names") {
    std::ostringstream stream;
    EmfSink sink{stream,
                 {.metricNamespace = "Shop/Breakers",
                  .nameDimension = "Breaker",
                  .dimensions = {{"Service", "payments"}}}};
    CircuitBreakerStats stats = statsOf("bank", 10, 4);
    stats.state = CircuitState::Open;
    stats.totalRejected = 3;
    stats.timesOpened = 1;
    stats.failureRate = 0.4;
    stats.averageResponseTime = 1500us;
    stats.latency.p99 = 2ms;
    sink.publish({kJustAfterNoon, {stats}});
    const auto lines = jsonLines(stream.str());
    REQUIRE(lines.size() == 1);
    const json& line = lines[0];
    const json& aws = line.at("_aws");
    CHECK(aws.at("Timestamp") == 1795262400005);
    REQUIRE(aws.at("CloudWatchMetrics").size() == 1);
    const json& directive = aws.at("CloudWatchMetrics").at(0);
    CHECK(directive.at("Namespace") == "Shop/Breakers");
    CHECK(directive.at("Dimensions") == json::parse(R"([["Breaker","Service"]])"));
    CHECK(line.at("Breaker") == "bank");
    CHECK(line.at("Service") == "payments");
    CHECK(line.at("State") == "OPEN");
    const std::set<std::string> units{"Count", "Percent", "Milliseconds"};
    std::set<std::string> named;
    for (const json& metric : directive.at("Metrics")) {
        CHECK(units.contains(metric.at("Unit")));
        CHECK(named.insert(metric.at("Name")).second);
        CHECK(line.at(metric.at("Name").get<std::string>()).is_number());
    }
    for (const auto& [key, value] : line.items()) {
        CHECK(value.is_number() == named.contains(key));
    }
    CHECK(line.at("Calls") == 10);
    CHECK(line.at("Failures") == 4);
    CHECK(line.at("Rejected") == 3);
    CHECK(line.at("Opened") == 1);
    CHECK(line.at("Open") == 1);
    CHECK(line.at("FailureRate") == 40.0);
    CHECK(line.at("AverageResponseTime") == 1.5);
    CHECK(line.at("P99") == 2.0);
    CHECK_FALSE(line.contains("SlowCallRate"));
}

TEST_CASE("Counts for CloudWatch are those since the last line that was written") {
    Disk disk;
    std::ostream stream{&disk};
    EmfSink sink{stream};
    const auto calls = [&](std::uint64_t total) {
        sink.publish({kJustAfterNoon, {statsOf("a", total)}});
        return jsonLines(disk.text).back().at("Calls").get<int>();
    };
    CHECK(calls(10) == 10);
    CHECK(calls(25) == 15);
    CHECK(calls(25) == 0);
    disk.full = true;
    CHECK_THROWS_AS(calls(30), std::runtime_error);
    disk.full = false;
    CHECK(calls(32) == 7);
    CHECK(calls(4) == 4);  // It was reset.
    sink.publish({kJustAfterNoon, {}});
    CHECK(calls(9) == 9);  // It was away.
}

TEST_CASE("Options for CloudWatch that cannot work are refused") {
    std::ostringstream stream;
    const auto complaint = [&](const EmfOptions& options) {
        CHECK_THROWS_AS((EmfSink{stream, options}), ConfigError);
        return validate(options).value_or("");
    };
    CHECK_THAT(complaint({.metricNamespace = ""}), ContainsSubstring("metricNamespace is \"\""));
    CHECK_THAT(complaint({.nameDimension = std::string(256, 'x')}),
               ContainsSubstring("1 to 255 characters"));
    CHECK_THAT(complaint({.dimensions = {{"CircuitBreaker", "x"}}}),
               ContainsSubstring("dimensions is \"CircuitBreaker\""));
    CHECK_THAT(complaint({.dimensions = {{"", "x"}}}), ContainsSubstring("dimensions is \"\""));
    EmfOptions many;
    for (int i = 0; i < 30; ++i) many.dimensions["d" + std::to_string(i)] = "x";
    CHECK_THAT(complaint(many), ContainsSubstring("dimensions is 30; allowed: 0 to 29"));
}

TEST_CASE("Deltas are taken for each name and each total") {
    CounterDeltas deltas;
    CircuitBreakerStats stats = statsOf("a", 10, 4);
    stats.totalTimeouts = 1;
    stats.totalIgnored = 2;
    stats.totalRejected = 3;
    stats.timesOpened = 4;
    CHECK(deltas.since(stats).opened == 4);
    deltas.taken({stats, statsOf("b", 100)});
    CHECK(deltas.since(stats).calls == 0);
    CHECK(deltas.since(statsOf("b", 101)).calls == 1);
    stats.totalIgnored = 5;
    stats.totalRejected = 2;
    CHECK(deltas.since(stats).ignored == 3);
    CHECK(deltas.since(stats).rejected == 2);
}
