// SPDX-License-Identifier: MIT
// asyncGuard with every kind of completion token: what counts, where the handler runs, and what it
// is given.

#include <chrono>
#include <cstddef>
#include <exception>
#include <future>
#include <memory>
#include <memory_resource>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "adapters/net.hpp"
#include "fusebox/breaker/judged_by.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// An operation that ends with what it is told to, after a loop of its context.
template <class Token>
auto asyncAnswer(net::io_context& io, ErrorCode error, int value, Token&& token) {
    return net::async_initiate<Token, void(ErrorCode, int)>(
        [&io, error, value](auto&& handler) {
            auto executor = net::get_associated_executor(handler, io.get_executor());
            net::post(executor, [handler = std::forward<decltype(handler)>(handler), error,
                                 value]() mutable { std::move(handler)(error, value); });
        },
        token);
}

struct GuardFixture {
    net::io_context io{};
    Breaker breaker{"asio", ConsecutiveFailures{3}, {.requestTimeout = kFar}};
    int started = 0;

    /// An initiation that counts how often an operation was started.
    auto answering(int value, ErrorCode error = {}) {
        return [this, value, error](auto&& token) {
            ++started;
            return asyncAnswer(io, error, value, std::forward<decltype(token)>(token));
        };
    }
    /// The wait of a timer, which tells its executor.
    auto waiting(net::steady_timer& timer) {
        return [&timer](auto&& token) {
            return timer.async_wait(std::forward<decltype(token)>(token));
        };
    }
    void run() {
        io.restart();
        io.run();
    }
    ~GuardFixture() { checkConservation(breaker.stats()); }
};

const ErrorCode kBroken = net::error::connection_reset;

/// An allocator that counts what it holds.
template <class T>
struct CountingAllocator {
    using value_type = T;
    CountingAllocator(int* n, int* most) : held(n), total(most) {}
    template <class U>
    CountingAllocator(const CountingAllocator<U>& other) : held(other.held), total(other.total) {}
    T* allocate(std::size_t n) {
        ++*held;
        ++*total;
        return std::allocator<T>{}.allocate(n);
    }
    void deallocate(T* p, std::size_t n) {
        --*held;
        std::allocator<T>{}.deallocate(p, n);
    }
    template <class U>
    bool operator==(const CountingAllocator<U>& other) const {
        return held == other.held;
    }
    int* held;
    int* total;
};

}  // namespace

TEST_CASE("A callback gets what the operation ends with") {
    GuardFixture f;
    int got = 0;
    asyncGuard(f.breaker, f.answering(7), net::bind_executor(f.io, [&](ErrorCode error, int value) {
                   CHECK_FALSE(error);
                   got = value;
               }));
    CHECK(got == 0);
    f.run();
    CHECK(got == 7);
    CHECK(f.started == 1);
    CHECK(f.breaker.stats().totalSuccesses == 1);
}

TEST_CASE("An error is a failure and reaches the callback") {
    GuardFixture f;
    ErrorCode got;
    asyncGuard(f.breaker, f.answering(0, kBroken),
               net::bind_executor(f.io, [&](ErrorCode error, int) { got = error; }));
    f.run();
    CHECK(got == kBroken);
    CHECK(f.breaker.stats().totalFailures == 1);
    CHECK(f.breaker.stats().lastError == kBroken.message());
}

TEST_CASE("operation_aborted that is not the deadline is ignored") {
    GuardFixture f;
    asyncGuard(f.breaker, f.answering(0, net::error::operation_aborted),
               net::bind_executor(f.io, [](ErrorCode, int) {}));
    f.run();
    CHECK(f.breaker.stats().totalIgnored == 1);
}

