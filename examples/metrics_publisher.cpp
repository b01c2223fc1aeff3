// SPDX-License-Identifier: MIT
// Snapshots of all breakers at an interval: as lines of JSON, and to a sink of one's own.
//
// needs: nlohmann_json
#include <atomic>
#include <chrono>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <fusebox/exposition/emf_sink.hpp>
#include <fusebox/exposition/json_lines_sink.hpp>
#include <fusebox/exposition/metrics_publisher.hpp>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

// [own_sink]
/// Counts breakers that are open, for whoever wants to know.
class OpenCircuits {
public:
    explicit OpenCircuits(std::atomic<int>& open) : open_(&open) {}

    void publish(const fusebox::MetricsSnapshot& snapshot) {
        int open = 0;
        for (const auto& stats : snapshot.breakers) {
            if (stats.state == fusebox::CircuitState::Open) ++open;
        }
        *open_ = open;
    }

private:
    std::atomic<int>* open_;
};
// [/own_sink]

int main() {
    auto& registry = fusebox::circuitBreakerRegistry();
    registry.create("orders-db");
    registry.create("payments-api")->open();

    // [publisher]
    fusebox::MetricsPublisher publisher{registry, fusebox::JsonLinesSink{std::cout}};
    publisher.start();  // Every minute, on a thread of its own.
    // [/publisher]
    publisher.stop();
    publisher.publish();  // Now, on this thread.

    std::ostringstream log;
    // [emf]
    fusebox::MetricsPublisher cloudWatch{
        registry,
        fusebox::EmfSink{log,
                         {.metricNamespace = "Shop/CircuitBreakers",
                          .nameDimension = "Breaker",
                          .dimensions = {{"Service", "payments"}}}},
        {.interval = 30s, .jitter = 0.2, .publishOnStop = true}};
    cloudWatch.start();
    cloudWatch.stop();  // At once; the last snapshot is written here.
    // [/emf]
    fmt::print("{}", log.str());

    std::atomic<int> open{0};
    fusebox::MetricsPublisher own{registry, OpenCircuits{open}, {.interval = 1ms}};
    own.start();
    while (own.published() == 0) std::this_thread::sleep_for(1ms);
    own.stop();
    return publisher.published() == 1 && cloudWatch.published() == 1 && open == 1 ? 0 : 1;
}
