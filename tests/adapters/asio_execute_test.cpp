// SPDX-License-Identifier: MIT
// Coroutines of Asio: asyncExecute, and asyncGuard with tokens that are awaited.

#include "adapters/net.hpp"

#if FUSEBOX_ASIO_HAS_AWAITABLE

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "adapters/loopback.hpp"
#include "fusebox/breaker/judged_by.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

using net::awaitable;
using net::use_awaitable;

/// Runs a coroutine to its end; what it throws is thrown.
template <class Fn>
void runCoroutine(net::io_context& io, Fn fn) {
    std::exception_ptr thrown;
    net::co_spawn(io, std::move(fn), [&](std::exception_ptr error) { thrown = std::move(error); });
    io.restart();
    io.run();
    if (thrown) std::rethrow_exception(thrown);
}

awaitable<void> sleepFor(std::chrono::nanoseconds time) {
    net::steady_timer timer{co_await net::this_coro::executor,
                            std::chrono::duration_cast<std::chrono::steady_clock::duration>(time)};
    co_await timer.async_wait(use_awaitable);
}

struct ExecuteFixture {
    net::io_context io{};
    Breaker breaker{"asio", ConsecutiveFailures{3}, {.requestTimeout = kFar}};
    Breaker quick{"quick", ConsecutiveFailures{3}, {.requestTimeout = 10ms}};
    ~ExecuteFixture() {
        checkConservation(breaker.stats());
        checkConservation(quick.stats());
    }
};

}  // namespace

TEST_CASE("asyncExecute gives what the coroutine returns") {
    ExecuteFixture f;
    std::unique_ptr<int> owned;
    std::string text;
    runCoroutine(f.io, [&]() -> awaitable<void> {
        owned = co_await asyncExecute(f.breaker, []() -> awaitable<std::unique_ptr<int>> {
            co_await sleepFor(1ms);
            co_return std::make_unique<int>(5);
        });
        text =
            co_await asyncExecute(f.breaker, [&]() -> awaitable<std::string> { co_return "text"; });
        co_await asyncExecute(f.breaker, []() -> awaitable<void> { co_return; });
    });
    CHECK(*owned == 5);
    CHECK(text == "text");
    CHECK(f.breaker.stats().totalSuccesses == 3);
}

TEST_CASE("What the coroutine throws leaves unchanged, and is a failure") {
    ExecuteFixture f;
    CHECK_THROWS_WITH(runCoroutine(f.io,
                                   [&]() -> awaitable<void> {
                                       co_await asyncExecute(f.breaker, []() -> awaitable<int> {
                                           throw std::runtime_error{"broken"};
                                           co_return 1;
                                       });
                                   }),
                      "broken");
    CHECK(f.breaker.stats().totalFailures == 1);
    CHECK(f.breaker.stats().lastError == "broken");
}

TEST_CASE("A rejected coroutine is not called, and CircuitOpenError is thrown") {
    ExecuteFixture f;
    f.breaker.open();
    bool called = false;
    CHECK_THROWS_AS(runCoroutine(f.io,
                                 [&]() -> awaitable<void> {
                                     co_await asyncExecute(f.breaker, [&]() -> awaitable<int> {
                                         called = true;
                                         co_return 1;
                                     });
                                 }),
                    CircuitOpenError);
    CHECK_FALSE(called);
}

TEST_CASE("A result that can carry a rejection does, and one that is an error is a failure") {
    ExecuteFixture f;
    std::error_code got;
    const auto call = [&]() -> awaitable<void> {
        got = co_await asyncExecute(f.breaker, []() -> awaitable<std::error_code> {
            co_return std::make_error_code(std::errc::io_error);
        });
    };
    for (int i = 0; i < 3; ++i) runCoroutine(f.io, call);
    CHECK(got == std::errc::io_error);
    CHECK(f.breaker.isOpen());
    runCoroutine(f.io, call);
    CHECK(got == Errc::CircuitOpen);
}

TEST_CASE("judgedBy judges what a coroutine returns or throws") {
    ExecuteFixture f;
    const auto fetch = [](int status) {
        return [status]() -> awaitable<int> {
            if (status < 0) throw std::runtime_error{"mine"};
            co_return status;
        };
    };
    struct Judge {
        Outcome operator()(int status) const {
            return status == 404 ? Outcome::Ignored : Outcome::Failure;
        }
        Outcome operator()(const std::exception_ptr&) const { return Outcome::Ignored; }
    };
    int first = 0;
    int second = 0;
    runCoroutine(f.io, [&]() -> awaitable<void> {
        auto missing = judgedBy(fetch(404), Judge{});
        first = co_await asyncExecute(f.breaker, std::move(missing));
        auto bad = judgedBy(fetch(500), Judge{});
        second = co_await asyncExecute(f.breaker, std::move(bad));
    });
    CHECK(first == 404);
    CHECK(second == 500);
    CHECK_THROWS_WITH(runCoroutine(f.io,
                                   [&]() -> awaitable<void> {
                                       auto thrown = judgedBy(fetch(-1), Judge{});
                                       co_await asyncExecute(f.breaker, std::move(thrown));
                                   }),
                      "mine");
    CHECK(f.breaker.stats().totalIgnored == 2);
    CHECK(f.breaker.stats().totalFailures == 1);
}

