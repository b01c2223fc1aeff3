// SPDX-License-Identifier: MIT
// A whole service: payments and users over HTTP, three dependencies behind breakers, jobs, health,
// metrics, endpoints for administrators, switches that make the dependencies fail or hang, and an
// orderly end on SIGTERM. `examples/service/run` builds and starts it.

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>
#include <sys/socket.h>
#include <fusebox/adapters/httplib_admin.hpp>
#include <fusebox/exposition/format.hpp>
#include <fusebox/exposition/json_lines_sink.hpp>
#include <fusebox/exposition/metrics_publisher.hpp>
#include <fusebox/fusebox.hpp>
#include <fusebox/health/health.hpp>

#include "arguments.hpp"
#include "routes.hpp"
#include "shop.hpp"

namespace shop {
namespace {

constexpr int kEventReaders = 200;  // Each holds a thread while it reads,
constexpr int kOtherRequests = 32;  // and these are left to the others.

// [checks]
fusebox::HealthCheckOptions checksOf(const Shop& shop, const std::atomic<bool>& draining,
                                     const fusebox::CircuitBreakerRegistry& registry) {
    return {
        .serviceName = "payments-svc",
        .version = "1.0.0",
        .checks = {fusebox::createEnvVarHealthCheck({"TABLE_NAME"}),
                   fusebox::createMemoryHealthCheck(99.5),
                   fusebox::createDiskSpaceHealthCheck("/", 99.5),
                   {.name = "database",
                    .check = [&](const auto& c) { shop.database.selectOne(c.deadline()); },
                    .critical = true,
                    .timeout = std::chrono::milliseconds{500},
                    .cacheTime = std::chrono::milliseconds{200}},
                   // Told apart from its breaker, and not critical: the service goes on without.
                   {.name = "external-api",
                    .check = [&](const auto& c) { shop.external.reach(c.deadline()); },
                    .timeout = std::chrono::milliseconds{500},
                    .cacheTime = std::chrono::milliseconds{200}},
                   {.name = "accepting",
                    .check = [&] { return !draining; },
                    .critical = true,
                    .cacheTime = std::chrono::nanoseconds{0}}},
        .registry = &registry};
}
// [/checks]

/// Says whether a request carries the administrators' token; nobody does where there is none.
Authorize administrators() {
    const char* const token = std::getenv("ADMIN_TOKEN");
    if (!token || !*token) return [](const Request&) { return false; };
    return [expected = std::string{"Bearer "} + token](const Request& request) {
        const std::string given = request.get_header_value("Authorization");
        // In a time that does not tell how much of it is right.
        unsigned difference = given.size() == expected.size() ? 0U : 1U;
        for (std::size_t i = 0; i < given.size() && i < expected.size(); ++i) {
            difference |= static_cast<unsigned char>(given[i] ^ expected[i]);
        }
        return difference == 0;
    };
}

/// An httplib::Server that many may ask at once.
class Server : public httplib::Server {
public:
    Server() {
        new_task_queue = [] { return new httplib::ThreadPool(kEventReaders + kOtherRequests); };
        set_payload_max_length(64 * 1024);
        set_keep_alive_timeout(2);
        set_tcp_nodelay(true);
        set_read_timeout(std::chrono::seconds{5});
        // A reader of events that does not read loses its connection after that, and what waits for
        // it in the system is bounded.
        set_write_timeout(std::chrono::seconds{2});
        set_socket_options([this](socket_t socket) {
            httplib::default_socket_options(socket);
            const int size = 64 * 1024;
            ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
            listening_ = socket;
        });
    }

    [[nodiscard]] int bind(int port) {
        const char* const host = "127.0.0.1";
        const int bound = port == 0 ? bind_to_any_port(host) : bind_to_port(host, port) ? port : -1;
        if (bound <= 0) throw std::runtime_error{fmt::format("cannot bind {}:{}", host, port)};
        // httplib lets 5 connections wait to be accepted; the others would try again after a
        // second.
        ::listen(listening_, 1024);
        return bound;
    }

private:
    socket_t listening_ = -1;
};

/// Blocks the signals that ask for the end, on this thread and those that it starts.
sigset_t blockSignals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

void serve(const Arguments& arguments) {
    const sigset_t signals = blockSignals();
    fusebox::CircuitBreakerRegistry registry;
    const auto changes = registry.on<fusebox::StateChanged>(
        [](const fusebox::StateChanged& event) { fmt::print(stderr, "{:t}\n", event); });
    Shop shop{registry, arguments.times};
    for (const auto& [name, fault] : arguments.faults) shop.dependency(name)->setFault(fault);

    std::atomic<bool> draining{false};
    fusebox::HealthCheckManager health{checksOf(shop, draining, registry)};
    fusebox::MetricsPublisher publisher{registry, fusebox::JsonLinesSink{std::clog}};

    Server server;
    const Authorize authorize = administrators();
    Routes routes{server, shop, authorize};
    routes.mount();
    fusebox::mountAdmin(server, registry,
                        {.authorize = authorize,
                         .health = &health,
                         .metrics = {.labels = {{"application", "payments-svc"}}},
                         .maxEventReaders = kEventReaders});

    const int port = server.bind(arguments.port);
    std::thread listener{[&] { server.listen_after_bind(); }};
    // Else it could be told to stop before it listens, and would not hear it.
    while (!server.is_running()) std::this_thread::yield();
    shop.startJobs();
    publisher.start();
    fmt::print("http://127.0.0.1:{}/\n", port);
    std::fflush(stdout);

    int signal = 0;
    ::sigwait(&signals, &signal);
    fmt::print(stderr, "told to stop: draining\n");
    draining = true;  // Who asks /readyz sends no more.
    std::this_thread::sleep_for(arguments.drain);
    server.stop();  // Requests in flight are answered.
    listener.join();
    shop.stopJobs();
    fmt::print(stderr, "stopped; {} payments are queued\n", shop.queuedPayments());
}

}  // namespace
}  // namespace shop

int main(int argc, char** argv) try {
    const shop::Arguments arguments = shop::argumentsFrom(argc, argv);
    if (arguments.help) {
        fmt::print("{}", shop::kUsage);
        return EXIT_SUCCESS;
    }
    shop::serve(arguments);
    return EXIT_SUCCESS;
} catch (const std::invalid_argument& error) {
    fmt::print(stderr, "service: {}\n{}", error.what(), shop::kUsage);
    return 2;
} catch (const std::exception& error) {
    fmt::print(stderr, "service: {}\n", error.what());
    return EXIT_FAILURE;
}
