// SPDX-License-Identifier: MIT
// Statistics as text for people: a line, a sheet of one breaker, a table of many. Needs only the
// standard library; format_stats.hpp has them for {fmt}.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/breaker/value_forms.hpp"
#include "fusebox/exposition/text_columns.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/iso_time.hpp"
#include "fusebox/vocabulary/tags.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox {
namespace detail {

/// A duration to three digits, which is enough to read.
[[nodiscard]] inline std::string brief(std::chrono::nanoseconds duration) {
    if (duration == kForever) return toText(duration);
    std::int64_t unit = 1;
    while (duration.count() / unit >= 1000) unit *= 10;
    const bool up = duration.count() % unit >= unit - unit / 2;
    return toText(std::chrono::nanoseconds{(duration.count() / unit + (up ? 1 : 0)) * unit});
}

[[nodiscard]] inline std::string stateInWords(const CircuitBreakerStats& stats) {
    std::string text{toString(stats.state)};
    if (stats.mode != ControlMode::Automatic) {
        text.append(" (").append(toString(stats.mode)).append(")");
    }
    return text;
}

/// What a person wants to know of a value that may not be known: itself, or a dash.
template <class T, class Words>
[[nodiscard]] std::string orDash(const std::optional<T>& value, const Words& words) {
    return value ? words(*value) : std::string{"-"};
}

[[nodiscard]] inline std::string rateInWords(const std::optional<double>& rate) {
    return orDash(rate, [](double share) { return toPercent(share); });
}
[[nodiscard]] inline std::string durationInWords(
    const std::optional<std::chrono::nanoseconds>& duration) {
    return orDash(duration, [](std::chrono::nanoseconds known) { return brief(known); });
}
[[nodiscard]] inline std::string timeInWords(
    const std::optional<std::chrono::system_clock::time_point>& time) {
    return orDash(time, [](std::chrono::system_clock::time_point known) { return isoTime(known); });
}

}  // namespace detail

// Names and messages may hold anything: control characters are written as %XX, so that nobody can
// make up lines.

/// The breaker in one line of `key=value`: for logs.
[[nodiscard]] inline std::string statsLine(const CircuitBreakerStats& stats) {
    using detail::brief;
    std::string line = stats.name + " " + detail::stateInWords(stats) + ":";
    const auto add = [&](std::string_view key, const std::string& value) {
        line.append(" ").append(key).append("=").append(value);
    };
    const auto count = [&](std::string_view key, std::uint64_t value) {
        add(key, std::to_string(value));
    };
    // Without spaces in a value, so that a line can be taken apart.
    const auto dense = [](std::string text) {
        std::erase(text, ' ');
        return text;
    };
    count("calls", stats.totalCalls);
    count("successes", stats.totalSuccesses);
    count("failures", stats.totalFailures);
    count("timeouts", stats.totalTimeouts);
    if (stats.totalIgnored > 0) count("ignored", stats.totalIgnored);
    count("rejected", stats.totalRejected);
    if (stats.totalShadowRejected > 0) count("shadowRejected", stats.totalShadowRejected);
    if (stats.inFlight) count("inFlight", *stats.inFlight);
    if (stats.failureRate) add("failureRate", dense(detail::toPercent(*stats.failureRate)));
    if (stats.slowCallRate && stats.windowSlow > 0) {
        add("slowCallRate", dense(detail::toPercent(*stats.slowCallRate)));
    }
    if (stats.averageResponseTime) {
        add("average", dense(brief(*stats.averageResponseTime)));
        add("p99", dense(brief(stats.latency.p99)));
    }
    if (stats.timesOpened > 0) count("timesOpened", stats.timesOpened);
    if (stats.retryAfter) add("retryAfter", dense(brief(*stats.retryAfter)));
    return detail::escaped(line);
}