TEST_CASE("At the deadline the coroutine is cancelled: CallTimeoutError nests what it threw") {
    ExecuteFixture f;
    bool unwound = false;
    try {
        runCoroutine(f.io, [&]() -> awaitable<void> {
            co_await asyncExecute(f.quick, [&]() -> awaitable<void> {
                struct Unwinds {
                    ~Unwinds() { out = true; }
                    bool& out;
                } const unwinds{unwound};
                co_await sleepFor(kFar);
            });
        });
        FAIL("it should have thrown");
    } catch (const CallTimeoutError& error) {
        CHECK(error.timeout() == 10ms);
        CHECK(error.name() == "quick");
        CHECK_THROWS_AS(std::rethrow_if_nested(error), SystemError);
    }
    CHECK(unwound);
    CHECK(f.quick.stats().totalTimeouts == 1);
}

TEST_CASE("A coroutine that goes on after its cancellation is waited for, and is late") {
    ExecuteFixture f;
    int got = 0;
    runCoroutine(f.io, [&]() -> awaitable<void> {
        got = co_await asyncExecute(f.quick, []() -> awaitable<int> {
            try {
                co_await sleepFor(kFar);
            } catch (const SystemError&) {
            }
            co_return 3;
        });
    });
    CHECK(got == 3);
    CHECK(f.quick.stats().totalTimeouts == 1);
}

TEST_CASE("A coroutine that its caller cancels is ignored") {
    ExecuteFixture f;
    net::cancellation_signal signal;
    ErrorCode code;
    net::co_spawn(
        f.io,
        [&]() -> awaitable<void> {
            co_await asyncExecute(f.breaker, [&]() -> awaitable<void> { co_await sleepFor(kFar); });
        },
        net::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr error) {
            try {
                if (error) std::rethrow_exception(error);
            } catch (const SystemError& system) {
                code = system.code();
            }
        }));
    net::steady_timer timer{f.io, 5ms};
    timer.async_wait([&](ErrorCode) { signal.emit(net::cancellation_type::terminal); });
    f.io.run();
    CHECK(code == net::error::operation_aborted);
    CHECK(f.breaker.stats().totalIgnored == 1);
}

TEST_CASE("In a pool of threads deadlines and coroutines do not race") {
    Breaker breaker{"pool", ConsecutiveFailures{1'000'000}, {.requestTimeout = 5ms}};
    std::atomic<int> timeouts{0};
    const int calls = 100;
    {
        net::thread_pool pool{4};
        for (int i = 0; i < calls; ++i) {
            net::co_spawn(
                pool,
                [&]() -> awaitable<void> {
                    try {
                        co_await asyncExecute(breaker, []() -> awaitable<void> {
                            for (;;) co_await sleepFor(100us);
                        });
                    } catch (const CallTimeoutError&) {
                        timeouts.fetch_add(1);
                    }
                },
                net::detached);
        }
        pool.join();
    }
    CHECK(timeouts == calls);
    CHECK(breaker.stats().totalTimeouts == static_cast<std::uint64_t>(calls));
}

TEST_CASE("asyncGuard is awaited: use_awaitable, as_tuple, and default tokens") {
    ExecuteFixture f;
    Loopback server{Behaviour::Answers};
    std::string text;
    std::size_t count = 0;
    ErrorCode refused;
    runCoroutine(f.io, [&]() -> awaitable<void> {
        using Socket = net::use_awaitable_t<>::as_default_on_t<tcp::socket>;
        Socket socket{co_await net::this_coro::executor};
        co_await asyncGuard(f.breaker, [&](auto&& token) {
            return socket.async_connect(server.endpoint(), std::forward<decltype(token)>(token));
        });
        co_await asyncGuard(
            f.breaker,
            [&](auto&& token) {
                return net::async_write(socket, net::buffer("ping\n", 5),
                                        std::forward<decltype(token)>(token));
            },
            use_awaitable);
        count = co_await asyncGuard(f.breaker, [&](auto&& token) {
            return net::async_read_until(socket, net::dynamic_buffer(text), '\n',
                                         std::forward<decltype(token)>(token));
        });
        f.breaker.open();
        std::tie(refused) = co_await asyncGuard(
            f.breaker,
            [&](auto&& token) {
                return socket.async_wait(Socket::wait_read, std::forward<decltype(token)>(token));
            },
            as_tuple(use_awaitable));
    });
    CHECK(count == 5);
    CHECK(refused == Errc::CircuitOpen);
    CHECK(f.breaker.stats().totalSuccesses == 3);
}

TEST_CASE("A deferred guard is awaited") {
    ExecuteFixture f;
    runCoroutine(f.io, [&]() -> awaitable<void> {
        net::steady_timer timer{co_await net::this_coro::executor, 1ms};
        auto operation = asyncGuard(
            f.breaker,
            [&](auto&& token) { return timer.async_wait(std::forward<decltype(token)>(token)); },
            deferred);
        CHECK(f.breaker.stats().totalCalls == 0);
        co_await std::move(operation)(use_awaitable);
    });
    CHECK(f.breaker.stats().totalSuccesses == 1);
}

TEST_CASE("A rejection in a coroutine is an error like any other") {
    ExecuteFixture f;
    f.breaker.open();
    try {
        runCoroutine(f.io, [&]() -> awaitable<void> {
            net::steady_timer timer{co_await net::this_coro::executor, 1ms};
            co_await asyncGuard(
                f.breaker,
                [&](auto&& token) {
                    return timer.async_wait(std::forward<decltype(token)>(token));
                },
                use_awaitable);
        });
        FAIL("it should have thrown");
    } catch (const SystemError& error) {
        CHECK(error.code() == Errc::CircuitOpen);
    }
}

#endif
