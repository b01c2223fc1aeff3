// SPDX-License-Identifier: MIT
// executeOn: what execute does, on another thread and no longer than the deadline.
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
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
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

/// What leaves `call`, by type and in words.
template <class Call>
std::string leaving(Call&& call) {
    try {
        std::forward<Call>(call)();
    } catch (const CallTimeoutError& error) {
        return std::string{"timeout: "} + error.what();
    } catch (const QueueFullError& error) {
        return std::string{"full: "} + error.what();
    } catch (const CallDroppedError& error) {
        return std::string{"dropped: "} + error.what();
    } catch (const CircuitOpenError& error) {
        return std::string{"open: "} + error.what();
    } catch (const std::exception& error) {
        return error.what();
    }
    return "nothing";
}

}  // namespace

TEST_CASE("executeOn runs the call in the executor and returns what it returned") {
    ThreadPool pool{1, 4};
    CircuitBreaker breaker{"b", kTwoSeconds};
    const auto here = std::this_thread::get_id();
    CHECK(breaker.executeOn(pool, [] { return std::this_thread::get_id(); }) != here);
    CHECK(*breaker.executeOn(pool, [] { return std::make_unique<int>(7); }) == 7);

    int target = 1;
    auto refer = [&target]() -> int& { return target; };
    static_assert(std::is_same_v<decltype(breaker.executeOn(pool, refer)), int&>);
    breaker.executeOn(pool, refer) = 5;
    CHECK(target == 5);
    static_assert(std::is_void_v<decltype(breaker.executeOn(pool, [] {}))>);
    breaker.executeOn(pool, [&target] { target = 6; });
    CHECK(target == 6);
    const std::exception_ptr given = std::make_exception_ptr(1);
    CHECK(breaker.executeOn(pool, [&] { return given; }) == given);

    const auto stats = breaker.stats();
    CHECK(stats.totalSuccesses == 5);
    checkConservation(stats);
}

TEST_CASE("A call is moved into the executor, or copied if it has a name") {
    ThreadPool pool{1, 4};
    CircuitBreaker breaker{"b", kTwoSeconds};
    CHECK(breaker.executeOn(pool, [owned = std::make_unique<int>(3)] { return *owned; }) == 3);

    const auto shared = std::make_shared<int>(4);
    auto counting = [shared, calls = 0]() mutable { return ++calls; };
    CHECK(breaker.executeOn(pool, counting) == 1);
    CHECK(breaker.executeOn(pool, counting) == 1);
    CHECK(breaker.executeOn(pool, std::as_const(counting)) == 1);
    CHECK(counting() == 1);
    CHECK(breaker.executeOn(pool, std::move(counting)) == 2);

    struct {
        int operator()() & { return 1; }
        int operator()() && { return 2; }
    } byCategory;
    CHECK(breaker.executeOn(pool, byCategory) == 1);
    CHECK(breaker.executeOn(pool, std::move(byCategory)) == 2);
    int (*const function)() = [] { return 8; };
    CHECK(breaker.executeOn(pool, *function) == 8);
}

TEST_CASE("What a call holds is destroyed in the executor, before its caller goes on") {
    struct Holder {
        std::thread::id* destroyedIn;
        explicit Holder(std::thread::id& id) : destroyedIn(&id) {}
        Holder(const Holder&) = delete;
        Holder& operator=(const Holder&) = delete;
        Holder(Holder&& other) noexcept : destroyedIn(std::exchange(other.destroyedIn, nullptr)) {}
        ~Holder() {
            if (destroyedIn) *destroyedIn = std::this_thread::get_id();
        }
    };
    ThreadPool pool{1, 4};
    CircuitBreaker breaker{"b", kTwoSeconds};
    std::thread::id destroyedIn;
    const auto ranIn = breaker.executeOn(
        pool, [holder = Holder{destroyedIn}] { return std::this_thread::get_id(); });
    CHECK(destroyedIn == ranIn);
}

TEST_CASE("Any executor will do") {
    CircuitBreaker breaker{"b", kTwoSeconds};
    InlineExecutor atOnce;
    CHECK(breaker.executeOn(atOnce, [] { return 1; }) == 1);
    CHECK(breaker.executeOn(InlineExecutor{}, [] { return 2; }) == 2);
    ThreadExecutor threads;
    CHECK(breaker.executeOn(threads, [owned = std::make_unique<int>(3)] { return *owned; }) == 3);
}

