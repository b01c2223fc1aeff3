// SPDX-License-Identifier: MIT
// What is told of single calls.
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "breaker/own_types.hpp"
#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/failure_rate.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Lines;
using fusebox::test::Response;
using fusebox::test::Rig;

static_assert(std::is_aggregate_v<CallSucceeded> && std::is_aggregate_v<CallFailed> &&
              std::is_aggregate_v<CallTimedOut> && std::is_aggregate_v<CallRejected> &&
              std::is_aggregate_v<CallIgnored> && std::is_aggregate_v<SlowCall>);

namespace {

/// Notes every event of a call as text.
template <class Policy>
struct CallLog {
    std::vector<std::string> lines{};
    std::vector<Subscription> subscriptions{};

    explicit CallLog(Rig<Policy>& rig) {
        listen<CallSucceeded>(rig, "succeeded");
        listen<CallFailed>(rig, "failed");
        listen<CallTimedOut>(rig, "timed out");
        listen<CallIgnored>(rig, "ignored");
        subscriptions.push_back(
            rig.breaker.template on<CallRejected>([this](const CallRejected& event) {
                lines.push_back("rejected " + std::string{toString(event.rejection.reason)});
            }));
        subscriptions.push_back(rig.breaker.template on<SlowCall>([this](const SlowCall& event) {
            lines.push_back("slow " + detail::toText(event.elapsed) + " " +
                            std::string{toString(event.outcome)});
        }));
    }

private:
    template <class E>
    void listen(Rig<Policy>& rig, std::string word) {
        subscriptions.push_back(rig.breaker.template on<E>([this, word](const E& event) {
            CHECK(event.breaker == "rig");
            CHECK(event.time.time_since_epoch().count() > 0);
            lines.push_back(word + " " + detail::toText(event.elapsed));
        }));
    }
};

}  // namespace

TEST_CASE("Each call is told once, by its outcome, with the time that it took") {
    Rig rig{{.requestTimeout = 5s}};
    CallLog log{rig};
    rig.take(1s, Outcome::Success);
    rig.take(2s, Outcome::Failure);
    rig.take(6s, Outcome::Success);
    rig.take(3s, Outcome::Timeout);
    rig.take(4s, Outcome::Ignored);
    CHECK(log.lines ==
          Lines{"succeeded 1 s", "failed 2 s", "timed out 6 s", "timed out 3 s", "ignored 4 s"});
}

TEST_CASE("An event that is made by hand claims no time that a call took") {
    CHECK(CallSucceeded{}.elapsed == 0ns);
    CHECK(CallFailed{}.elapsed == 0ns);
    CHECK(CallTimedOut{}.elapsed == 0ns);
    CHECK(CallIgnored{}.elapsed == 0ns);
    CHECK(SlowCall{}.elapsed == 0ns);
}

TEST_CASE("A cancelled call is told to nobody") {
    Rig rig;
    CallLog log{rig};
    (void)rig.begin();
    CHECK(log.lines.empty());
}

TEST_CASE("A rejection is told, by permit and by execute, with all of its parts") {
    Rig rig{{.recoveryTimeout = 10s, .halfOpenLimit = 1}};
    CallLog log{rig};
    std::vector<Rejection> rejections;
    const Subscription listening = rig.breaker.on<CallRejected>(
        [&](const CallRejected& event) { rejections.push_back(event.rejection); });
    rig.breaker.open();
    rig.clock.advance(4s);
    (void)rig.rejected();
    CHECK(rig.breaker.execute([] { return 1; }, fallback([] { return 2; })) == 2);
    rig.breaker.setMode(ControlMode::ForcedOpen);
    CHECK_THROWS_AS(rig.breaker.execute([] {}), CircuitOpenError);
    rig.breaker.setMode(ControlMode::Automatic);
    rig.wait();
    const auto probe = rig.begin();
    (void)rig.rejected();
    CHECK(log.lines ==
          Lines{"rejected OPEN", "rejected OPEN", "rejected FORCED_OPEN", "rejected PROBES_BUSY"});
    REQUIRE(rejections.size() == 4);
    CHECK(rejections[0] == Rejection{"rig", CircuitState::Open, RejectionReason::Open, 6s});
    CHECK(rejections[2].retryAfter == kForever);
    CHECK(rejections[3].state == CircuitState::HalfOpen);
}

