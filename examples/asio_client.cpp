// SPDX-License-Identifier: MIT
// A TCP client on Asio behind a circuit breaker: callbacks and coroutines, deadlines that cancel,
// rejections that are errors like any other, and a job on a timer.
// needs: asio

#include <chrono>
#include <cstddef>
#include <exception>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <asio.hpp>
#include <fusebox/adapters/asio.hpp>
#include <fusebox/fusebox.hpp>

namespace {

using namespace std::chrono_literals;
using asio::ip::tcp;

/// A server that accepts and never answers, on a port of its own.
class BlackHole {
public:
    BlackHole() { acceptor_.listen(); }
    [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

private:
    asio::io_context io_;
    tcp::acceptor acceptor_{io_, tcp::endpoint{asio::ip::address_v4::loopback(), 0}};
};

// [callback]
template <class Breaker>
void readLine(Breaker& breaker, tcp::socket& socket, std::string& line) {
    fusebox::asyncGuard(
        breaker,
        [&](auto&& token) {
            return asio::async_read_until(socket, asio::dynamic_buffer(line), '\n',
                                          std::forward<decltype(token)>(token));
        },
        [](std::error_code error, std::size_t) {
            if (error == fusebox::Errc::CallTimeout) fmt::print("callback: no answer in time\n");
            if (error == fusebox::Errc::CircuitOpen) fmt::print("callback: rejected\n");
        });
}
// [/callback]

#if FUSEBOX_ASIO_HAS_AWAITABLE

// [coroutine]
template <class Breaker>
asio::awaitable<std::string> ask(Breaker& breaker, tcp::endpoint server) {
    // The whole exchange is one call; at the deadline it is cancelled, wherever it waits.
    co_return co_await fusebox::asyncExecute(breaker, [&]() -> asio::awaitable<std::string> {
        tcp::socket socket{co_await asio::this_coro::executor};
        co_await socket.async_connect(server, asio::use_awaitable);
        std::string line;
        co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n',
                                        asio::use_awaitable);
        co_return line;
    });
}
// [/coroutine]

template <class Breaker>
asio::awaitable<void> askAndTell(Breaker& breaker, tcp::endpoint server) {
    try {
        const std::string line = co_await ask(breaker, server);
        fmt::print("coroutine: {}\n", line);
    } catch (const fusebox::CircuitBreakerError& error) {
        fmt::print("coroutine: {}\n", error.what());
    }
}

#endif

// [job]
/// Makes the attempts of a job in an event loop: it says how long to wait until the next.
void keepRunning(asio::steady_timer& timer, fusebox::GuardedJob& job,
                 std::chrono::nanoseconds wait) {
    timer.expires_after(wait);
    timer.async_wait([&](std::error_code error) {
        if (!error) keepRunning(timer, job, job.attempt());
    });
}
// [/job]

/// Whether a job comes again and again.
bool runAJob(asio::io_context& io) {
    fusebox::GuardedJob job{"backend", [] { fmt::print("job: done\n"); }, {.interval = 1ms}};
    asio::steady_timer timer{io};
    io.restart();
    keepRunning(timer, job, 0ms);
    while (job.stats().successes < 3) io.run_one();
    return true;
}

}  // namespace

int main() {
    const BlackHole server;
    fusebox::CircuitBreaker breaker{
        "line-server", fusebox::ConsecutiveFailures{2}, {.requestTimeout = 50ms}};
    asio::io_context io;

    tcp::socket socket{io};
    socket.connect(server.endpoint());
    std::string line;
    readLine(breaker, socket, line);
    io.run();
#if FUSEBOX_ASIO_HAS_AWAITABLE
    for (int i = 0; i < 2; ++i) {
        asio::co_spawn(io, askAndTell(breaker, server.endpoint()), asio::detached);
        io.restart();
        io.run();
    }
#else
    (void)breaker.tryAcquire().timeout();
#endif
    readLine(breaker, socket, line);
    io.restart();
    io.run();

    const auto stats = breaker.stats();
    fmt::print("{} timeouts, {} rejected\n", stats.totalTimeouts, stats.totalRejected);
    return stats.totalTimeouts == 2 && breaker.isOpen() && runAJob(io) ? 0 : 1;
}