TEST_CASE("The call knows its deadline, as in execute") {
    ThreadPool pool{1, 4};
    Rig rig{kTwoSeconds};
    rig.clock.advance(1h);
    const auto left = rig.breaker.executeOn(pool, [&](const CallContext& context) {
        const nanoseconds all = context.remaining();
        rig.clock.advance(500ms);
        return std::pair{all, context.remaining()};
    });
    CHECK(left.first == 2s);
    CHECK(left.second == 1500ms);

    CircuitBreaker steady{"steady", kTwoSeconds};
    const auto before = steady_clock::now();
    const auto deadline =
        steady.executeOn(pool, [](const CallContext& context) { return context.deadline(); });
    CHECK(deadline >= before + 2s);
    CHECK(deadline <= steady_clock::now() + 2s);
#if FUSEBOX_HAS_STOP_TOKEN
    CHECK(steady.executeOn(pool, [](std::stop_token token) { return token.stop_possible(); }));
#endif
}

TEST_CASE("Results, exceptions and judges count as in execute") {
    ThreadPool pool{1, 4};
    Rig rig{{.classifyError = ignoring<std::out_of_range>()}, ConsecutiveFailures{100}};
    auto& breaker = rig.breaker;
    CHECK(breaker.executeOn(pool, [] { return std::make_error_code(std::errc::io_error); }) ==
          std::errc::io_error);
    CHECK(rig.stats().totalFailures == 1);
    CHECK(leaving([&] { breaker.executeOn(pool, [] { throw std::runtime_error{"refused"}; }); }) ==
          "refused");
    CHECK(rig.stats().totalFailures == 2);
    CHECK(rig.stats().lastError == "refused");
    CHECK_THROWS_AS(breaker.executeOn(pool, []() -> int { throw std::out_of_range{"no"}; }),
                    std::out_of_range);
    CHECK(rig.stats().totalIgnored == 1);
    CHECK_THROWS_AS(breaker.executeOn(pool, [] { throw 1; }), int);
    CHECK(rig.stats().lastError == "an exception not derived from std::exception");

    const auto here = std::this_thread::get_id();
    bool judgedHere = false;
    const auto status = judgedBy([owned = std::make_shared<int>(404)] { return *owned; },
                                 [&](int code) {
                                     judgedHere = std::this_thread::get_id() == here;
                                     return code == 404 ? Outcome::Ignored : Outcome::Failure;
                                 });
    CHECK(breaker.executeOn(pool, status) == 404);
    CHECK(judgedHere);
    CHECK(rig.stats().totalIgnored == 2);
    CHECK(breaker.executeOn(pool, judgedBy([owned = std::make_unique<int>(500)] { return *owned; },
                                           [](int) { return Outcome::Timeout; })) == 500);
    CHECK(rig.stats().totalTimeouts == 1);
}

TEST_CASE("A late result that still comes before the caller has gone counts as in execute") {
    InlineExecutor atOnce;
    Rig rig{kTwoSeconds, ConsecutiveFailures{100}};
    CHECK(rig.breaker.executeOn(atOnce, [&] {
        rig.clock.advance(3s);
        return 1;
    }) == 1);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(leaving([&] {
              rig.breaker.executeOn(atOnce, [&](const CallContext&) {
                  rig.clock.advance(3s);
                  throw std::runtime_error{"slow"};
              });
          }) == "timeout: circuit breaker \"rig\": the call took longer than 2 s");
    CHECK(leaving([&] {
              rig.breaker.executeOn(atOnce, [&] {
                  rig.clock.advance(3s);
                  throw std::runtime_error{"slow"};
              });
          }) == "slow");
    CHECK(rig.stats().totalTimeouts == 3);
}

TEST_CASE("A rejected call does not reach the executor") {
    LaterExecutor later;
    Rig rig;
    rig.trip();
    CHECK(leaving([&] { rig.breaker.executeOn(later, [] {}); }).starts_with("open: "));
    CHECK(rig.breaker.executeOn(later, [] { return std::error_code{}; }) == Errc::CircuitOpen);
    CHECK(rig.breaker.executeOn(
              later, [] { return 1; }, fallback([](const Rejection& rejection) {
                  return rejection.reason == RejectionReason::Open ? 2 : 3;
              })) == 2);
    CHECK(later.size() == 0);
}

