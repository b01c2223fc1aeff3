// SPDX-License-Identifier: MIT
// A program that uses prometheus-cpp already: its breakers beside its other metrics.
//
// needs: prometheus-cpp prometheus-cpp::core
#include <memory>
#include <string>

#include <fmt/format.h>
#include <prometheus/text_serializer.h>
#include <fusebox/adapters/prometheus_cpp.hpp>
#include <fusebox/fusebox.hpp>

int main() {
    fusebox::CircuitBreakerRegistry registry;
    registry.create("payments-api")->open();

    // [collectable]
    const auto collectable = std::make_shared<fusebox::PrometheusCollectable>(registry);
    // In a program with an exposer: exposer.RegisterCollectable(collectable);
    const std::string text = prometheus::TextSerializer{}.Serialize(collectable->Collect());
    // [/collectable]
    fmt::print("{}", text);
    return text.find("fusebox_circuitbreaker_transitions_total") != std::string::npos ? 0 : 1;
}