TEST_CASE("A rejection is posted, and starts nothing") {
    GuardFixture f;
    f.breaker.open();
    ErrorCode got;
    int value = -1;
    asyncGuard(f.breaker, f.answering(7), net::bind_executor(f.io, [&](ErrorCode error, int v) {
                   got = error;
                   value = v;
               }));
    CHECK_FALSE(got);
    f.run();
    CHECK(got == Errc::CircuitOpen);
    CHECK(got == std::errc::resource_unavailable_try_again);
    CHECK(value == 0);
    CHECK(f.started == 0);
    CHECK(f.breaker.stats().totalRejected == 1);
}

TEST_CASE("A plain handler runs where the operation's I/O object runs, rejected or not") {
    GuardFixture f;
    net::steady_timer timer{f.io, 0ms};
    int called = 0;
    const auto handler = [&](ErrorCode) {
        ++called;
        CHECK(f.io.get_executor().running_in_this_thread());
    };
    asyncGuard(f.breaker, f.waiting(timer), handler);
    f.run();
    CHECK(called == 1);
    f.breaker.open();
    asyncGuard(f.breaker, f.waiting(timer), handler);
    CHECK(called == 1);
    f.run();
    CHECK(called == 2);
}

TEST_CASE("An I/O object, a context or an executor may be named after the token") {
    GuardFixture f;
    int called = 0;
    const auto handler = [&](ErrorCode, int) {
        ++called;
        CHECK(f.io.get_executor().running_in_this_thread());
    };
    net::steady_timer timer{f.io};
    asyncGuard(f.breaker, f.answering(1), handler, timer);
    asyncGuard(f.breaker, f.answering(1), handler, f.io);
    f.breaker.open();
    asyncGuard(f.breaker, f.answering(1), handler, f.io.get_executor());
    f.run();
    CHECK(called == 3);
    CHECK(f.started == 2);
}

TEST_CASE("A signature may be named, and then the initiation returns nothing") {
    GuardFixture f;
    int got = 0;
    asyncGuard<void(ErrorCode, int)>(
        f.breaker, [&](auto handler) { asyncAnswer(f.io, ErrorCode{}, 9, std::move(handler)); },
        net::bind_executor(f.io, [&](ErrorCode, int value) { got = value; }));
    f.run();
    CHECK(got == 9);
}

TEST_CASE("Futures") {
    GuardFixture f;
    auto good = asyncGuard(f.breaker, f.answering(7), net::use_future, f.io);
    auto bad = asyncGuard(f.breaker, f.answering(7, kBroken), net::use_future, f.io);
    f.run();
    CHECK(good.get() == 7);
    CHECK_THROWS_AS(bad.get(), SystemError);
    f.breaker.open();
    auto rejected = asyncGuard(f.breaker, f.answering(7), net::use_future, f.io);
    f.run();
    try {
        rejected.get();
        FAIL("it should have thrown");
    } catch (const SystemError& error) {
        // For as long as the process lives: ThreadSanitizer does not see how the standard library
        // counts who holds an exception, and takes the thread that lets go last for a racer.
        static const std::exception_ptr kept = std::current_exception();
        CHECK(error.code() == Errc::CircuitOpen);
    }
    net::steady_timer timer{f.io, 0ms};
    f.breaker.close();
    auto waited = asyncGuard(f.breaker, f.waiting(timer), net::use_future);
    f.run();
    CHECK_NOTHROW(waited.get());
}

TEST_CASE("A deferred operation asks for admission when it is started, each time") {
    GuardFixture f;
    auto operation = asyncGuard(f.breaker, f.answering(7), deferred);
    CHECK(f.started == 0);
    f.run();
    CHECK(f.breaker.stats().totalCalls == 0);
    f.breaker.open();
    ErrorCode got;
    std::move(operation)(net::bind_executor(f.io, [&](ErrorCode error, int) { got = error; }));
    f.run();
    CHECK(got == Errc::CircuitOpen);
}

TEST_CASE("A detached operation is counted") {
    GuardFixture f;
    asyncGuard(f.breaker, f.answering(7), net::detached, f.io);
    f.run();
    CHECK(f.breaker.stats().totalSuccesses == 1);
}