TEST_CASE("At the deadline the caller goes, and the call is a timeout") {
    Rig rig{kTwoSeconds, ConsecutiveFailures{3}};
    LaterExecutor hanging{rig.clock, 2s};
    bool ran = false;
    CHECK(leaving([&] { rig.breaker.executeOn(hanging, [&] { ran = true; }); }) ==
          "timeout: circuit breaker \"rig\": the call took longer than 2 s");
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().consecutiveFailures == 1);
    CHECK(rig.stats().lastError == "the call took longer than its deadline");
    // Whatever the classifier thinks of exceptions: it is not asked.
    const auto ignored =
        judgedBy([] { return 1; }, [](std::exception_ptr) { return Outcome::Ignored; });
    CHECK_THROWS_AS(rig.breaker.executeOn(hanging, ignored), CallTimeoutError);
    CHECK(rig.stats().totalTimeouts == 2);
    CHECK(rig.breaker.executeOn(
              hanging, [] { return 1; }, fallback([](std::exception_ptr error) {
                  try {
                      std::rethrow_exception(error);
                  } catch (const CallTimeoutError& timeout) {
                      return static_cast<int>(timeout.timeout() / 1s);
                  }
              })) == 2);
    CHECK(rig.state() == CircuitState::Open);
    // Nobody waits any more for what has not begun.
    hanging.run();
    CHECK_FALSE(ran);
    CHECK(rig.stats().totalCalls == 3);
}

TEST_CASE("Without measured latencies the deadline holds as well") {
    Rig rig{{.requestTimeout = 2s, .measureLatency = false}};
    LaterExecutor hanging{rig.clock, 3s};
    CHECK_THROWS_AS(rig.breaker.executeOn(hanging, [] {}), CallTimeoutError);
    CHECK(rig.stats().totalTimeouts == 1);
}

TEST_CASE("A real hang is left at the deadline: its late result is destroyed in the executor") {
    struct Result {
        std::thread::id* destroyedIn;
        Gate* destroyed;
        Result(std::thread::id& id, Gate& gate) : destroyedIn(&id), destroyed(&gate) {}
        Result(const Result&) = delete;
        Result& operator=(const Result&) = delete;
        Result(Result&& other) noexcept
            : destroyedIn(other.destroyedIn), destroyed(std::exchange(other.destroyed, nullptr)) {}
        ~Result() {
            if (!destroyed) return;
            *destroyedIn = std::this_thread::get_id();
            destroyed->open();
        }
    };
    std::thread::id destroyedIn;
    std::thread::id ranIn;
    Gate destroyed;
    Gate release;
    nanoseconds left = 1h;
    ThreadPool pool{1, 4};
    {
        CircuitBreaker breaker{"b", {.requestTimeout = 20ms}};
        const auto before = steady_clock::now();
        CHECK_THROWS_AS(breaker.executeOn(pool,
                                          [&](const CallContext& context) {
                                              release.wait();
                                              // The breaker is gone; what it told is not.
                                              left = context.remaining();
                                              ranIn = std::this_thread::get_id();
                                              return Result{destroyedIn, destroyed};
                                          }),
                        CallTimeoutError);
        CHECK(steady_clock::now() >= before + 20ms);
        CHECK(breaker.stats().totalTimeouts == 1);
        CHECK(breaker.stats().totalCalls == 1);
    }
    release.open();
    destroyed.wait();
    CHECK(destroyedIn == ranIn);
    CHECK(left == 0ns);
}

TEST_CASE("What a call throws late, when the breaker is gone, is gone with it") {
    Gate started;
    Gate release;
    ThreadPool pool{1, 4};
    {
        Rig rig{kTwoSeconds};
        std::thread time{[&] {
            started.wait();
            rig.clock.advance(2s);
        }};
        CHECK_THROWS_AS(rig.breaker.executeOn(pool,
                                              [&](const CallContext& context) -> int {
                                                  started.open();
                                                  release.wait();
                                                  throw context.remaining();
                                              }),
                        CallTimeoutError);
        time.join();
    }
    release.open();
    while (pool.unfinished() > 0) std::this_thread::yield();
}

