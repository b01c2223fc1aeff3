// SPDX-License-Identifier: MIT
// What is an awaitable, and each form that an awaiter may have behind a guard.

#include "fusebox/async/awaitable.hpp"

#include <chrono>
#include <coroutine>
#include <optional>
#include <stdexcept>
#include <utility>

#include "breaker/rig.hpp"
#include "fusebox/async/guarded_awaitable.hpp"
#include "support/catch.hpp"
#include "support/task.hpp"

using namespace fusebox;
using namespace fusebox::test;

// Declared and never defined: not in an unnamed namespace, where compilers warn of that.
namespace archetypes {

/// The archetype: the least that an awaiter needs, and nothing else.
struct Archetype {
    struct Condition {
        explicit operator bool() const { return true; }
    };
    Archetype(const Archetype&) = delete;
    Condition await_ready() { return {}; }
    void await_suspend(std::coroutine_handle<>) {}
    void await_resume() {}
};

struct ByMember {
    Archetype& operator co_await();
};
struct ByMemberOfRvalue {
    Archetype operator co_await() &&;
};
struct ByFree {};
Archetype operator co_await(ByFree);

struct WithoutResume {
    bool await_ready();
    void await_suspend(std::coroutine_handle<>);
};
struct WithoutReady {
    void await_suspend(std::coroutine_handle<>);
    void await_resume();
};
struct ReadyIsNoCondition {
    void await_ready();
    void await_suspend(std::coroutine_handle<>);
    void await_resume();
};
struct OperatorReturnsNoAwaiter {
    int operator co_await();
};

struct OnlyInRoot {
    bool await_ready();
    void await_suspend(std::coroutine_handle<Root::promise_type>);
    int await_resume();
};
struct SuspendsStrangely {
    bool await_ready();
    int* await_suspend(std::coroutine_handle<>);
    void await_resume();
};

}  // namespace archetypes

namespace {

using namespace archetypes;

static_assert(Awaitable<Archetype>);
static_assert(Awaitable<Archetype&>);
static_assert(Awaitable<ByMember>);
static_assert(Awaitable<ByMemberOfRvalue>);
static_assert(!Awaitable<ByMemberOfRvalue&>);
static_assert(Awaitable<ByFree>);
static_assert(Awaitable<std::suspend_always>);
static_assert(Awaitable<Task<int>>);
static_assert(!Awaitable<WithoutResume>);
static_assert(!Awaitable<WithoutReady>);
static_assert(!Awaitable<ReadyIsNoCondition>);
static_assert(!Awaitable<OperatorReturnsNoAwaiter>);
static_assert(!Awaitable<int>);
static_assert(!Awaitable<void>);

static_assert(AwaitableIn<Archetype, void>);
static_assert(AwaitableIn<OnlyInRoot, Root::promise_type>);
static_assert(!AwaitableIn<OnlyInRoot, Detached::promise_type>);
static_assert(!AwaitableIn<SuspendsStrangely, void>);

using Guarded = decltype(std::declval<CircuitBreaker<>&>().guard(std::declval<OnlyInRoot>()));
static_assert(Awaitable<Guarded>);
static_assert(AwaitableIn<Guarded, Root::promise_type>);
static_assert(!AwaitableIn<Guarded, Detached::promise_type>);
static_assert(std::is_same_v<AwaitResult<Guarded>, int>);

/// How an awaiter goes on.
enum class Way { Waits, InlineResume, GoesOn, Transfers, Throws, ThrowsWhenReady };

/// An awaiter whose await_suspend returns `Returned`; immovable, as awaiters may be.
template <class Returned>
struct Suspends {
    explicit Suspends(Way w, std::coroutine_handle<>* where = nullptr) : way(w), out(where) {}
    Suspends(const Suspends&) = delete;

    bool await_ready() const {
        if (way == Way::ThrowsWhenReady) throw std::runtime_error{"not ready"};
        return false;
    }
    Returned await_suspend(std::coroutine_handle<> waiting) {
        if (way == Way::Throws) throw std::runtime_error{"not suspended"};
        if (out) *out = waiting;
        if (way == Way::InlineResume) waiting.resume();
        if constexpr (std::is_same_v<Returned, bool>) {
            return way != Way::GoesOn;
        } else if constexpr (!std::is_void_v<Returned>) {
            return way == Way::Transfers ? waiting : std::noop_coroutine();
        }
    }
    int await_resume() const { return 1; }

    Way way;
    std::coroutine_handle<>* out;
};

template <class Breaker, class Returned>
Root awaits(Breaker& breaker, Suspends<Returned>& awaiter, int& result) {
    result = co_await breaker.guard(awaiter);
}

template <class Breaker, class Returned>
Root awaitsWithFallback(Breaker& breaker, Suspends<Returned>& awaiter, int& result) {
    result = co_await breaker.guard(awaiter, fallback([] { return -1; }));
}

}  // namespace

