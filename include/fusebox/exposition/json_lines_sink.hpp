// SPDX-License-Identifier: MIT
// A MetricsSink that writes a line of JSON for each breaker.
//
// needs: nlohmann_json
#pragma once

#include <ostream>
#include <string>

#include <nlohmann/json.hpp>

#include "fusebox/exposition/json_stats.hpp"
#include "fusebox/exposition/metrics_sink.hpp"
#include "fusebox/exposition/stream_writer.hpp"
#include "fusebox/vocabulary/iso_time.hpp"

namespace fusebox {

/// Writes `{"time":...,"name":...}`, the statistics of one breaker a line, to a stream that must
/// outlive it, and flushes.
class JsonLinesSink {
public:
    explicit JsonLinesSink(std::ostream& stream) noexcept : stream_(&stream) {}

    /// @throws std::runtime_error if the stream does not take it. A stream that failed is tried
    /// again the next time.
    void publish(const MetricsSnapshot& snapshot) {
        std::string lines;
        for (const CircuitBreakerStats& stats : snapshot.breakers) {
            nlohmann::ordered_json line = nlohmann::ordered_json::object();
            line["time"] = isoTime(snapshot.time);
            line.update(nlohmann::ordered_json(stats));
            lines += jsonText(line);
            lines += '\n';
        }
        detail::writeTo(*stream_, lines);
    }

private:
    std::ostream* stream_;
};

}  // namespace fusebox