TEST_CASE("judgedBy judges what the handler gets, or the error, or the value") {
    GuardFixture f;
    auto none = net::bind_executor(f.io, [](ErrorCode, int) {});
    asyncGuard(f.breaker,
               judgedBy(f.answering(404, kBroken),
                        [](ErrorCode error, int status) {
                            return error && status == 404 ? Outcome::Ignored : Outcome::Failure;
                        }),
               none);
    asyncGuard(f.breaker,
               judgedBy(f.answering(1, net::error::eof),
                        [](const ErrorCode& error) {
                            return error == net::error::eof ? Outcome::Success : Outcome::Failure;
                        }),
               none);
    asyncGuard(
        f.breaker,
        judgedBy(f.answering(500),
                 [](int status) { return status >= 500 ? Outcome::Failure : Outcome::Success; }),
        none);
    f.run();
    const auto stats = f.breaker.stats();
    CHECK(stats.totalIgnored == 1);
    CHECK(stats.totalSuccesses == 1);
    CHECK(stats.totalFailures == 1);
}

TEST_CASE("The handler's allocator is used, and free again before the handler is called") {
    GuardFixture f;
    int held = 0;
    int total = 0;
    int whenCalled = -1;
    struct Handler {
        using allocator_type = CountingAllocator<char>;
        using executor_type = net::io_context::executor_type;
        allocator_type get_allocator() const noexcept { return {held, total}; }
        executor_type get_executor() const noexcept { return io->get_executor(); }
        void operator()(ErrorCode) const { *whenCalled = *held; }
        net::io_context* io;
        int* held;
        int* total;
        int* whenCalled;
    };
    net::steady_timer timer{f.io, 0ms};
    asyncGuard(f.breaker, f.waiting(timer), Handler{&f.io, &held, &total, &whenCalled});
    CHECK(held > 0);
    f.run();
    CHECK(total > 0);
    CHECK(whenCalled == 0);
    f.breaker.open();
    whenCalled = -1;
    total = 0;
    asyncGuard(f.breaker, f.waiting(timer), Handler{&f.io, &held, &total, &whenCalled});
    f.run();
    CHECK(total > 0);
    CHECK(whenCalled == 0);
}

TEST_CASE("The handler's executor is used for everything, a strand's too") {
    net::thread_pool pool{3};
    Breaker breaker{"pool"};
    const auto strand = net::make_strand(pool);
    std::promise<bool> inStrand;
    net::steady_timer timer{pool, 1ms};
    asyncGuard(
        breaker,
        [&](auto&& token) { return timer.async_wait(std::forward<decltype(token)>(token)); },
        net::bind_executor(
            strand, [&](ErrorCode) { inStrand.set_value(strand.running_in_this_thread()); }));
    CHECK(inStrand.get_future().get());
    breaker.open();
    std::promise<bool> rejectedInStrand;
    asyncGuard(
        breaker,
        [&](auto&& token) { return timer.async_wait(std::forward<decltype(token)>(token)); },
        net::bind_executor(strand, [&](ErrorCode) {
            rejectedInStrand.set_value(strand.running_in_this_thread());
        }));
    CHECK(rejectedInStrand.get_future().get());
    pool.join();
}

TEST_CASE("The handler's cancellation slot cancels the operation, which is ignored") {
    GuardFixture f;
    net::steady_timer timer{f.io, kFar};
    net::cancellation_signal signal;
    ErrorCode got;
    asyncGuard(f.breaker, f.waiting(timer),
               net::bind_cancellation_slot(signal.slot(), [&](ErrorCode error) { got = error; }));
    net::post(f.io, [&] { signal.emit(net::cancellation_type::total); });
    f.run();
    CHECK(got == net::error::operation_aborted);
    CHECK(f.breaker.stats().totalIgnored == 1);
    signal.emit(net::cancellation_type::total);  // Nothing is there any more.
}

