// SPDX-License-Identifier: MIT
// Snapshots as statsd gets them.
#include "fusebox/exposition/statsd_sink.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "exposition/metric_lines.hpp"
#include "fusebox/exposition/metrics_publisher.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;
using Catch::Matchers::ContainsSubstring;

namespace {

static_assert(MetricsSink<StatsdSink>);

/// A statsd that only listens, on a port of its own.
class Server {
public:
    Server() : socket_(::socket(AF_INET, SOCK_DGRAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        if (socket_ < 0 || ::bind(socket_, any, size) != 0 ||
            ::getsockname(socket_, any, &size) != 0) {
            throw std::runtime_error{"no port"};
        }
        port_ = ntohs(address.sin_port);
        const timeval patience{30, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() { ::close(socket_); }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] StatsdOptions options() const { return {.host = "127.0.0.1", .port = port_}; }

    /// The next datagram; empty if none comes.
    [[nodiscard]] std::string receive() const {
        std::array<char, 65536> bytes{};
        const auto size = ::recv(socket_, bytes.data(), bytes.size(), 0);
        return size < 0 ? std::string{} : std::string(bytes.data(), static_cast<std::size_t>(size));
    }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

CircuitBreakerStats bank() {
    CircuitBreakerStats stats;
    stats.name = "bank";
    stats.state = CircuitState::Open;
    stats.totalCalls = 10;
    stats.totalSuccesses = 6;
    stats.totalFailures = 3;
    stats.totalTimeouts = 1;
    stats.totalRejected = 5;
    stats.timesOpened = 1;
    return stats;
}

bool contains(const std::vector<std::string>& lines, const std::string& line) {
    return std::ranges::count(lines, line) == 1;
}

}  // namespace

TEST_CASE("Counts and gauges arrive, the name in the metric") {
    const Server server;
    StatsdSink sink{server.options()};
    CircuitBreakerStats stats = bank();
    stats.failureRate = 0.4;
    stats.averageResponseTime = 1500us;
    stats.latency.p99 = 20ms;
    sink.publish({{}, {stats}});
    const auto lines = linesOf(server.receive());
    CHECK(contains(lines, "circuitbreaker.bank.calls:10|c"));
    CHECK(contains(lines, "circuitbreaker.bank.successes:6|c"));
    CHECK(contains(lines, "circuitbreaker.bank.failures:3|c"));
    CHECK(contains(lines, "circuitbreaker.bank.timeouts:1|c"));
    CHECK(contains(lines, "circuitbreaker.bank.rejected:5|c"));
    CHECK(contains(lines, "circuitbreaker.bank.opened:1|c"));
    CHECK(contains(lines, "circuitbreaker.bank.state.open:1|g"));
    CHECK(contains(lines, "circuitbreaker.bank.state.half_open:0|g"));
    CHECK(contains(lines, "circuitbreaker.bank.failure_rate:0.4|g"));
    CHECK(contains(lines, "circuitbreaker.bank.latency.average_ms:1.5|g"));
    CHECK(contains(lines, "circuitbreaker.bank.latency.p99_ms:20|g"));
    CHECK(sink.errors() == 0);

    stats.totalCalls = 12;
    stats.totalRejected = 5;
    sink.publish({{}, {stats}});
    const auto later = linesOf(server.receive());
    CHECK(contains(later, "circuitbreaker.bank.calls:2|c"));
    CHECK(contains(later, "circuitbreaker.bank.rejected:0|c"));
}

TEST_CASE("Names can be tags instead") {
    const Server server;
    StatsdOptions options = server.options();
    options.tags = true;
    options.prefix = "shop";
    StatsdSink sink{options};
    CircuitBreakerStats stats = bank();
    stats.tags = {{"team", "pay|ments"}};
    sink.publish({{}, {stats}});
    CHECK(contains(linesOf(server.receive()), "shop.calls:10|c|#name:bank,team:pay_ments"));
}

TEST_CASE("What means something to statsd cannot come from a name") {
    const Server server;
    StatsdSink sink{server.options()};
    CircuitBreakerStats stats;
    stats.name = "a.b:1|c\nevil:9|c #x@0.1";
    sink.publish({{}, {stats}});
    const auto lines = linesOf(server.receive());
    CHECK(contains(lines, "circuitbreaker.a_b_1_c_evil_9_c__x_0_1.calls:0|c"));
    for (const std::string& line : lines) CHECK(line.starts_with("circuitbreaker.a_b_1_c_evil"));
}

TEST_CASE("Datagrams are no larger than was asked for, and lose no line") {
    const Server server;
    StatsdOptions options = server.options();
    options.maxDatagram = 100;
    StatsdSink sink{options};
    std::vector<CircuitBreakerStats> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(bank());
        all.back().name = "breaker" + std::to_string(i);
    }
    sink.publish({{}, all});
    std::size_t lines = 0;
    while (lines < std::size_t{45}) {
        const std::string datagram = server.receive();
        REQUIRE_FALSE(datagram.empty());
        CHECK(datagram.size() <= 100);
        lines += linesOf(datagram).size();
    }
    CHECK(lines == std::size_t{45});
}

TEST_CASE("Where nobody listens, errors are counted and nothing else happens") {
    std::uint16_t port = 0;
    {
        const Server gone;
        port = gone.port();
    }
    CircuitBreakerRegistry registry;
    (void)registry.create("a");
    MetricsPublisher publisher{registry, StatsdSink{{.host = "127.0.0.1", .port = port}}};
    for (int i = 0; i < 20; ++i) CHECK(publisher.publish());
    CHECK(publisher.errors() == 0);
#if defined(__linux__)
    // The system says so when the answer to the datagram before has come.
    CHECK(publisher.sink().errors() >= 1);
#endif
}

TEST_CASE("A sink that was moved still sends") {
    const Server server;
    StatsdSink sink{server.options()};
    StatsdSink other = std::move(sink);
    sink = std::move(other);
    sink.publish({{}, {bank()}});
    CHECK_THAT(server.receive(), ContainsSubstring("calls:10|c"));
}

TEST_CASE("Options for statsd that cannot work are refused") {
    const auto complaint = [](const StatsdOptions& options) {
        CHECK_THROWS_AS(StatsdSink{options}, ConfigError);
        return validate(options).value_or("");
    };
    CHECK_THAT(complaint({.host = ""}), ContainsSubstring("host is \"\"; allowed: a name"));
    CHECK_THAT(complaint({.port = 0}), ContainsSubstring("port is 0; allowed: 1 to 65535"));
    CHECK_THAT(complaint({.maxDatagram = 10}), ContainsSubstring("maxDatagram is 10"));
    CHECK_THAT(complaint({.maxDatagram = 100'000}), ContainsSubstring("allowed: 64 to 65507"));
    try {
        const StatsdSink sink{{.host = "a..b"}};
        FAIL_CHECK("there is no such host");
    } catch (const ConfigError& error) {
        CHECK_THAT(error.what(), ContainsSubstring("host is \"a..b\" ("));
        CHECK_THAT(error.what(), ContainsSubstring("allowed: a name or address"));
    }
}