TEST_CASE("A failed call carries its exception, a judged result none") {
    Rig rig;
    std::vector<std::exception_ptr> errors;
    const Subscription listening =
        rig.breaker.on<CallFailed>([&](const CallFailed& event) { errors.push_back(event.error); });
    CHECK_THROWS(rig.breaker.execute([] { throw std::runtime_error{"refused"}; }));
    (void)rig.breaker.execute([] { return Response{500}; });
    rig.fail();
    REQUIRE(errors.size() == 3);
    REQUIRE(errors[0] != nullptr);
    CHECK_THROWS_AS(std::rethrow_exception(errors[0]), std::runtime_error);
    CHECK(errors[1] == nullptr);
    CHECK(errors[2] == nullptr);
}

TEST_CASE("A slow call is told besides its outcome, however it ended") {
    Rig rig{{.requestTimeout = 5s}, SlowCallRate{.slowerThan = 2s, .minimumCalls = 100}};
    CallLog log{rig};
    rig.take(2s - 1ns);
    rig.take(2s);
    rig.take(3s, Outcome::Failure);
    rig.take(6s);
    rig.take(9s, Outcome::Ignored);
    CHECK(log.lines == Lines{"succeeded 1.999999999 s", "succeeded 2 s", "slow 2 s SUCCESS",
                             "failed 3 s", "slow 3 s FAILURE", "timed out 6 s", "slow 6 s TIMEOUT",
                             "ignored 9 s"});
    CHECK(rig.stats().totalSlow == 3);
}

TEST_CASE("Without a policy on slowness no call is slow") {
    Rig rig{{.requestTimeout = kForever}};
    CallLog log{rig};
    rig.take(24h);
    CHECK(log.lines == Lines{"succeeded 24 h"});
    CHECK(rig.stats().totalSlow == 0);
}

TEST_CASE("The smallest slowerThan of a composite decides what is slow") {
    Rig rig{{},
            anyOf(SlowCallRate{.slowerThan = 3s, .minimumCalls = 100},
                  SlowCallRate{.slowerThan = 1s, .minimumCalls = 100})};
    CallLog log{rig};
    rig.take(1s);
    CHECK(log.lines == Lines{"succeeded 1 s", "slow 1 s SUCCESS"});
}

TEST_CASE("Without latencies, events have no time that a call took") {
    Rig rig{{.measureLatency = false}};
    CallLog log{rig};
    rig.take(1s);
    rig.take(1s, Outcome::Failure);
    rig.take(1s, Outcome::Ignored);
    rig.breaker.open();
    rig.wait();
    rig.take(1s);
    CHECK(log.lines == Lines{"succeeded 0 ns", "failed 0 ns", "ignored 0 ns", "succeeded 0 ns"});
}

TEST_CASE("Probes, stale calls and calls in every mode are told like others") {
    Rig rig{{.recoveryTimeout = 10s}};
    CallLog log{rig};
    auto stale = rig.begin();
    rig.breaker.open();
    stale.failure();
    rig.breaker.setMode(ControlMode::Shadow);
    rig.succeed();
    rig.breaker.setMode(ControlMode::ForcedClosed);
    rig.succeed();
    rig.breaker.setMode(ControlMode::Automatic);
    rig.wait();
    rig.succeed();
    CHECK(log.lines == Lines{"failed 0 ns", "succeeded 0 ns", "succeeded 0 ns", "succeeded 0 ns"});
}

TEST_CASE("A plain success is told as well, also where slices of time are watched") {
    const auto heardOf = [](const auto& policy) {
        Rig rig{{.measureLatency = false}, policy};
        int heard = 0;
        const Subscription listening =
            rig.breaker.template on<CallSucceeded>([&](const CallSucceeded&) { ++heard; });
        CHECK(rig.breaker.execute([] { return 1; }) == 1);
        rig.succeed();
        return heard;
    };
    CHECK(heardOf(ConsecutiveFailures{}) == 2);
    CHECK(heardOf(FailureRate{.window = 10s}) == 2);
}

TEST_CASE("Call events come on the calling thread, before the call returns") {
    Rig rig;
    std::thread::id heardOn;
    const Subscription listening = rig.breaker.on<CallFailed>(
        [&](const CallFailed&) { heardOn = std::this_thread::get_id(); });
    rig.fail();
    CHECK(heardOn == std::this_thread::get_id());
    std::thread::id called;
    std::thread{[&] {
        called = std::this_thread::get_id();
        rig.breaker.tryAcquire().failure();
    }}.join();
    CHECK(heardOn == called);
}

TEST_CASE("The call is recorded before its event is told") {
    Rig rig{{}, ConsecutiveFailures{1}};
    const Subscription listening = rig.breaker.on<CallFailed>([&](const CallFailed&) {
        CHECK(rig.stats().totalFailures == 1);
        CHECK(rig.state() == CircuitState::Open);
    });
    rig.fail();
    CHECK(rig.stats().listenerErrors == 0);
}
