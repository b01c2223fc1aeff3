// SPDX-License-Identifier: MIT
// Execution contexts that are destroyed at every point of guarded operations: permits are
// cancelled, probes give their slots back, nothing leaks.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/loopback.hpp"
#include "adapters/net.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// Half-open, with one probe at a time.
struct HalfOpen {
    Breaker breaker{"probes",
                    ConsecutiveFailures{1},
                    {.recoveryTimeout = 1ns,
                     .successThreshold = 1'000,
                     .halfOpenLimit = 1,
                     .probeTimeout = kFar,
                     .requestTimeout = kFar}};
    HalfOpen() {
        (void)breaker.tryAcquire().failure();
        while (breaker.state() != CircuitState::HalfOpen) continue;
    }
    ~HalfOpen() {
        const auto stats = breaker.stats();
        CHECK(stats.probesInFlight == 0);
        checkConservation(stats);
    }
};

/// Lives as long as the handler that holds it.
struct Ballast {
    explicit Ballast(int& n) : alive(n) { ++alive; }
    Ballast(const Ballast&) = delete;
    ~Ballast() { --alive; }
    int& alive;
    std::string text = std::string(100, 'x');
};

}  // namespace

TEST_CASE("A context destroyed before, while and after an operation waits") {
    // How many handlers the context runs before it is destroyed.
    for (std::size_t steps = 0; steps < 4; ++steps) {
        HalfOpen f;
        int alive = 0;
        int called = 0;
        {
            net::io_context io;
            net::steady_timer timer{io, steps == 0 ? 1h : 0ms};
            asyncGuard(
                f.breaker,
                [&](auto&& token) {
                    return timer.async_wait(std::forward<decltype(token)>(token));
                },
                [&, ballast = std::make_shared<Ballast>(alive)](ErrorCode) { ++called; });
            CHECK(f.breaker.stats().probesInFlight == 1);
            for (std::size_t i = 0; i < steps; ++i) io.run_one_for(1s);
        }
        CHECK(alive == 0);
        CHECK(f.breaker.stats().totalCalls == 2);  // The one that tripped it, and this.
        CHECK(f.breaker.stats().totalCancelled + f.breaker.stats().totalSuccesses == 1);
        if (steps == 0) CHECK(f.breaker.stats().totalCancelled == 1);
        if (steps == 3) CHECK(called == 1);
    }
}

TEST_CASE("A context destroyed with a rejection on its way") {
    HalfOpen f;
    int alive = 0;
    auto busy = f.breaker.tryAcquire();
    {
        net::io_context io;
        net::steady_timer timer{io};
        asyncGuard(
            f.breaker,
            [&](auto&& token) { return timer.async_wait(std::forward<decltype(token)>(token)); },
            [ballast = std::make_shared<Ballast>(alive)](ErrorCode) {});
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
    (void)busy.ignore();
}

TEST_CASE("A context destroyed while a connection is read from") {
    HalfOpen f;
    Loopback server{Behaviour::Drips};
    int alive = 0;
    {
        net::io_context io;
        tcp::socket socket{io};
        socket.connect(server.endpoint());
        std::string text;
        asyncGuard(
            f.breaker,
            [&](auto&& token) {
                return net::async_read_until(socket, net::dynamic_buffer(text), '\n',
                                             std::forward<decltype(token)>(token));
            },
            [ballast = std::make_shared<Ballast>(alive)](ErrorCode, std::size_t) {});
        io.run_for(20ms);
        CHECK(f.breaker.stats().probesInFlight == 1);
    }
    CHECK(alive == 0);
    CHECK(f.breaker.stats().totalCancelled == 1);
}

TEST_CASE("A signal that outlives the context cancels nothing") {
    HalfOpen f;
    net::cancellation_signal signal;
    {
        net::io_context io;
        net::steady_timer timer{io, 1h};
        asyncGuard(
            f.breaker,
            [&](auto&& token) { return timer.async_wait(std::forward<decltype(token)>(token)); },
            net::bind_cancellation_slot(signal.slot(), [](ErrorCode) {}));
    }
    signal.emit(net::cancellation_type::terminal);
    CHECK(f.breaker.stats().totalCancelled == 1);
}

TEST_CASE("A pool that is stopped with operations pending") {
    Breaker breaker{"pool", ConsecutiveFailures{3}, {.requestTimeout = kFar}};
    {
        std::vector<std::unique_ptr<net::steady_timer>> timers;
        net::thread_pool pool{2};
        for (int i = 0; i < 10; ++i) {
            timers.push_back(std::make_unique<net::steady_timer>(pool, 1h));
            net::steady_timer& timer = *timers.back();
            asyncGuard(
                breaker,
                [&](auto&& token) {
                    return timer.async_wait(std::forward<decltype(token)>(token));
                },
                [](ErrorCode) {});
        }
        pool.stop();
        pool.join();
        timers.clear();
    }
    CHECK(breaker.stats().totalCalls == 10);
    checkConservation(breaker.stats());
}

#if FUSEBOX_ASIO_HAS_AWAITABLE

TEST_CASE("A context destroyed at each await of a guarded coroutine") {
    for (int steps = 0; steps < 40; ++steps) {
        HalfOpen f;
        int alive = 0;
        {
            net::io_context io;
            net::co_spawn(
                io,
                [&]() -> net::awaitable<void> {
                    const Ballast outside{alive};
                    const auto kept = std::make_shared<Ballast>(alive);
                    for (int i = 0; i < 3; ++i) {
                        co_await asyncExecute(f.breaker, [&]() -> net::awaitable<void> {
                            const Ballast inside{alive};
                            net::steady_timer timer{co_await net::this_coro::executor, 0ms};
                            co_await timer.async_wait(net::use_awaitable);
                            co_await timer.async_wait(net::use_awaitable);
                        });
                    }
                    net::steady_timer timer{io, 0ms};
                    co_await asyncGuard(
                        f.breaker,
                        [&](auto&& token) {
                            return timer.async_wait(std::forward<decltype(token)>(token));
                        },
                        net::use_awaitable);
                },
                net::detached);
            for (int i = 0; i < steps; ++i) io.run_one_for(100ms);
        }
        CHECK(alive == 0);
    }
}

#endif
