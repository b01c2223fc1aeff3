// SPDX-License-Identifier: MIT
// What execute gives back, how it calls fn, and how often.
#include <any>
#include <concepts>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "support/catch.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;

// A context converts to nothing, so that it never lands in a parameter meant for something else.
static_assert(!std::is_convertible_v<const CallContext&, std::any>);
static_assert(!std::is_convertible_v<const CallContext&, bool>);
static_assert(!std::is_convertible_v<const CallContext&, std::chrono::nanoseconds>);
static_assert(!std::is_copy_constructible_v<CallContext>);
#if FUSEBOX_HAS_STOP_TOKEN
static_assert(!std::is_convertible_v<const CallContext&, std::stop_token>);
#endif

namespace {

/// Notes in which form it was called.
struct EveryForm {
    std::string* form;
    void operator()(const CallContext&) const { *form = "context"; }
#if FUSEBOX_HAS_STOP_TOKEN
    void operator()(std::stop_token) const {
        *form = "token";
    }
#endif
    void operator()() const {
        *form = "none";
    }
};
struct NoContext {
    std::string* form;
#if FUSEBOX_HAS_STOP_TOKEN
    void operator()(const std::stop_token&) const {
        *form = "token";
    }
#endif
    void operator()() const {
        *form = "none";
    }
};

/// Throws when it is moved, but for the first `free` times.
struct ThrowsOnMove {
    explicit ThrowsOnMove(int freeMoves) : free(freeMoves) {}
    ThrowsOnMove(ThrowsOnMove&& other) : free(other.free - 1) {
        if (free < 0) throw std::logic_error{"moved"};
    }
    int free;
};

struct Counter {
    int value = 40;
    [[nodiscard]] int addTwo() const { return value + 2; }
};

int plainFunction() {
    return 11;
}

}  // namespace

TEST_CASE("A value, a reference and void come back as they are") {
    Rig rig;
    int target = 1;
    const auto reference = [&]() -> int& { return target; };
    const auto constReference = [&]() -> const int& { return target; };
    const auto rvalue = [&]() -> int&& { return std::move(target); };
    const auto nothing = [] {};
    STATIC_REQUIRE(std::same_as<decltype(rig.breaker.execute([] { return 7; })), int>);
    STATIC_REQUIRE(std::same_as<decltype(rig.breaker.execute(reference)), int&>);
    STATIC_REQUIRE(std::same_as<decltype(rig.breaker.execute(constReference)), const int&>);
    STATIC_REQUIRE(std::same_as<decltype(rig.breaker.execute(rvalue)), int&&>);
    STATIC_REQUIRE(std::same_as<decltype(rig.breaker.execute(nothing)), void>);
    CHECK(rig.breaker.execute([] { return 7; }) == 7);
    CHECK(&rig.breaker.execute(reference) == &target);
    CHECK(&rig.breaker.execute(constReference) == &target);
    int&& moved = rig.breaker.execute(rvalue);
    CHECK(&moved == &target);
    rig.breaker.execute(nothing);
    CHECK(rig.stats().totalSuccesses == 5);
}

TEST_CASE("Results and callables may be move-only") {
    Rig rig;
    auto owned = std::make_unique<int>(5);
    const auto result =
        rig.breaker.execute([held = std::move(owned)]() mutable { return std::move(held); });
    REQUIRE(result);
    CHECK(*result == 5);
}

TEST_CASE("Anything that can be invoked can be called through a breaker") {
    Rig rig;
    const Counter counter;
    const std::function<int()> function = [] { return 3; };
    CHECK(rig.breaker.execute(plainFunction) == 11);
    CHECK(rig.breaker.execute(&plainFunction) == 11);
    CHECK(rig.breaker.execute(function) == 3);
    CHECK(rig.breaker.execute(std::bind_front(&Counter::addTwo, &counter)) == 42);
    auto mutableCall = [n = 0]() mutable { return ++n; };
    CHECK(rig.breaker.execute(mutableCall) == 1);
    CHECK(rig.breaker.execute(mutableCall) == 2);  // an lvalue is called in place, not copied
}

TEST_CASE("A callable is invoked with its own value category") {
    struct Categories {
        std::string operator()() & { return "lvalue"; }
        std::string operator()() const& { return "const lvalue"; }
        std::string operator()() && { return "rvalue"; }
    };
    Rig rig;
    Categories callable;
    CHECK(rig.breaker.execute(callable) == "lvalue");
    CHECK(rig.breaker.execute(std::as_const(callable)) == "const lvalue");
    CHECK(rig.breaker.execute(Categories{}) == "rvalue");
}

TEST_CASE("fn is called once when the breaker admits, and not at all when it rejects") {
    Rig rig;
    int calls = 0;
    rig.breaker.execute([&] { ++calls; });
    CHECK(calls == 1);
    CHECK_THROWS_AS(rig.breaker.execute([&] {
        ++calls;
        throw std::runtime_error{"x"};
    }),
                    std::runtime_error);
    CHECK(calls == 2);
    rig.breaker.open();
    CHECK_THROWS_AS(rig.breaker.execute([&] { ++calls; }), CircuitOpenError);
    CHECK(calls == 2);
    CHECK(rig.stats().totalRejected == 1);
}

