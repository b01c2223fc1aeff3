// SPDX-License-Identifier: MIT
// needs: prometheus-cpp prometheus-cpp::core
#include "fusebox/adapters/prometheus_cpp.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <prometheus/text_serializer.h>

#include "fusebox/exposition/prometheus.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"

using namespace fusebox;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Breakers of several states, whose statistics do not change any more.
void fill(CircuitBreakerRegistry& registry) {
    const auto open = registry.create("a \"quoted\" name\\", FailureRate{},
                                      {.trackInFlight = true, .tags = {{"team", "sales"}}});
    (void)open->stats();
    (void)open->execute([] { return 1; });
    (void)open->tryAcquire().failure();
    (void)open->tryAcquire().ignore();
    open->setMode(ControlMode::ForcedOpen);
    (void)open->tryAcquire();
    (void)registry.create("idle");
}

const prometheus::MetricFamily* find(const std::vector<prometheus::MetricFamily>& families,
                                     const std::string& name) {
    const auto found = std::ranges::find(families, name, &prometheus::MetricFamily::name);
    return found == families.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("A collectable has the same families and values as the text") {
    CircuitBreakerRegistry registry;
    fill(registry);
    const MetricOptions options{.labels = {{"application", "shop"}}};
    const PrometheusCollectable collectable{registry, options};
    const auto collected = collectable.Collect();
    const auto expected = metricFamilies(registry.getAllStats(), options);
    REQUIRE(collected.size() == expected.size());
    for (std::size_t f = 0; f < expected.size(); ++f) {
        CAPTURE(expected[f].name);
        CHECK(collected[f].name == expected[f].name);
        CHECK(collected[f].help == expected[f].help);
        REQUIRE(collected[f].metric.size() == expected[f].samples.size());
        for (std::size_t s = 0; s < expected[f].samples.size(); ++s) {
            const MetricSample& sample = expected[f].samples[s];
            const prometheus::ClientMetric& metric = collected[f].metric[s];
            REQUIRE(metric.label.size() == sample.labels.size());
            for (std::size_t l = 0; l < sample.labels.size(); ++l) {
                CHECK(metric.label[l].name == sample.labels[l].name);
                CHECK(metric.label[l].value == sample.labels[l].value);
            }
            if (expected[f].type == MetricType::Counter)
                CHECK(metric.counter.value == sample.value);
            if (expected[f].type == MetricType::Gauge) CHECK(metric.gauge.value == sample.value);
            if (expected[f].type != MetricType::Histogram) continue;
            CHECK(metric.histogram.sample_count == sample.count);
            CHECK(metric.histogram.sample_sum == sample.sum);
            REQUIRE(metric.histogram.bucket.size() == sample.buckets.size());
            CHECK(metric.histogram.bucket.back().cumulative_count == sample.count);
            CHECK(std::isinf(metric.histogram.bucket.back().upper_bound));
        }
    }
}

TEST_CASE("A collectable reads the breakers anew each time") {
    CircuitBreakerRegistry registry;
    const PrometheusCollectable collectable{registry};
    CHECK(collectable.Collect().empty());
    const auto breaker = registry.create("late");
    const auto rejected = [&] {
        const auto families = collectable.Collect();
        const auto* family =
            find(families, "resilience4j_circuitbreaker_not_permitted_calls_total");
        REQUIRE(family != nullptr);
        return family->metric.at(0).counter.value;
    };
    CHECK(rejected() == 0.0);
    breaker->open();
    for (int i = 0; i < 3; ++i) (void)breaker->tryAcquire();
    CHECK(rejected() == 3.0);
}

TEST_CASE("What prometheus-cpp writes of it names each time series once") {
    CircuitBreakerRegistry registry;
    fill(registry);
    const PrometheusCollectable collectable{registry};
    const std::string text = prometheus::TextSerializer{}.Serialize(collectable.Collect());
    CHECK_THAT(text,
               ContainsSubstring("# TYPE resilience4j_circuitbreaker_calls_seconds histogram"));
    CHECK_THAT(text, ContainsSubstring("name=\"a \\\"quoted\\\" name\\\\\""));
    std::vector<std::string> series;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        if (!line.empty() && line[0] != '#') series.push_back(line.substr(0, line.rfind(' ')));
        at = end + 1;
    }
    std::ranges::sort(series);
    CHECK(series.size() > 100);
    CHECK(std::ranges::adjacent_find(series) == series.end());
}

TEST_CASE("A collectable refuses options that cannot work") {
    const CircuitBreakerRegistry registry;
    const auto make = [&](MetricOptions options) {
        const PrometheusCollectable collectable{registry, std::move(options)};
    };
    CHECK_THROWS_AS(make({.prefix = "no dashes-"}), ConfigError);
}
