// SPDX-License-Identifier: MIT
// Snapshots for statsd, the Datadog agent, Telegraf and their kin, over UDP.

#include <cstdint>

#include <fmt/format.h>
#include <fusebox/exposition/metrics_publisher.hpp>
#include <fusebox/exposition/statsd_sink.hpp>
#include <fusebox/fusebox.hpp>

int main() {
    fusebox::CircuitBreakerRegistry registry;
    registry.create("payments-api", {.tags = {{"team", "sales"}}});

    // [statsd]
    fusebox::MetricsPublisher publisher{
        registry,
        fusebox::StatsdSink{{.host = "127.0.0.1", .port = 8125, .prefix = "shop", .tags = true}}};
    publisher.start();
    // [/statsd]
    publisher.publish();
    publisher.stop();
    // Whether someone listens there does not matter to the program.
    const std::uint64_t notSent = publisher.sink().errors();
    fmt::print("published {} times, {} datagrams were not sent\n", publisher.published(), notSent);
    return publisher.published() == 1 && publisher.errors() == 0 ? 0 : 1;
}
