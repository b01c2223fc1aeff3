// SPDX-License-Identifier: MIT
// Statistics in the text format of Prometheus, version 0.0.4. Needs only the standard library.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/metric_families.hpp"
#include "fusebox/exposition/metric_options.hpp"
#include "fusebox/exposition/metrics.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox {

/// What an HTTP response with such a text says in its header Content-Type.
inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

namespace detail {

/// Writes families, one after the other.
class PrometheusWriter {
public:
    void write(const MetricFamily& family) {
        text_.append("# HELP ").append(family.name).append(" ").append(family.help) += '\n';
        text_.append("# TYPE ").append(family.name).append(" ");
        text_.append(toString(family.type)) += '\n';
        for (const MetricSample& sample : family.samples) {
            if (family.type == MetricType::Histogram) {
                writeHistogram(family.name, sample);
            } else {
                writeLine(family.name, "", sample.labels, {}, number(sample.value));
            }
        }
    }

    [[nodiscard]] std::string take() && { return std::move(text_); }

private:
    void writeHistogram(const std::string& name, const MetricSample& sample) {
        for (const MetricBucket& bucket : sample.buckets) {
            writeLine(name, "_bucket", sample.labels, number(bucket.upperBound),
                      std::to_string(bucket.cumulativeCount));
        }
        writeLine(name, "_sum", sample.labels, {}, number(sample.sum));
        writeLine(name, "_count", sample.labels, {}, std::to_string(sample.count));
    }

    void writeLine(std::string_view name, std::string_view suffix,
                   const std::vector<MetricLabel>& labels, std::string_view bound,
                   std::string_view value) {
        text_.append(name).append(suffix);
        char separator = '{';
        for (const MetricLabel& label : labels) {
            writeLabel(separator, label.name, label.value);
            separator = ',';
        }
        if (!bound.empty()) writeLabel(separator, "le", bound);
        text_.append("} ").append(value) += '\n';
    }

    void writeLabel(char separator, std::string_view name, std::string_view value) {
        text_ += separator;
        text_.append(name).append("=\"");
        for (const char c : value) {
            switch (c) {
                case '\\': text_ += "\\\\"; break;
                case '"': text_ += "\\\""; break;
                case '\n': text_ += "\\n"; break;
                default: text_ += c;
            }
        }
        text_ += '"';
    }

    [[nodiscard]] static std::string number(double value) {
        constexpr double kExact = 9007199254740992.0;  // 2^53
        if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
        // The shortest text would be 1e+06.
        if (std::trunc(value) == value && std::abs(value) < kExact) {
            return std::to_string(static_cast<std::int64_t>(value));
        }
        return toText(value);
    }

    std::string text_;
};

}  // namespace detail

/// The metrics of the breakers: UTF-8, deterministic, with a line feed at its end; empty without
/// breakers.
/// @throws ConfigError if the options cannot work.
[[nodiscard]] inline std::string prometheusText(std::span<const CircuitBreakerStats> all,
                                                const MetricOptions& options = {}) {
    detail::PrometheusWriter writer;
    for (const MetricFamily& family : metricFamilies(all, options)) writer.write(family);
    return std::move(writer).take();
}

/// The same for every breaker of a registry.
[[nodiscard]] inline std::string prometheusText(const CircuitBreakerRegistry& registry,
                                                const MetricOptions& options = {}) {
    return prometheusText(registry.getAllStats(), options);
}

}  // namespace fusebox
