// SPDX-License-Identifier: MIT
// A guard allocates nothing, however often it is awaited.

#include "support/allocations.hpp"

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

#include <coroutine>
#include <cstdint>
#include <optional>
#include <system_error>

#include "breaker/rig.hpp"
#include "fusebox/async/guarded_awaitable.hpp"
#include "support/catch.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

constexpr int kMillion = 1'000'000;

/// Suspends, and is resumed by whoever asked for the result.
struct Yield {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept { *out = waiting; }
    std::error_code await_resume() const noexcept { return {}; }
    std::coroutine_handle<>* out;
};

Task<int> one() {
    co_return 1;
}

template <class Breaker>
Root yields(Breaker& breaker, std::coroutine_handle<>& waiting) {
    for (;;) (void)co_await breaker.guard(Yield{&waiting});
}

template <class Breaker>
Root awaitsTasks(Breaker& breaker, std::coroutine_handle<>& waiting, int& sum) {
    const auto cached = fallback([] { return -1; });
    for (;;) {
        sum += co_await breaker.guard(one());
        sum += co_await breaker.guard(one, cached);
        sum += co_await breaker.guard(judgedBy(one(), [](int) { return Outcome::Ignored; }));
        sum += co_await breaker.guard([](const CallContext&) { return one(); });
        co_await Yield{&waiting};
    }
}

}  // namespace

TEST_CASE("A million guarded awaits allocate nothing") {
    Rig rig{{.measureLatency = false}};
    std::coroutine_handle<> waiting;
    const Root root = yields(rig.breaker, waiting);
    CHECK(allocationsIn([&] {
              for (int i = 0; i < kMillion; ++i) waiting.resume();
          }) == 0);
    CHECK(rig.stats().totalSuccesses == kMillion);
}

TEST_CASE("A million measured awaits allocate once: the breaker's wider counts of latencies") {
    Rig rig;
    std::coroutine_handle<> waiting;
    const Root root = yields(rig.breaker, waiting);
    CHECK(allocationsIn([&] {
              for (int i = 0; i < kMillion; ++i) waiting.resume();
          }) == 1);
    CHECK(rig.stats().totalSuccesses == kMillion);
}

TEST_CASE("A million rejected awaits allocate nothing") {
    Rig rig{{.measureLatency = false}};
    std::coroutine_handle<> waiting;
    rig.breaker.open();
    std::uint64_t rejected = 0;
    const Root root = [](auto& breaker, std::coroutine_handle<>& out, std::uint64_t& sum) -> Root {
        for (;;) {
            const std::error_code code = co_await breaker.guard(Yield{&out});
            sum += code == Errc::CircuitOpen ? 1 : 0;
            if (sum % kMillion == 0) co_await Yield{&out};
        }
    }(rig.breaker, waiting, rejected);
    CHECK(rejected == kMillion);
    CHECK(allocationsIn([&] { waiting.resume(); }) == 0);
    CHECK(rejected == 2 * kMillion);
}

TEST_CASE("Guarded tasks allocate their own frames and nothing else, in every form") {
    Rig rig{{.measureLatency = false}};
    std::coroutine_handle<> waiting;
    int sum = 0;
    const Root root = awaitsTasks(rig.breaker, waiting, sum);
    CHECK(allocationsIn([&] {
              for (int i = 0; i < 10'000; ++i) waiting.resume();
          }) == 40'000);
    CHECK(sum == 40'004);
}

#endif
