// SPDX-License-Identifier: MIT
// executeAsync: the caller gets a future, and the call is reported once, by whoever ends it.
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/executors.hpp"
#include "async/gate.hpp"
#include "breaker/conservation.hpp"
#include "breaker/rig.hpp"
#include "fusebox/async/execute_async.hpp"
#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/thread_pool.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "support/catch.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;
using std::chrono::steady_clock;

namespace {

/// What a future holds instead of a value.
template <class T>
std::string failureOf(std::future<T> future) {
    try {
        future.get();
    } catch (const CallTimeoutError&) {
        return "timeout";
    } catch (const QueueFullError&) {
        return "full";
    } catch (const CallDroppedError&) {
        return "dropped";
    } catch (const CircuitOpenError&) {
        return "open";
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}

template <class T>
bool isReady(const std::future<T>& future) {
    return future.wait_for(0s) == std::future_status::ready;
}

}  // namespace

TEST_CASE("executeAsync runs the call in the executor: the future has what it returned") {
    ThreadPool pool{1, 10};
    CircuitBreaker breaker{"b", kTwoSeconds};
    auto value = breaker.executeAsync(
        pool, [owned = std::make_unique<int>(7)]() mutable { return std::move(owned); });
    CHECK(*value.get() == 7);

    int target = 1;
    auto refer = [&target]() -> int& { return target; };
    static_assert(std::is_same_v<decltype(breaker.executeAsync(pool, refer)), std::future<int&>>);
    breaker.executeAsync(pool, refer).get() = 5;
    CHECK(target == 5);
    std::future<void> nothing = breaker.executeAsync(pool, [&target] { target = 6; });
    nothing.get();
    CHECK(target == 6);
    const std::string text = "constant";
    std::future<std::string> constant =
        breaker.executeAsync(pool, [&]() -> const std::string { return text; });
    CHECK(constant.get() == text);
    CHECK(breaker.stats().totalSuccesses == 4);
}

TEST_CASE("The call knows its deadline") {
    ThreadPool pool{1, 10};
    Rig rig{kTwoSeconds};
    CHECK(
        rig.breaker.executeAsync(pool, [](const CallContext& c) { return c.remaining(); }).get() ==
        2s);
#if FUSEBOX_HAS_STOP_TOKEN
    CircuitBreaker steady{"steady", kTwoSeconds};
    CHECK(steady.executeAsync(pool, [](std::stop_token t) { return t.stop_possible(); }).get());
#endif
}

TEST_CASE("Failures, rejections, timeouts, a full queue and a dropped call are told apart") {
    Rig rig{kTwoSeconds, ConsecutiveFailures{2}};
    InlineExecutor atOnce;
    CHECK(failureOf(rig.breaker.executeAsync(
              atOnce, [] { throw std::runtime_error{"refused"}; })) == "refused");
    CHECK(rig.stats().totalFailures == 1);
    CHECK(rig.stats().lastError == "refused");
    CHECK(failureOf(rig.breaker.executeAsync(atOnce, [&](const CallContext&) {
              rig.clock.advance(3s);
              throw std::runtime_error{"late"};
          })) == "timeout");
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(failureOf(rig.breaker.executeAsync(atOnce, [] {})) == "open");
    CHECK(rig.breaker.executeAsync(atOnce, [] { return std::error_code{}; }).get() ==
          Errc::CircuitOpen);
    CHECK(rig.stats().totalRejected == 2);
    rig.breaker.close();

    std::vector<RejectionReason> told;
    const auto subscription = rig.breaker.on<CallRejected>(
        [&](const CallRejected& event) { told.push_back(event.rejection.reason); });
    CHECK(failureOf(rig.breaker.executeAsync(FullExecutor{}, [] {})) == "full");
    CHECK(rig.breaker.executeAsync(FullExecutor{}, [] { return std::error_code{}; }).get() ==
          Errc::QueueFull);
    CHECK(told == std::vector<RejectionReason>(2, RejectionReason::QueueFull));
    CHECK(failureOf(rig.breaker.executeAsync(ForgetfulExecutor{}, [] {})) == "dropped");
    CHECK(rig.stats().totalCancelled == 3);
    // What the executor itself throws is no matter of the future's.
    CHECK_THROWS_AS(rig.breaker.executeAsync(BrokenExecutor{}, [] {}), std::length_error);
    CHECK(rig.stats().totalCancelled == 4);
    CHECK(rig.stats().totalRejected == 2);
}

TEST_CASE("A judge goes with its call into the executor") {
    ThreadPool pool{1, 10};
    Rig rig{{}, ConsecutiveFailures{100}};
    const auto here = std::this_thread::get_id();
    auto call = judgedBy([owned = std::make_unique<int>(404)] { return *owned; },
                         [here, owned = std::make_unique<int>(404)](int code) {
                             return code == *owned && std::this_thread::get_id() != here
                                        ? Outcome::Ignored
                                        : Outcome::Failure;
                         });
    CHECK(rig.breaker.executeAsync(pool, std::move(call)).get() == 404);
    CHECK(rig.stats().totalIgnored == 1);
    const auto named = judgedBy([] { return 500; }, [](int) { return Outcome::Failure; });
    CHECK(rig.breaker.executeAsync(pool, named).get() == 500);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("At the deadline the future is ready, and the breaker is not touched any more") {
    Gate release;
    Gate ended;
    bool late = false;
    ThreadPool pool{1, 10};
    {
        CircuitBreaker breaker{"b", {.requestTimeout = 20ms}};
        const auto before = steady_clock::now();
        CHECK(failureOf(breaker.executeAsync(pool, [&](const CallContext& context) {
                  release.wait();
                  late = context.remaining() == 0ns;
                  ended.open();
              })) == "timeout");
        CHECK(steady_clock::now() >= before + 20ms);
        CHECK(breaker.stats().totalTimeouts == 1);
        CHECK(breaker.stats().totalCalls == 1);
        checkConservation(breaker.stats());
    }
    release.open();
    ended.wait();
    CHECK(late);
}

TEST_CASE("A deadline on a clock of its own is looked for") {
    Rig rig{kTwoSeconds};
    LaterExecutor later;
    auto future = rig.breaker.executeAsync(later, [] { return 1; });
    CHECK(future.wait_for(20ms) == std::future_status::timeout);
    rig.clock.advance(2s);
    CHECK(failureOf(std::move(future)) == "timeout");
    CHECK(rig.stats().totalTimeouts == 1);
    later.run();
    CHECK(rig.stats().totalCalls == 1);
}

TEST_CASE("Without a deadline the future waits as long as it takes") {
    Rig rig{{.requestTimeout = kForever}};
    LaterExecutor later{rig.clock, 24h * 365};
    auto future = rig.breaker.executeAsync(later, [] { return 1; });
    CHECK_FALSE(isReady(future));
    later.run();
    CHECK(future.get() == 1);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEST_CASE("A future may be dropped: the call goes on and is counted") {
    ThreadPool pool{1, 10};
    CircuitBreaker breaker{"b", kTwoSeconds};
    Gate ran;
    {
        const auto dropped = breaker.executeAsync(pool, [&] { ran.open(); });
    }
    ran.wait();
    while (pool.unfinished() > 0) std::this_thread::yield();
    CHECK(breaker.stats().totalSuccesses == 1);
}

TEST_CASE("A pool that is destroyed gives every future an end") {
    CircuitBreaker breaker{"b", {.requestTimeout = 1h}};
    Gate started;
    Gate release;
    std::optional<ThreadPool> pool{std::in_place, 1, 10};
    auto running = breaker.executeAsync(*pool, [&] {
        started.open();
        release.wait();
        return 1;
    });
    started.wait();
    std::vector<std::future<int>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(breaker.executeAsync(*pool, [] { return 2; }));
    std::thread destroying{[&] { pool.reset(); }};
    for (auto& future : waiting) CHECK(failureOf(std::move(future)) == "dropped");
    CHECK_FALSE(isReady(running));
    release.open();
    CHECK(running.get() == 1);
    destroying.join();
    CHECK(breaker.stats().totalCancelled == 3);
    CHECK(breaker.stats().totalSuccesses == 1);
}

TEST_CASE("Probes of futures give their slots back, however they end") {
    Rig rig{{.halfOpenLimit = 1, .requestTimeout = 2s}};
    rig.reachHalfOpen();
    CHECK(failureOf(rig.breaker.executeAsync(FullExecutor{}, [] {})) == "full");
    CHECK(rig.stats().probesInFlight == 0);
    CHECK_THROWS(rig.breaker.executeAsync(BrokenExecutor{}, [] {}));
    CHECK(rig.stats().probesInFlight == 0);
    LaterExecutor later;
    auto future = rig.breaker.executeAsync(later, [] {});
    CHECK(rig.stats().probesInFlight == 1);
    later.drop();
    CHECK(failureOf(std::move(future)) == "dropped");
    CHECK(rig.stats().probesInFlight == 0);
    CHECK(rig.state() == CircuitState::HalfOpen);
    LaterExecutor hanging{rig.clock, 2s};
    CHECK(failureOf(rig.breaker.executeAsync(hanging, [] {})) == "timeout");
    CHECK(rig.stats().probesInFlight == 0);
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("Through a handle, the breaker lives until the future is ready, and no longer") {
    Gate release;
    ThreadPool pool{1, 10};
    auto handle = std::make_shared<CircuitBreaker<>>("b", kTwoSeconds);
    const std::weak_ptr<CircuitBreaker<>> watched = handle;
    auto future = executeAsync(handle, pool, [&] { release.wait(); });
    handle.reset();
    CHECK_FALSE(watched.expired());
    release.open();
    future.get();
    CHECK(watched.expired());

    // At the deadline, too, though the call hangs.
    Gate hang;
    handle = std::make_shared<CircuitBreaker<>>("b", CircuitBreakerOptions{.requestTimeout = 10ms});
    const std::weak_ptr<CircuitBreaker<>> other = handle;
    auto timedOut = executeAsync(handle, pool, [&] { hang.wait(); });
    handle.reset();
    CHECK(failureOf(std::move(timedOut)) == "timeout");
    CHECK(other.expired());
    hang.open();
}

TEST_CASE("A breaker by name, and as it is") {
    ThreadPool pool{1, 10};
    CircuitBreaker local{"local"};
    CHECK(executeAsync(local, pool, [] { return 1; }).get() == 1);
    CHECK(executeAsync("async/future by name", pool, [] { return 2; }).get() == 2);
    const auto handle = createCircuitBreaker("async/future by name");
    CHECK(handle->executeAsync(pool, [] { return 3; }).get() == 3);
    CHECK(handle->stats().totalSuccesses == 2);
}

TEST_CASE("A listener at the deadline may call the breaker") {
    Gate release;
    ThreadPool pool{1, 10};
    InlineExecutor atOnce;
    CircuitBreaker breaker{"b", {.requestTimeout = 10ms}};
    std::mutex mutex;
    int answer = 0;
    const auto subscription = breaker.on<CallTimedOut>([&] {
        const int result = breaker.executeOn(atOnce, [] { return 42; });
        const std::lock_guard lock{mutex};
        answer = result;
    });
    auto future = breaker.executeAsync(pool, [&] { release.wait(); });
    CHECK(failureOf(std::move(future)) == "timeout");
    {
        const std::lock_guard lock{mutex};
        CHECK(answer == 42);
    }
    release.open();
}