/// Everything about one breaker, a line each: for people. Ends with a line feed.
[[nodiscard]] inline std::string statsSheet(const CircuitBreakerStats& stats) {
    using detail::brief;
    using detail::durationInWords;
    using detail::timeInWords;
    detail::TextColumns sheet;
    const auto add = [&](std::string_view field, std::string value) {
        sheet.add({std::string{field}, std::move(value)});
    };
    const auto count = [&](std::string_view field, std::uint64_t value) {
        add(field, std::to_string(value));
    };
    add("name", stats.name);
    add("state", detail::stateInWords(stats));
    add("policy", stats.policy);
    add("options", stats.options);
    if (!stats.tags.empty()) add("tags", detail::toText(stats.tags));
    count("totalCalls", stats.totalCalls);
    count("totalSuccesses", stats.totalSuccesses);
    count("totalFailures", stats.totalFailures);
    count("totalTimeouts", stats.totalTimeouts);
    count("totalIgnored", stats.totalIgnored);
    count("totalCancelled", stats.totalCancelled);
    count("totalRejected", stats.totalRejected);
    count("totalShadowRejected", stats.totalShadowRejected);
    count("totalStale", stats.totalStale);
    count("totalSlow", stats.totalSlow);
    count("timesOpened", stats.timesOpened);
    count("timesClosed", stats.timesClosed);
    count("timesReconfigured", stats.timesReconfigured);
    count("listenerErrors", stats.listenerErrors);
    add("timeOpen", brief(stats.timeOpen));
    add("probesInFlight", std::to_string(stats.probesInFlight));
    add("inFlight", detail::orDash(stats.inFlight, [](auto n) { return std::to_string(n); }));
    count("windowCalls", stats.windowCalls);
    count("windowFailures", stats.windowFailures);
    count("windowSlow", stats.windowSlow);
    add("failureRate", detail::rateInWords(stats.failureRate));
    add("slowCallRate", detail::rateInWords(stats.slowCallRate));
    add("windowSize", detail::orDash(stats.windowSize, [](auto n) { return std::to_string(n); }));
    add("policyScore", detail::rateInWords(stats.policyScore));
    count("consecutiveFailures", stats.consecutiveFailures);
    count("consecutiveSuccesses", stats.consecutiveSuccesses);
    add("averageResponseTime", durationInWords(stats.averageResponseTime));
    add("latency", "p50 " + brief(stats.latency.p50) + ", p90 " + brief(stats.latency.p90) +
                       ", p99 " + brief(stats.latency.p99) + ", max " + brief(stats.latency.max));
    add("retryAfter", durationInWords(stats.retryAfter));
    add("lastError", stats.lastError.empty() ? "-" : stats.lastError);
    add("lastFailureTime", timeInWords(stats.lastFailureTime));
    add("lastOpened", timeInWords(stats.lastOpened));
    add("lastClosed", timeInWords(stats.lastClosed));
    add("lastTrip", detail::orDash(stats.lastTrip, [](const auto& trip) { return trip.summary; }));
    return sheet.text();
}

/// Many breakers, a line each below a line of headings, in the order given. Ends with a line feed.
[[nodiscard]] inline std::string statsTable(std::span<const CircuitBreakerStats> all) {
    detail::TextColumns table;
    table.add({"name", "state", "calls", "failures", "timeouts", "rejected", "failure rate", "p50",
               "p99", "opened", "retry after"});
    for (const CircuitBreakerStats& stats : all) {
        table.add({stats.name, detail::stateInWords(stats), std::to_string(stats.totalCalls),
                   std::to_string(stats.totalFailures), std::to_string(stats.totalTimeouts),
                   std::to_string(stats.totalRejected), detail::rateInWords(stats.failureRate),
                   detail::brief(stats.latency.p50), detail::brief(stats.latency.p99),
                   std::to_string(stats.timesOpened), detail::durationInWords(stats.retryAfter)});
    }
    return table.text();
}

}  // namespace fusebox
