// SPDX-License-Identifier: MIT
// Guarded operations on real connections: refused, reset, swallowed, half-closed, dripped.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/loopback.hpp"
#include "adapters/net.hpp"
#include "fusebox/breaker/judged_by.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// A client with one connection.
struct Client {
    explicit Client(Behaviour behaviour, std::chrono::nanoseconds timeout = kFar)
        : server(behaviour), breaker("tcp", ConsecutiveFailures{3}, {.requestTimeout = timeout}) {}
    ~Client() { checkConservation(breaker.stats()); }

    Loopback server;
    Breaker breaker;
    net::io_context io{};
    tcp::socket socket{io};
    std::string text{};

    ErrorCode connect() {
        ErrorCode got;
        asyncGuard(
            breaker,
            [this](auto&& token) {
                return socket.async_connect(server.endpoint(),
                                            std::forward<decltype(token)>(token));
            },
            [&](ErrorCode error) { got = error; });
        run();
        return got;
    }
    /// Waits for a line: a composed operation.
    auto line() {
        return [this](auto&& token) {
            return net::async_read_until(socket, net::dynamic_buffer(text), '\n',
                                         std::forward<decltype(token)>(token));
        };
    }
    ErrorCode read(std::size_t* count = nullptr) {
        ErrorCode got;
        asyncGuard(breaker, line(), [&](ErrorCode error, std::size_t n) {
            got = error;
            if (count) *count = n;
        });
        run();
        return got;
    }
    void run() {
        io.restart();
        io.run();
    }
};

}  // namespace

TEST_CASE("A server that answers") {
    Client client{Behaviour::Answers};
    REQUIRE_FALSE(client.connect());
    for (int i = 0; i < 3; ++i) {
        ErrorCode got;
        asyncGuard(
            client.breaker,
            [&](auto&& token) {
                return net::async_write(client.socket, net::buffer("ping\n", 5),
                                        std::forward<decltype(token)>(token));
            },
            [&](ErrorCode error, std::size_t) { got = error; });
        client.run();
        CHECK_FALSE(got);
        std::size_t count = 0;
        CHECK_FALSE(client.read(&count));
        CHECK(count == 5);
        client.text.clear();
    }
    CHECK(client.breaker.stats().totalSuccesses == 7);
}

TEST_CASE("A server that refuses opens the circuit, and then is left alone") {
    Client client{Behaviour::Refuses};
    for (int i = 0; i < 3; ++i) {
        CHECK(client.connect() == net::error::connection_refused);
        client.socket.close();
    }
    CHECK(client.breaker.isOpen());
    CHECK(client.connect() == Errc::CircuitOpen);
    CHECK(client.breaker.stats().totalFailures == 3);
}

TEST_CASE("A server that resets") {
    Client client{Behaviour::Resets};
    for (int i = 0; i < 3 && !client.breaker.isOpen(); ++i) {
        // The reset may come while the connection is being made, or after.
        const ErrorCode connected = client.connect();
        if (!connected) {
            const ErrorCode error = client.read();
            CHECK((error == net::error::connection_reset || error == net::error::eof));
        }
        client.socket.close();
    }
    CHECK(client.breaker.stats().totalFailures >= 3);
}

TEST_CASE(
    "A server that swallows: every caller is back after the deadline, and the circuit opens") {
    Client client{Behaviour::BlackHole, 50ms};
    REQUIRE_FALSE(client.connect());
    const auto before = std::chrono::steady_clock::now();
    for (int i = 0; i < 3; ++i) {
        const auto start = std::chrono::steady_clock::now();
        CHECK(client.read() == Errc::CallTimeout);
        CHECK(std::chrono::steady_clock::now() - start >= 50ms);
    }
    CHECK(client.read() == Errc::CircuitOpen);
    CHECK(std::chrono::steady_clock::now() - before < 20s);
    CHECK(client.breaker.stats().totalTimeouts == 3);
}

TEST_CASE("A server that ends its side: an error") {
    Client client{Behaviour::HalfCloses};
    REQUIRE_FALSE(client.connect());
    std::size_t count = 7;
    CHECK(client.read(&count) == net::error::eof);
    CHECK(client.text == "po");
    CHECK(client.breaker.stats().totalFailures == 1);
}

TEST_CASE("The end of a stream may be judged to be none") {
    Client client{Behaviour::HalfCloses};
    REQUIRE_FALSE(client.connect());
    ErrorCode got;
    asyncGuard(client.breaker,
               judgedBy(client.line(),
                        [](const ErrorCode& error) {
                            return error == net::error::eof ? Outcome::Success : Outcome::Failure;
                        }),
               [&](ErrorCode error, std::size_t) { got = error; });
    client.run();
    CHECK(got == net::error::eof);
    CHECK(client.breaker.stats().totalSuccesses == 2);
}

TEST_CASE("A server that drips does not get more time by it") {
    Client client{Behaviour::Drips, 100ms};
    REQUIRE_FALSE(client.connect());
    CHECK(client.read() == Errc::CallTimeout);
    CHECK(client.text.find('.') == 0);  // It was a composed operation, in the middle of its steps.
    CHECK(client.breaker.stats().totalTimeouts == 1);
}

TEST_CASE("A guarded operation in a pool of threads, without a strand of the caller's") {
    Loopback server{Behaviour::Drips};
    Breaker breaker{"pool", ConsecutiveFailures{1'000'000}, {.requestTimeout = 20ms}};
    const int clients = 16;
    std::atomic<int> timeouts{0};
    {
        net::thread_pool pool{4};
        std::vector<std::unique_ptr<tcp::socket>> sockets;
        std::vector<std::string> texts(clients);
        for (int i = 0; i < clients; ++i) {
            sockets.push_back(std::make_unique<tcp::socket>(pool));
            sockets.back()->connect(server.endpoint());
        }
        for (std::size_t i = 0; i < clients; ++i) {
            asyncGuard(
                breaker,
                [&, i](auto&& token) {
                    return net::async_read_until(*sockets[i], net::dynamic_buffer(texts[i]), '\n',
                                                 std::forward<decltype(token)>(token));
                },
                [&](ErrorCode error, std::size_t) {
                    if (error == Errc::CallTimeout) timeouts.fetch_add(1);
                });
        }
        pool.join();
    }
    CHECK(timeouts == clients);
    CHECK(breaker.stats().totalTimeouts == clients);
}

TEST_CASE("Deadlines that race with their operations, in a pool of threads") {
    Breaker breaker{"race", ConsecutiveFailures{1'000'000}, {.requestTimeout = 1ms}};
    const int calls = 2'000;
    std::atomic<int> ended{0};
    {
        net::thread_pool pool{4};
        std::vector<std::unique_ptr<net::steady_timer>> timers;
        for (int i = 0; i < calls; ++i) {
            timers.push_back(
                std::make_unique<net::steady_timer>(pool, std::chrono::microseconds{i % 2'000}));
            net::steady_timer& timer = *timers.back();
            asyncGuard(
                breaker,
                [&](auto&& token) {
                    return timer.async_wait(std::forward<decltype(token)>(token));
                },
                [&](ErrorCode error) {
                    if (!error || error == Errc::CallTimeout) ended.fetch_add(1);
                });
        }
        pool.join();
    }
    const auto stats = breaker.stats();
    CHECK(ended == calls);
    CHECK(stats.totalSuccesses + stats.totalTimeouts == static_cast<std::uint64_t>(calls));
    checkConservation(stats);
}
