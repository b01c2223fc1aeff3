// SPDX-License-Identifier: MIT
// What changes all the time about breakers, small enough to be sent every other second.
//
// needs: nlohmann_json
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/json_stats.hpp"
#include "fusebox/vocabulary/iso_time.hpp"

namespace fusebox::detail {

/// Some of a breaker's statistics, as `to_json` names them; and what it takes to know how long the
/// calls of a while took: how many were measured, and how long all of them took together.
[[nodiscard]] inline nlohmann::ordered_json jsonFigures(const CircuitBreakerStats& stats) {
    using Json = nlohmann::ordered_json;
    const LatencyDistribution& good = stats.latencies.successes;
    const LatencyDistribution& bad = stats.latencies.failures;
    Json json = Json::object();
    json["name"] = stats.name;
    json["state"] = stats.state;
    json["mode"] = stats.mode;
    json["failureRate"] = jsonOptional<Json>(stats.failureRate);
    json["slowCallRate"] = jsonOptional<Json>(stats.slowCallRate);
    json["windowCalls"] = stats.windowCalls;
    json["windowFailures"] = stats.windowFailures;
    json["consecutiveFailures"] = stats.consecutiveFailures;
    json["policyScore"] = jsonOptional<Json>(stats.policyScore);
    json["totalCalls"] = stats.totalCalls;
    json["totalFailures"] = stats.totalFailures;
    json["totalTimeouts"] = stats.totalTimeouts;
    json["totalSlow"] = stats.totalSlow;
    json["totalRejected"] = stats.totalRejected;
    json["totalShadowRejected"] = stats.totalShadowRejected;
    json["timeOpenMs"] = jsonMilliseconds<Json>(stats.timeOpen);
    json["inFlight"] = jsonOptional<Json>(stats.inFlight);
    json["latencyMs"] = stats.latency;
    json["measuredCalls"] = good.calls + bad.calls;
    json["measuredMs"] = jsonMilliseconds<Json>(good.sum + bad.sum);
    json["retryAfterMs"] = jsonMilliseconds<Json>(stats.retryAfter);
    json["lastError"] = stats.lastError;
    return json;
}

/// Tells one reader, again and again. Not for several threads.
class BreakerFigures {
public:
    /// The reader has all of these.
    void told(const std::vector<CircuitBreakerStats>& all) {
        std::map<std::string, Told> present;
        for (const CircuitBreakerStats& stats : all) present.emplace(stats.name, Told{stats});
        told_.swap(present);
    }

    /// `{"time", "figures": [...], "changed": [...]}`: the figures of all, and the whole statistics
    /// of those of whose figures the reader could not make sense: that are new, have opened, or
    /// have another configuration.
    [[nodiscard]] nlohmann::ordered_json tell(const std::vector<CircuitBreakerStats>& all) {
        auto json = nlohmann::ordered_json::object();
        json["time"] = isoTime(std::chrono::system_clock::now());
        json["figures"] = nlohmann::ordered_json::array();
        json["changed"] = nlohmann::ordered_json::array();
        for (const CircuitBreakerStats& stats : all) {
            json["figures"].push_back(jsonFigures(stats));
            const auto known = told_.find(stats.name);
            const bool same = known != told_.end() && known->second == Told{stats};
            if (!same) json["changed"].push_back(stats);
        }
        told(all);
        return json;
    }

private:
    struct Told {
        explicit Told(const CircuitBreakerStats& stats)
            : timesOpened(stats.timesOpened),
              timesReconfigured(stats.timesReconfigured),
              lastOpened(stats.lastOpened),
              policy(stats.policy),
              options(stats.options) {}
        friend bool operator==(const Told&, const Told&) = default;

        std::uint64_t timesOpened;
        std::uint64_t timesReconfigured;
        std::optional<std::chrono::system_clock::time_point> lastOpened;
        std::string policy;
        std::string options;
    };

    std::map<std::string, Told> told_;
};

}  // namespace fusebox::detail
