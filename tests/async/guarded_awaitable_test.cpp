// SPDX-License-Identifier: MIT
// What a guarded co_await counts as, and what the coroutine gets.

#include "fusebox/async/guarded_awaitable.hpp"

#include <chrono>
#include <coroutine>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>

#include "breaker/own_types.hpp"
#include "breaker/rig.hpp"
#include "support/catch.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// An awaiter that has its result at once.
template <class T>
struct Ready {
    bool await_ready() const noexcept { return true; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    T await_resume() { return std::forward<T>(value); }
    T value;
};

Task<int> answer(int value = 42) {
    co_return value;
}

Task<int> broken() {
    throw std::runtime_error{"broken"};
    co_return 0;
}

template <class Breaker, class... Call>
auto await(Breaker& breaker, Call&&... call) {
    return runNow(
        [&]() -> Task<int> { co_return co_await breaker.guard(std::forward<Call>(call)...); }());
}

}  // namespace

TEST_CASE("A guarded await gives what the await gives, and counts as a success") {
    Rig rig;
    CHECK(await(rig.breaker, answer(7)) == 7);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEST_CASE("A guard that is never awaited asks for nothing") {
    Rig rig;
    rig.reachHalfOpen();
    const auto before = rig.stats().totalCalls;
    {
        const auto guarded = rig.breaker.guard(answer());
        CHECK(rig.stats().probesInFlight == 0);
    }
    CHECK(rig.stats().totalCalls == before);
    CHECK(framesAlive == 0);
}

TEST_CASE("A guard may be moved and kept, and is admitted when it is awaited") {
    Rig rig;
    auto guarded =
        std::make_unique<decltype(rig.breaker.guard(answer()))>(rig.breaker.guard(answer(3)));
    auto moved = std::move(*guarded);
    guarded.reset();
    rig.breaker.open();
    rig.breaker.close();
    const int result = runNow([](auto kept) -> Task<int> {
        co_return co_await kept;  // as an lvalue
    }(std::move(moved)));
    CHECK(result == 3);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEST_CASE("An lvalue is referred to, and may be awaited again") {
    Rig rig;
    Ready<int> ready{5};
    const int sum = runNow([](auto& breaker, Ready<int>& subject) -> Task<int> {
        auto guarded = breaker.guard(subject);
        int total = co_await guarded;
        subject.value = 6;
        total += co_await guarded;
        co_return total;
    }(rig.breaker, ready));
    CHECK(sum == 11);
    CHECK(rig.stats().totalSuccesses == 2);
}

TEST_CASE("What the await throws leaves unchanged, and is a failure") {
    Rig rig;
    CHECK_THROWS_WITH(await(rig.breaker, broken()), "broken");
    CHECK(rig.stats().totalFailures == 1);
    CHECK(rig.stats().lastError == "broken");
}

TEST_CASE("classifyError judges what the await throws") {
    Rig rig{{.classifyError = ignoring<std::runtime_error>()}};
    CHECK_THROWS_WITH(await(rig.breaker, broken()), "broken");
    CHECK(rig.stats().totalIgnored == 1);
}

TEST_CASE("A rejected await awaits nothing, and throws CircuitOpenError") {
    Rig rig;
    rig.breaker.open();
    bool started = false;
    const auto call = [&]() -> Task<int> {
        started = true;
        return answer();
    };
    CHECK_THROWS_AS(await(rig.breaker, call), CircuitOpenError);
    CHECK_THROWS_AS(await(rig.breaker, answer()), CircuitOpenError);
    CHECK_FALSE(started);
    CHECK(rig.stats().totalRejected == 2);
}

TEST_CASE("A rejection is returned where the result can carry it") {
    Rig rig;
    rig.breaker.open();
    std::error_code code;
    const auto root = [](auto& breaker, std::error_code& out) -> Root {
        out = co_await breaker.guard(Ready<std::error_code>{});
    }(rig.breaker, code);
    root.rethrow();
    CHECK(code == Errc::CircuitOpen);
}

TEST_CASE("A fallback answers rejections and failures, and not what was ignored") {
    Rig rig{{.classifyError = [](const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::logic_error&) {
            return Outcome::Ignored;
        } catch (...) {
            return Outcome::Failure;
        }
    }}};
    const auto cached = fallback([] { return -1; });
    CHECK(await(rig.breaker, answer(1), cached) == 1);
    CHECK(await(rig.breaker, broken(), cached) == -1);
    const auto ignored = []() -> Task<int> {
        throw std::logic_error{"mine"};
        co_return 0;
    };
    CHECK_THROWS_WITH(await(rig.breaker, ignored, cached), "mine");
    rig.breaker.open();
    CHECK(await(rig.breaker, answer(), cached) == -1);
    CHECK(await(rig.breaker, answer(), fallback([](const Rejection& rejection) {
                    return rejection.reason == RejectionReason::Open ? -2 : -3;
                })) == -2);
    CHECK(rig.stats().totalFailures == 1);
    CHECK(rig.stats().totalIgnored == 1);
}

TEST_CASE("A fallback and a function may own what they capture") {
    Rig rig;
    const std::string text(100, 'x');
    std::string result;
    const auto root = [](auto& breaker, const std::string& given, std::string& out) -> Root {
        const auto task = [](std::string value) -> Task<std::string> {
            if (value.empty()) throw std::runtime_error{"empty"};
            co_return value;
        };
        // Named, because gcc 12 destroys a closure twice that stands in a co_await expression and
        // owns something.
        auto good = breaker.guard([task, given] { return task(given); },
                                  fallback([given] { return given + "!"; }));
        auto bad = breaker.guard([task, given] { return task({}); },
                                 fallback([given] { return given + "!"; }));
        out = co_await good;
        out += co_await std::move(bad);
    }(rig.breaker, text, result);
    root.rethrow();
    CHECK(result == text + text + "!");
}

TEST_CASE("judgedBy judges one await, given as it is or made by a function") {
    Rig rig;
    const auto notFound = [](int status) {
        return status == 404 ? Outcome::Ignored
                             : (status >= 500 ? Outcome::Failure : Outcome::Success);
    };
    CHECK(await(rig.breaker, judgedBy(answer(200), notFound)) == 200);
    CHECK(await(rig.breaker, judgedBy(answer(404), notFound)) == 404);
    CHECK(await(rig.breaker, judgedBy([] { return answer(503); }, notFound)) == 503);
    CHECK_THROWS(await(rig.breaker, judgedBy(broken(), ignoring<std::runtime_error>())));
    CHECK(rig.stats().totalSuccesses == 1);
    CHECK(rig.stats().totalIgnored == 2);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("Results that say that they are errors are failures, and reach the coroutine") {
    Rig rig;
    std::error_code code;
    const auto root = [](auto& breaker, std::error_code& out) -> Root {
        out = co_await breaker.guard(
            Ready<std::error_code>{std::make_error_code(std::errc::io_error)});
    }(rig.breaker, code);
    root.rethrow();
    CHECK(code == std::errc::io_error);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("References, move-only values and void are given as they are") {
    Rig rig;
    int object = 1;
    int* seen = nullptr;
    std::unique_ptr<int> owned;
    const auto root = [](auto& breaker, int& subject, int*& out,
                         std::unique_ptr<int>& kept) -> Root {
        decltype(auto) reference = co_await breaker.guard(Ready<int&>{subject});
        static_assert(std::is_same_v<decltype(reference), int&>);
        out = &reference;
        kept = co_await breaker.guard(
            []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(2); });
        co_await breaker.guard([]() -> Task<> { co_return; });
        auto moving = breaker.guard(Ready<int&&>{std::move(subject)});
        static_assert(std::is_same_v<AwaitResult<decltype(moving)>, int&&>);
        out = (co_await moving) == 1 ? out : nullptr;
    }(rig.breaker, object, seen, owned);
    root.rethrow();
    CHECK(seen == &object);
    CHECK(*owned == 2);
    CHECK(rig.stats().totalSuccesses == 4);
}

TEST_CASE("A value that comes late counts as a timeout and reaches the coroutine") {
    Rig rig{{.requestTimeout = 2s}};
    const int value = await(rig.breaker, [&]() -> Task<int> {
        rig.clock.advance(3s);
        co_return 8;
    });
    CHECK(value == 8);
    CHECK(rig.stats().totalTimeouts == 1);
}

TEST_CASE("A function may take the call's context, for as long as it is awaited") {
    Rig rig{{.requestTimeout = 2s}};
    const auto value = await(rig.breaker, [&](const CallContext& call) -> Task<int> {
        rig.clock.advance(500ms);
        co_await Ready<int>{0};
        co_return static_cast<int>(
            std::chrono::duration_cast<std::chrono::milliseconds>(call.remaining()).count());
    });
    CHECK(value == 1500);
}

#if FUSEBOX_HAS_STOP_TOKEN

TEST_CASE("A function may take a stop token") {
    Rig rig;
    const auto value = await(rig.breaker, [](std::stop_token token) -> Task<int> {
        co_return token.stop_requested() ? 1 : 2;
    });
    CHECK(value == 2);
}

#endif

TEST_CASE("What a function that knew its deadline throws late is nested in CallTimeoutError") {
    Rig rig{{.requestTimeout = 2s}};
    const auto late = [&](auto&&...) -> Task<int> {
        rig.clock.advance(3s);
        throw std::runtime_error{"late"};
        co_return 0;
    };
    const auto knowing = [&](const CallContext& call) { return late(call); };
    try {
        await(rig.breaker, knowing);
        FAIL("it should have thrown");
    } catch (const CallTimeoutError& error) {
        CHECK(error.timeout() == 2s);
        CHECK_THROWS_WITH(std::rethrow_if_nested(error), "late");
    }
    CHECK_THROWS_WITH(await(rig.breaker, [&] { return late(); }), "late");
    CHECK(rig.stats().totalTimeouts == 2);
}

TEST_CASE("An open breaker recovers through guarded awaits") {
    Rig rig{{.successThreshold = 2}, ConsecutiveFailures{2}};
    for (int i = 0; i < 2; ++i) CHECK_THROWS(await(rig.breaker, broken()));
    CHECK(rig.state() == CircuitState::Open);
    rig.wait();
    CHECK(await(rig.breaker, answer(1)) == 1);
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(await(rig.breaker, answer(1)) == 1);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("A guard of a guard is two calls") {
    Rig outer;
    Rig inner;
    inner.breaker.open();
    CHECK_THROWS_AS(await(outer.breaker, inner.breaker.guard(answer())), CircuitOpenError);
    CHECK(outer.stats().totalFailures == 1);
    CHECK(inner.stats().totalRejected == 1);
}
