// SPDX-License-Identifier: MIT
// A MetricsSink for Amazon CloudWatch: its embedded metric format, on a stream.
//
// needs: nlohmann_json
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/counter_deltas.hpp"
#include "fusebox/exposition/json_values.hpp"
#include "fusebox/exposition/metrics_sink.hpp"
#include "fusebox/exposition/stream_writer.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// Under which names CloudWatch keeps the metrics.
struct EmfOptions {
    std::string metricNamespace = "CircuitBreakers";  ///< 1 to 255 characters.
    /// The dimension whose value is the breaker's name.
    std::string nameDimension = "CircuitBreaker";
    /// More dimensions, such as {"Service", "payments"}; at most 29.
    std::map<std::string, std::string> dimensions{};
};

/// What is wrong with the options: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const EmfOptions& options) {
    constexpr std::size_t kMostDimensions = 29;
    const auto requireText = [](std::string_view field, const std::string& text) -> Complaint {
        if (!text.empty() && text.size() <= 255) return std::nullopt;
        return detail::complain(field, '"' + text + '"', "1 to 255 characters");
    };
    if (auto complaint = requireText("metricNamespace", options.metricNamespace)) return complaint;
    if (auto complaint = requireText("nameDimension", options.nameDimension)) return complaint;
    for (const auto& [name, value] : options.dimensions) {
        if (auto complaint = requireText("dimensions", name)) return complaint;
        if (name == options.nameDimension || name == "_aws") {
            return detail::complain("dimensions", '"' + name + '"',
                                    "another than nameDimension and _aws");
        }
    }
    return detail::requireCount("dimensions", static_cast<std::int64_t>(options.dimensions.size()),
                                0, kMostDimensions);
}

/// Writes a line for each breaker and snapshot: what a Lambda function or a container prints, and
/// the CloudWatch agent takes from a log, becomes metrics without any call. Counts are those since
/// the snapshot before.
///
/// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
class EmfSink {
public:
    using Json = nlohmann::ordered_json;

    /// @param stream must outlive it.
    /// @throws ConfigError if the options cannot work.
    explicit EmfSink(std::ostream& stream, EmfOptions options = {})
        : stream_(&stream), options_(std::move(options)) {
        if (const auto complaint = validate(options_)) {
            detail::raise(ConfigError{"EmfOptions: " + *complaint});
        }
    }

    /// @throws std::runtime_error if the stream does not take it.
    void publish(const MetricsSnapshot& snapshot) {
        std::string lines;
        for (const CircuitBreakerStats& stats : snapshot.breakers) {
            lines += jsonText(lineOf(stats, snapshot.time));
            lines += '\n';
        }
        detail::writeTo(*stream_, lines);
        deltas_.taken(snapshot.breakers);
    }

private:
    [[nodiscard]] Json lineOf(const CircuitBreakerStats& stats,
                              std::chrono::system_clock::time_point time) const {
        Json line = Json::object();
        line["_aws"] = Json::object();
        Json definitions = Json::array();
        const auto add = [&](const char* name, const char* unit, Json value) {
            definitions.push_back(Json{{"Name", name}, {"Unit", unit}});
            line[name] = std::move(value);
        };
        Json dimensions = Json::array({options_.nameDimension});
        line[options_.nameDimension] = stats.name;
        for (const auto& [name, value] : options_.dimensions) {
            dimensions.push_back(name);
            line[name] = value;
        }
        line["State"] = stats.state;
        line["Mode"] = stats.mode;
        const CounterDeltas::Counts counts = deltas_.since(stats);
        add("Calls", "Count", counts.calls);
        add("Failures", "Count", counts.failures);
        add("Timeouts", "Count", counts.timeouts);
        add("Rejected", "Count", counts.rejected);
        add("Opened", "Count", counts.opened);
        add("Open", "Count", stats.state == CircuitState::Open ? 1 : 0);
        if (stats.failureRate) add("FailureRate", "Percent", *stats.failureRate * 100.0);
        if (stats.slowCallRate) add("SlowCallRate", "Percent", *stats.slowCallRate * 100.0);
        if (stats.averageResponseTime) {
            add("AverageResponseTime", "Milliseconds",
                detail::jsonMilliseconds<Json>(*stats.averageResponseTime));
            add("P99", "Milliseconds", detail::jsonMilliseconds<Json>(stats.latency.p99));
        }
        using std::chrono::milliseconds;
        line["_aws"]["Timestamp"] =
            std::chrono::floor<milliseconds>(time.time_since_epoch()).count();
        line["_aws"]["CloudWatchMetrics"] =
            Json::array({Json{{"Namespace", options_.metricNamespace},
                              {"Dimensions", Json::array({std::move(dimensions)})},
                              {"Metrics", std::move(definitions)}}});
        return line;
    }

    std::ostream* stream_;
    EmfOptions options_;
    CounterDeltas deltas_{};
};

}  // namespace fusebox