TEMPLATE_TEST_CASE("Whatever await_suspend returns, a coroutine that waits goes on when resumed",
                   "", void, bool, std::coroutine_handle<>) {
    Rig rig;
    int result = 0;
    std::coroutine_handle<> waiting;
    Suspends<TestType> awaiter{Way::Waits, &waiting};
    const Root root = awaits(rig.breaker, awaiter, result);
    CHECK(result == 0);
    CHECK(rig.stats().totalCalls == 0);
    waiting.resume();
    CHECK(root.done());
    CHECK(result == 1);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEMPLATE_TEST_CASE("A coroutine may be resumed inside await_suspend", "", void, bool,
                   std::coroutine_handle<>) {
    Rig rig;
    int result = 0;
    Suspends<TestType> awaiter{Way::InlineResume};
    const Root root = awaits(rig.breaker, awaiter, result);
    CHECK(root.done());
    CHECK(result == 1);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEST_CASE("await_suspend that returns false goes on") {
    Rig rig;
    int result = 0;
    Suspends<bool> awaiter{Way::GoesOn};
    const Root root = awaits(rig.breaker, awaiter, result);
    CHECK(root.done());
    CHECK(result == 1);
}

TEST_CASE("Symmetric transfer goes where the inner awaiter says") {
    Rig rig;
    int result = 0;
    Suspends<std::coroutine_handle<>> awaiter{Way::Transfers};
    const Root root = awaits(rig.breaker, awaiter, result);
    CHECK(root.done());
    CHECK(result == 1);
}

TEMPLATE_TEST_CASE("await_suspend and await_ready that throw are failures", "", void, bool,
                   std::coroutine_handle<>) {
    Rig rig;
    int result = 0;
    for (const Way way : {Way::Throws, Way::ThrowsWhenReady}) {
        Suspends<TestType> awaiter{way};
        const Root root = awaits(rig.breaker, awaiter, result);
        REQUIRE(root.done());
        CHECK_THROWS_AS(root.rethrow(), std::runtime_error);
        const Root answered = awaitsWithFallback(rig.breaker, awaiter, result);
        REQUIRE(answered.done());
        CHECK_NOTHROW(answered.rethrow());
        CHECK(result == -1);
    }
    CHECK(rig.stats().totalFailures == 4);
}

namespace {

/// Has an operator co_await that throws, or returns an immovable awaiter.
struct Operand {
    bool throws = false;
    Suspends<bool> operator co_await() const {
        if (throws) throw std::runtime_error{"no awaiter"};
        return Suspends<bool>{Way::GoesOn};
    }
};

struct FreeOperand {};
Suspends<bool> operator co_await(FreeOperand&&) {
    return Suspends<bool>{Way::GoesOn};
}

}  // namespace

TEST_CASE("operator co_await may be a member or free, and what it returns immovable") {
    Rig rig;
    int result = 0;
    const Root root = [](auto& breaker, int& out) -> Root {
        out += co_await breaker.guard(Operand{});
        out += co_await breaker.guard(FreeOperand{});
        const Operand operand;
        out += co_await breaker.guard(operand);
        out += co_await breaker.guard([] { return Suspends<bool>{Way::GoesOn}; });
    }(rig.breaker, result);
    root.rethrow();
    CHECK(result == 4);
    CHECK(rig.stats().totalSuccesses == 4);
}

TEST_CASE("operator co_await or a function that throws is a failure") {
    Rig rig;
    const Root root = [](auto& breaker) -> Root {
        co_await breaker.guard(Operand{true});
    }(rig.breaker);
    CHECK_THROWS_WITH(root.rethrow(), "no awaiter");
    const Root made = [](auto& breaker) -> Root {
        co_await breaker.guard([]() -> Operand { throw std::runtime_error{"no operand"}; });
    }(rig.breaker);
    CHECK_THROWS_WITH(made.rethrow(), "no operand");
    CHECK(rig.stats().totalFailures == 2);
}

TEST_CASE("An awaiter is told the promise of the coroutine that awaits") {
    struct AsksPromise {
        bool await_ready() const { return false; }
        bool await_suspend(std::coroutine_handle<Root::promise_type> waiting) {
            promise = &waiting.promise();
            return false;
        }
        bool await_resume() const { return promise != nullptr; }
        Root::promise_type* promise = nullptr;
    };
    Rig rig;
    bool told = false;
    const Root root = [](auto& breaker, bool& out) -> Root {
        out = co_await breaker.guard(AsksPromise{});
    }(rig.breaker, told);
    CHECK(told);
}

TEST_CASE("A chain of a million symmetric transfers needs no stack") {
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
    const int length = 1'000'000;
#else
    const int length = 1'000;  // Without optimisation compilers do not turn transfers into jumps.
#endif
    Rig rig;
    const int sum = runNow([](auto& breaker, int times) -> Task<int> {
        int total = 0;
        for (int i = 0; i < times; ++i) {
            total += co_await breaker.guard([]() -> Task<int> { co_return 1; });
        }
        co_return total;
    }(rig.breaker, length));
    CHECK(sum == length);
    CHECK(rig.stats().totalSuccesses == static_cast<std::uint64_t>(length));
}