TEST_CASE("Without a deadline the caller waits as long as it takes") {
    ThreadPool pool{1, 4};
    Rig rig{{.requestTimeout = kForever}};
    CHECK(rig.breaker.executeOn(pool, [&](const CallContext& context) {
        rig.clock.advance(24h * 365);
        return context.remaining();
    }) == kForever);
    CHECK(rig.stats().totalSuccesses == 1);
}

TEST_CASE("A full executor is a rejection of its own kind, and to the breaker a cancelled call") {
    Rig rig{kTwoSeconds};
    std::vector<Rejection> told;
    const auto subscription = rig.breaker.on<CallRejected>(
        [&](const CallRejected& event) { told.push_back(event.rejection); });
    FullExecutor full;
    bool ran = false;
    const auto call = [&] { ran = true; };
    CHECK(leaving([&] { rig.breaker.executeOn(full, call); }) ==
          "full: circuit breaker \"rig\" admitted the call, but the executor has no room for it");
    try {
        rig.breaker.executeOn(full, call);
    } catch (const QueueFullError& error) {
        CHECK(error.code() == Errc::QueueFull);
        CHECK(error.code() == std::errc::resource_unavailable_try_again);
        CHECK(error.rejection().reason == RejectionReason::QueueFull);
        CHECK(error.state() == CircuitState::Closed);
    }
    CHECK(rig.breaker.executeOn(full, [] { return std::error_code{}; }) == Errc::QueueFull);
    CHECK(rig.breaker.executeOn(
              full, [] { return std::string{}; }, fallback([](const Rejection& rejection) {
                  return std::string{toString(rejection.reason)};
              })) == "QUEUE_FULL");
    CHECK_FALSE(ran);
    CHECK(rig.stats().totalCancelled == 4);
    CHECK(rig.stats().totalRejected == 0);
    CHECK(rig.stats().totalCalls == 4);
    CHECK(rig.stats().windowCalls == 0);
    REQUIRE(told.size() == 4);
    for (const auto& rejection : told) {
        CHECK(rejection == Rejection{"rig", CircuitState::Closed, RejectionReason::QueueFull, 0ns});
    }
}

TEST_CASE("A pool whose threads hang rejects what does not fit its queue") {
    Gate release;
    ThreadPool pool{1, 0};
    CircuitBreaker breaker{"b", {.requestTimeout = 20ms}};
    CHECK_THROWS_AS(breaker.executeOn(pool, [&] { release.wait(); }), CallTimeoutError);
    CHECK_THROWS_AS(breaker.executeOn(pool, [] {}), QueueFullError);
    release.open();
}

TEST_CASE("An executor that cannot run anything says so, and the call is cancelled") {
    Rig rig;
    BrokenExecutor broken;
    CHECK(leaving([&] { rig.breaker.executeOn(broken, [] {}); }) == "no executor today");
    CHECK(leaving([&] {
              rig.breaker.executeOn(
                  broken, [] {}, fallback([] {}));
          }) == "no executor today");
    CHECK(rig.stats().totalCancelled == 2);
    // So is one whose call cannot be kept.
    struct Uncopyable {
        Uncopyable() = default;
        Uncopyable(const Uncopyable&) { throw std::length_error{"no copy today"}; }
        void operator()() const {}
    };
    const Uncopyable uncopyable;
    InlineExecutor atOnce;
    CHECK(leaving([&] { rig.breaker.executeOn(atOnce, uncopyable); }) == "no copy today");
    CHECK(rig.stats().totalCancelled == 3);
    CHECK(rig.stats().totalFailures == 0);
}

TEST_CASE("A call that the executor forgets is cancelled, and its caller told at once") {
    Rig rig;
    ForgetfulExecutor forgetful;
    CHECK(leaving([&] { rig.breaker.executeOn(forgetful, [] {}); }) ==
          "dropped: circuit breaker \"rig\": the executor dropped the call before it ran");
    CHECK(rig.breaker.executeOn(
              forgetful, [] { return 1; }, fallback([](std::exception_ptr e) {
                  try {
                      std::rethrow_exception(e);
                  } catch (const CallDroppedError& error) {
                      return error.code() == std::errc::operation_canceled ? 2 : 3;
                  }
              })) == 2);
    CHECK(rig.stats().totalCancelled == 2);
    CHECK(rig.stats().totalCalls == 2);
}