TEST_CASE("The first form that fn accepts is the one that is called") {
    Rig rig;
    std::string form;
    rig.breaker.execute(EveryForm{&form});
    CHECK(form == "context");
    rig.breaker.execute(NoContext{&form});
    CHECK(form == (FUSEBOX_HAS_STOP_TOKEN ? "token" : "none"));
    rig.breaker.execute([&](auto&&... arguments) { form = std::to_string(sizeof...(arguments)); });
    CHECK(form == "1");
}

#if FUSEBOX_HAS_STOP_TOKEN
TEST_CASE("A call may take a stop token, of which no stop is requested at its start") {
    Rig rig;
    CHECK_FALSE(rig.breaker.execute([](std::stop_token token) { return token.stop_requested(); }));
    CHECK_FALSE(rig.breaker.execute(
        [](const CallContext& context) { return context.stopToken().stop_requested(); }));
    // Clocks off the steady time line never request one; `remaining()` still tells.
    CHECK_FALSE(rig.breaker.execute([&](const CallContext& context) {
        rig.clock.advance(31s);
        return context.stopToken().stop_requested() || context.remaining() != 0ns;
    }));
}
#endif

TEST_CASE("An exception leaves unchanged, of whatever type it is") {
    Rig rig;
    const std::runtime_error* thrown = nullptr;
    try {
        rig.breaker.execute([&] {
            try {
                throw std::runtime_error{"refused"};
            } catch (const std::runtime_error& error) {
                thrown = &error;
                throw;
            }
        });
        FAIL("should have thrown");
    } catch (const std::runtime_error& error) {
        CHECK(&error == thrown);  // the same object, not a copy
    }
    CHECK_THROWS_AS(rig.breaker.execute([] { throw 42; }), int);
    CHECK(rig.stats().totalFailures == 2);
}

TEST_CASE("A result whose move throws is a call that succeeded, and what it throws leaves") {
    Rig rig;
    auto call = [&](int freeMoves) {
        (void)rig.breaker.execute([&] { return ThrowsOnMove{freeMoves}; });
    };
    // Whether a move happens at all is the compiler's choice; the report is made once either way.
    for (int freeMoves = 0; freeMoves < 3; ++freeMoves) {
        try {
            call(freeMoves);
        } catch (const std::logic_error& error) {
            CHECK(std::string{error.what()} == "moved");
        }
    }
    CHECK(rig.stats().totalSuccesses == 3);
    CHECK(rig.stats().totalCalls == 3);
}

TEST_CASE("A rejected call throws who rejected it, in which state, and when to come back") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.breaker.open();
    rig.clock.advance(3s);
    try {
        rig.breaker.execute([] { return 1; });
        FAIL("should have thrown");
    } catch (const CircuitOpenError& error) {
        CHECK(error.name() == "rig");
        CHECK(error.state() == CircuitState::Open);
        CHECK(error.retryAfter() == 7s);
        CHECK(error.rejection() == Rejection{"rig", CircuitState::Open, RejectionReason::Open, 7s});
    }
}

TEST_CASE("What was thrown outlives the breaker that threw it") {
    std::exception_ptr kept;
    {
        CircuitBreaker breaker{"a name too long for any small-string buffer"};
        breaker.open();
        try {
            breaker.execute([] {});
        } catch (...) {
            kept = std::current_exception();
        }
    }
    try {
        std::rethrow_exception(kept);
    } catch (const CircuitOpenError& error) {
        CHECK(error.name() == "a name too long for any small-string buffer");
        CHECK(error.rejection().breaker == error.name());
    }
}

TEST_CASE("The rejection by an inner breaker is a failure like any other") {
    Rig outer{{}, ConsecutiveFailures{1}};
    Rig inner;
    inner.breaker.open();
    CHECK_THROWS_AS(outer.breaker.execute([&] { inner.breaker.execute([] {}); }), CircuitOpenError);
    CHECK(outer.stats().totalFailures == 1);
    CHECK(outer.state() == CircuitState::Open);
}

TEST_CASE("Calls nest, also in one breaker") {
    Rig rig;
    CHECK(rig.breaker.execute([&] { return rig.breaker.execute([] { return 2; }) + 1; }) == 3);
    CHECK(rig.stats().totalSuccesses == 2);
}

TEST_CASE("A success is a success with or without the measuring of latency") {
    for (const bool measured : {true, false}) {
        for (const bool tracked : {true, false}) {
            Rig rig{{.measureLatency = measured, .trackInFlight = tracked}};
            CHECK(rig.breaker.execute([] { return 5; }) == 5);
            CHECK_THROWS_AS(rig.breaker.execute([] { throw 1; }), int);
            CHECK(rig.stats().totalSuccesses == 1);
            CHECK(rig.stats().totalFailures == 1);
            CHECK(rig.stats().averageResponseTime.has_value() == measured);
        }
    }
}

TEST_CASE("A result whose move throws no std::exception is a success, too") {
    struct Throws {
        explicit Throws(int freeMoves) : free(freeMoves) {}
        Throws(Throws&& other) : free(other.free - 1) {
            if (free < 0) throw 7;
        }
        int free;
    };
    Rig rig;
    for (int freeMoves = 0; freeMoves < 3; ++freeMoves) {
        try {
            (void)rig.breaker.execute([&] { return Throws{freeMoves}; });
        } catch (int thrown) {
            CHECK(thrown == 7);
        }
    }
    CHECK(rig.stats().totalSuccesses == 3);
    CHECK(rig.stats().totalCalls == 3);
}