TEST_CASE("The deadline cancels the operation: Errc::CallTimeout, a timeout") {
    GuardFixture f;
    Breaker breaker{"late", ConsecutiveFailures{3}, {.requestTimeout = 10ms}};
    net::steady_timer timer{f.io, kFar};
    ErrorCode got;
    asyncGuard(breaker, f.waiting(timer), [&](ErrorCode error) { got = error; });
    const auto before = std::chrono::steady_clock::now();
    f.run();
    CHECK(std::chrono::steady_clock::now() - before >= 10ms);
    CHECK(got == Errc::CallTimeout);
    CHECK(got == std::errc::timed_out);
    CHECK(breaker.stats().totalTimeouts == 1);
    CHECK(breaker.stats().lastError == "the call took longer than its deadline");
}

TEST_CASE("An operation that cannot be cancelled is waited for, and its value is late") {
    GuardFixture f;
    Breaker breaker{"late", ConsecutiveFailures{3}, {.requestTimeout = 5ms}};
    net::steady_timer timer{f.io, 30ms};
    int got = 0;
    asyncGuard<void(ErrorCode, int)>(
        breaker,
        [&](auto handler) {
            timer.async_wait(net::bind_executor(
                handler.get_executor(),
                [handler](ErrorCode error) mutable { std::move(handler)(error, 5); }));
        },
        [&](ErrorCode error, int value) {
            CHECK_FALSE(error);
            got = value;
        },
        f.io);
    f.run();
    CHECK(got == 5);
    CHECK(breaker.stats().totalTimeouts == 1);
}

TEST_CASE("Without a deadline there is no timer") {
    GuardFixture f;
    Breaker breaker{
        "endless", ConsecutiveFailures{3}, {.requestTimeout = std::chrono::nanoseconds::max()}};
    net::steady_timer timer{f.io, 1ms};
    bool called = false;
    asyncGuard(breaker, f.waiting(timer), [&](ErrorCode error) { called = !error; });
    f.run();
    CHECK(called);
    CHECK(breaker.stats().totalSuccesses == 1);
}

TEST_CASE("An initiation that throws is a failure, and throws") {
    GuardFixture f;
    const auto throwing = [](auto&& token) {
        throw std::runtime_error{"no operation"};
        return net::post(std::forward<decltype(token)>(token));
    };
    CHECK_THROWS_WITH(asyncGuard<void(ErrorCode)>(
                          f.breaker, throwing, [](ErrorCode) {}, f.io),
                      "no operation");
    CHECK(f.breaker.stats().totalFailures == 1);
}

TEST_CASE("Signatures that begin with an exception") {
    GuardFixture f;
    const auto throwing = [&](auto handler) {
        net::post(f.io, [handler = std::move(handler)]() mutable {
            std::move(handler)(std::make_exception_ptr(std::runtime_error{"broken"}), 0);
        });
    };
    std::exception_ptr got;
    auto keep =
        net::bind_executor(f.io, [&](std::exception_ptr error, int) { got = std::move(error); });
    asyncGuard<void(std::exception_ptr, int)>(f.breaker, throwing, keep);
    f.run();
    CHECK_THROWS_WITH(std::rethrow_exception(got), "broken");
    CHECK(f.breaker.stats().lastError == "broken");
    f.breaker.open();
    asyncGuard<void(std::exception_ptr, int)>(f.breaker, throwing, keep);
    f.run();
    CHECK_THROWS_AS(std::rethrow_exception(got), CircuitOpenError);
}

TEST_CASE("A guard of a guard is two calls") {
    GuardFixture f;
    Breaker inner{"inner"};
    inner.open();
    ErrorCode got;
    net::steady_timer timer{f.io, 0ms};
    asyncGuard(
        f.breaker,
        [&](auto&& token) {
            return asyncGuard(inner, f.waiting(timer), std::forward<decltype(token)>(token), f.io);
        },
        [&](ErrorCode error) { got = error; });
    f.run();
    CHECK(got == Errc::CircuitOpen);
    CHECK(f.breaker.stats().totalFailures == 1);
}