TEST_CASE("A pool that is destroyed tells those who wait for it") {
    std::optional<ThreadPool> pool{std::in_place, 1, 10};
    CircuitBreaker breaker{"b", {.requestTimeout = 1h}};
    Gate started;
    Gate release;
    std::string running;
    std::vector<std::string> waiting(3);
    std::vector<std::thread> callers;
    callers.emplace_back([&] {
        running = leaving([&] {
            breaker.executeOn(*pool, [&] {
                started.open();
                release.wait();
            });
        });
    });
    started.wait();
    for (auto& mine : waiting) {
        callers.emplace_back([&] { mine = leaving([&] { breaker.executeOn(*pool, [] {}); }); });
    }
    while (pool->unfinished() < 4) std::this_thread::yield();
    std::thread destroying{[&] { pool.reset(); }};
    // They are told although one call still hangs.
    for (std::size_t i = 1; i < callers.size(); ++i) callers[i].join();
    release.open();
    callers[0].join();
    destroying.join();
    CHECK(running == "nothing");
    for (const auto& told : waiting) {
        CHECK(told ==
              "dropped: circuit breaker \"b\": the executor dropped the call before it ran");
    }
    CHECK(breaker.stats().totalSuccesses == 1);
    CHECK(breaker.stats().totalCancelled == 3);
    checkConservation(breaker.stats());
}

TEST_CASE("Probes give their slots back, however they end") {
    Rig rig{{.halfOpenLimit = 1, .requestTimeout = 2s}};
    rig.reachHalfOpen();
    CHECK_THROWS_AS(rig.breaker.executeOn(FullExecutor{}, [] {}), QueueFullError);
    CHECK(rig.stats().probesInFlight == 0);
    CHECK_THROWS_AS(rig.breaker.executeOn(BrokenExecutor{}, [] {}), std::length_error);
    CHECK(rig.stats().probesInFlight == 0);
    CHECK_THROWS_AS(rig.breaker.executeOn(ForgetfulExecutor{}, [] {}), CallDroppedError);
    CHECK(rig.stats().probesInFlight == 0);
    CHECK(rig.state() == CircuitState::HalfOpen);
    LaterExecutor hanging{rig.clock, 2s};
    CHECK_THROWS_AS(rig.breaker.executeOn(hanging, [] {}), CallTimeoutError);
    CHECK(rig.stats().probesInFlight == 0);
    CHECK(rig.state() == CircuitState::Open);
    rig.wait();
    InlineExecutor atOnce;
    rig.breaker.executeOn(atOnce, [] {});
    rig.breaker.executeOn(atOnce, [] {});
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("Call events come on the calling thread") {
    ThreadPool pool{1, 4};
    CircuitBreaker breaker{"b", kTwoSeconds};
    std::vector<std::thread::id> heardIn;
    const auto hear = [&] { heardIn.push_back(std::this_thread::get_id()); };
    const auto succeeded = breaker.on<CallSucceeded>(hear);
    const auto failed = breaker.on<CallFailed>(hear);
    breaker.executeOn(pool, [] {});
    CHECK_THROWS(breaker.executeOn(pool, [] { throw 1; }));
    CHECK(heardIn == std::vector<std::thread::id>(2, std::this_thread::get_id()));
}

TEST_CASE("A breaker by name, by handle, and as it is") {
    ThreadPool pool{1, 4};
    CircuitBreaker local{"local"};
    CHECK(executeOn(local, pool, [] { return 1; }) == 1);
    CHECK(executeOn(
              local, pool, [] { return 1; }, fallback([] { return 2; })) == 1);
    const auto handle = createCircuitBreaker("async/by handle");
    CHECK(executeOn(handle, pool, [] { return 3; }) == 3);
    CHECK(executeOn("async/by handle", pool, [] { return 4; }) == 4);
    CHECK(handle->executeOn(pool, [] { return 5; }) == 5);
    CHECK(handle->stats().totalSuccesses == 3);
    handle->open();
    CHECK(executeOn(
              "async/by handle", pool, [] { return 4; }, fallback([] { return 6; })) == 6);
    CHECK(executeOn(
              handle, pool, [] { return 4; }, fallback([] { return 7; })) == 7);
}
