// SPDX-License-Identifier: MIT
// A MetricsSink for statsd and what speaks its protocol, over UDP, on POSIX systems.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/counter_deltas.hpp"
#include "fusebox/exposition/metrics_sink.hpp"
#include "fusebox/exposition/udp_socket.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// Where statsd listens, and how it is spoken to.
struct StatsdOptions {
    std::string host = "localhost";  ///< Resolved once.
    std::uint16_t port = 8125;       ///< Not 0.
    std::string prefix = "circuitbreaker";
    /// False: the breaker's name stands in the metric's, `prefix.name.metric:1|c`. True: as a tag,
    /// `prefix.metric:1|c|#name:payments,state:open`, which Datadog, Telegraf and others
    /// understand.
    bool tags = false;
    std::size_t maxDatagram =
        1432;  ///< Bytes; more than most networks carry in one piece is split.
};

/// What is wrong with the options: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const StatsdOptions& options) {
    if (options.host.empty()) return detail::complain("host", "\"\"", "a name or an address");
    return detail::firstOf(
        detail::requireCount("port", options.port, 1, 65535),
        detail::requireCount("maxDatagram", static_cast<std::int64_t>(options.maxDatagram), 64,
                             65507));
}

/// Sends counts since the snapshot before (`|c`), gauges (`|g`) and times in milliseconds as
/// gauges. What could not be sent is counted, and lost: statsd is a protocol without answers.
class StatsdSink {
public:
    /// @throws ConfigError if the options cannot work, or the host cannot be resolved.
    explicit StatsdSink(StatsdOptions options = {})
        : options_(checked(std::move(options))), socket_(options_.host, options_.port) {}

    void publish(const MetricsSnapshot& snapshot) {
        for (const CircuitBreakerStats& stats : snapshot.breakers) write(stats);
        flush();
        deltas_.taken(snapshot.breakers);
    }

    /// How many datagrams the system did not take.
    [[nodiscard]] std::uint64_t errors() const noexcept { return errors_; }

private:
    [[nodiscard]] static StatsdOptions checked(StatsdOptions options) {
        if (const auto complaint = validate(options)) {
            detail::raise(ConfigError{"StatsdOptions: " + *complaint});
        }
        return options;
    }

    void write(const CircuitBreakerStats& stats) {
        const CounterDeltas::Counts counts = deltas_.since(stats);
        const auto count = [&](std::string_view metric, std::uint64_t value) {
            line(stats, metric, std::to_string(value), "c");
        };
        const auto gauge = [&](std::string_view metric, double value) {
            line(stats, metric, detail::toText(value), "g");
        };
        count("calls", counts.calls);
        count("successes", counts.successes);
        count("failures", counts.failures);
        count("timeouts", counts.timeouts);
        count("ignored", counts.ignored);
        count("rejected", counts.rejected);
        count("opened", counts.opened);
        gauge("state.open", stats.state == CircuitState::Open ? 1.0 : 0.0);
        gauge("state.half_open", stats.state == CircuitState::HalfOpen ? 1.0 : 0.0);
        if (stats.failureRate) gauge("failure_rate", *stats.failureRate);
        if (stats.slowCallRate) gauge("slow_call_rate", *stats.slowCallRate);
        if (stats.inFlight) gauge("in_flight", static_cast<double>(*stats.inFlight));
        if (!stats.averageResponseTime) return;
        gauge("latency.average_ms", milliseconds(*stats.averageResponseTime));
        gauge("latency.p50_ms", milliseconds(stats.latency.p50));
        gauge("latency.p99_ms", milliseconds(stats.latency.p99));
    }

    void line(const CircuitBreakerStats& stats, std::string_view metric, std::string_view value,
              std::string_view type) {
        std::string text = options_.prefix;
        if (!text.empty()) text += '.';
        if (!options_.tags) text.append(clean(stats.name)).append(".");
        text.append(metric).append(":").append(value).append("|").append(type);
        if (options_.tags) text += tagsOf(stats);
        add(text);
    }

    [[nodiscard]] static std::string tagsOf(const CircuitBreakerStats& stats) {
        std::string text = "|#name:" + clean(stats.name);
        for (const auto& [key, value] : stats.tags) {
            text.append(",").append(clean(key)).append(":").append(clean(value));
        }
        return text;
    }

    /// Without what means something to statsd.
    [[nodiscard]] static std::string clean(std::string_view name) {
        std::string text{name};
        for (char& c : text) {
            const auto byte = static_cast<unsigned char>(c);
            constexpr std::string_view kSpecial = ":|@#,./\\\"'";
            if (byte <= 0x20U || byte == 0x7fU || kSpecial.find(c) != std::string_view::npos)
                c = '_';
        }
        return text;
    }

    [[nodiscard]] static double milliseconds(std::chrono::nanoseconds duration) noexcept {
        return static_cast<double>(duration.count()) / 1e6;
    }

    /// As many lines a datagram as it may hold.
    void add(std::string_view text) {
        if (!pending_.empty() && pending_.size() + 1 + text.size() > options_.maxDatagram) flush();
        if (!pending_.empty()) pending_ += '\n';
        pending_ += text;
    }
    void flush() {
        if (!pending_.empty() && !socket_.send(pending_)) ++errors_;
        pending_.clear();
    }

    StatsdOptions options_;
    detail::UdpSocket socket_;
    CounterDeltas deltas_{};
    std::string pending_{};
    std::uint64_t errors_ = 0;
};

}  // namespace fusebox
