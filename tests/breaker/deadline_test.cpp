// SPDX-License-Identifier: MIT
// Deadlines: what a call knows of its own, and what becomes of one that is late.
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "support/catch.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::kTwoSeconds;
using fusebox::test::Rig;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

/// A source of time that stands still on the steady time line.
struct AtOneHour {
    static constexpr bool onSteadyTimeLine = true;
    [[nodiscard]] nanoseconds now() const noexcept { return 1h; }
};

/// The message of the exception nested in `error`; empty if there is none.
std::string nestedIn(const std::exception& error) {
    try {
        std::rethrow_if_nested(error);
    } catch (const std::exception& inner) {
        return inner.what();
    }
    return {};
}

/// A breaker whose classifier judges every exception so.
CircuitBreakerOptions judging(Outcome outcome) {
    return {.requestTimeout = 2s,
            .classifyError = [outcome](std::exception_ptr) { return outcome; }};
}

/// What leaves when an fn that takes the context throws std::runtime_error{"slow"} after 3 s of 2.
std::string leavesLate(const CircuitBreakerOptions& options) {
    Rig rig{options};
    try {
        rig.breaker.execute([&](const CallContext&) {
            rig.clock.advance(3s);
            throw std::runtime_error{"slow"};
        });
    } catch (const CallTimeoutError& error) {
        return "timeout nesting " + nestedIn(error);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return "nothing";
}

}  // namespace

TEST_CASE("remaining() counts down to zero and no further") {
    Rig rig{kTwoSeconds};
    rig.breaker.execute([&](const CallContext& context) {
        CHECK(context.remaining() == 2s);
        rig.clock.advance(1500ms);
        CHECK(context.remaining() == 500ms);
        rig.clock.advance(500ms);
        CHECK(context.remaining() == 0s);
        rig.clock.advance(1h);
        CHECK(context.remaining() == 0s);
    });
}

TEST_CASE("remaining() counts from the call's own start, measured or not") {
    for (const bool measured : {true, false}) {
        Rig rig{{.requestTimeout = 2s, .measureLatency = measured}};
        rig.clock.advance(100s);
        CHECK(rig.breaker.execute([](const CallContext& c) { return c.remaining(); }) == 2s);
        rig.reachHalfOpen();
        CHECK(rig.breaker.execute([](const CallContext& c) { return c.remaining(); }) == 2s);
    }
}

TEST_CASE("Without a deadline, remaining() is for ever and deadline() the end of time") {
    Rig rig{{.requestTimeout = kForever}};
    rig.clock.advance(1h);
    rig.breaker.execute([](const CallContext& context) {
        CHECK(context.remaining() == kForever);
        CHECK(context.deadline() == steady_clock::time_point::max());
    });
}

TEST_CASE("On another clock, deadline() is the steady time plus what remains") {
    Rig rig{kTwoSeconds};
    rig.breaker.execute([&](const CallContext& context) {
        rig.clock.advance(500ms);
        const auto before = steady_clock::now();
        const auto deadline = context.deadline();
        const auto after = steady_clock::now();
        CHECK(deadline >= before + 1500ms);
        CHECK(deadline <= after + 1500ms);
    });
}

TEST_CASE("On the steady clock, deadline() is the start plus the timeout") {
    CircuitBreaker breaker{"steady", ConsecutiveFailures{}, kTwoSeconds};
    const auto before = steady_clock::now();
    breaker.execute([&](const CallContext& context) {
        CHECK(context.deadline() >= before + 2s);
        CHECK(context.deadline() <= steady_clock::now() + 2s);
        CHECK(context.remaining() <= 2s);
    });
    // However late it is.
    const AtOneHour late;
    const CallContext context{late, 5s, 2s};
    CHECK(context.deadline() == steady_clock::time_point{7s});
    CHECK(context.remaining() == 0s);
}

TEST_CASE("A call that takes exactly its deadline is in time, one that takes more is a timeout") {
    Rig rig{kTwoSeconds};
    CHECK(rig.breaker.execute([&] {
        rig.clock.advance(2s);
        return 1;
    }) == 1);
    CHECK(rig.stats().totalSuccesses == 1);
    // The value still reaches the caller.
    CHECK(rig.breaker.execute([&] {
        rig.clock.advance(2s + 1ns);
        return 2;
    }) == 2);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().consecutiveFailures == 1);
    CHECK(rig.stats().lastError == "the call took longer than its deadline");
    rig.breaker.execute([&] { rig.clock.advance(3s); });
    CHECK(rig.stats().totalTimeouts == 2);
}

TEST_CASE("A timeout is a failure to the policy") {
    Rig rig{kTwoSeconds, ConsecutiveFailures{2}};
    rig.breaker.execute([&] { rig.clock.advance(3s); });
    rig.breaker.execute([&] { rig.clock.advance(3s); });
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().totalFailures == 0);
    CHECK(rig.stats().totalTimeouts == 2);
}

TEST_CASE("What an fn that knew its deadline throws late is nested in a CallTimeoutError") {
    Rig rig{kTwoSeconds};
    const auto late = [&](auto fn) {
        try {
            rig.breaker.execute(fn);
            FAIL("should have thrown");
        } catch (const CallTimeoutError& error) {
            CHECK(error.name() == "rig");
            CHECK(error.timeout() == 2s);
            CHECK(error.state() == CircuitState::Closed);
            CHECK(nestedIn(error) == "slow");
        }
    };
    late([&](const CallContext&) {
        rig.clock.advance(3s);
        throw std::runtime_error{"slow"};
    });
#if FUSEBOX_HAS_STOP_TOKEN
    late([&](std::stop_token) {
        rig.clock.advance(3s);
        throw std::runtime_error{"slow"};
    });
#endif
    CHECK(rig.stats().totalTimeouts == (FUSEBOX_HAS_STOP_TOKEN ? 2 : 1));
    CHECK(rig.stats().lastError == "slow");
}

TEST_CASE("What an fn that knew its deadline throws in time leaves as it is") {
    Rig rig{kTwoSeconds};
    CHECK_THROWS_AS(rig.breaker.execute([&](const CallContext&) {
        rig.clock.advance(2s);
        throw std::out_of_range{"in time"};
    }),
                    std::out_of_range);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("What an fn without a deadline throws late leaves as it is, and is a timeout") {
    Rig rig{kTwoSeconds};
    CHECK_THROWS_AS(rig.breaker.execute([&] {
        rig.clock.advance(3s);
        throw std::out_of_range{"slow"};
    }),
                    std::out_of_range);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().totalFailures == 0);
}

TEST_CASE("A late exception leaves as CallTimeoutError, whether judged Failure or Timeout") {
    CHECK(leavesLate(kTwoSeconds) == "timeout nesting slow");
    CHECK(leavesLate(judging(Outcome::Failure)) == "timeout nesting slow");
    CHECK(leavesLate(judging(Outcome::Success)) == "timeout nesting slow");
    // A client library's own timeout exception, classified as Timeout, is late all the same.
    CHECK(leavesLate(judging(Outcome::Timeout)) == "timeout nesting slow");
}

TEST_CASE("A late call judged Ignored stays ignored, and its exception leaves as it is") {
    CHECK(leavesLate(judging(Outcome::Ignored)) == "slow");
    Rig rig{kTwoSeconds};
    const auto ignoredLate = judgedBy(
        [&] {
            rig.clock.advance(3s);
            return 1;
        },
        [](int) { return Outcome::Ignored; });
    CHECK(rig.breaker.execute(ignoredLate) == 1);
    CHECK(rig.stats().totalIgnored == 1);
    CHECK(rig.stats().totalTimeouts == 0);
}

TEST_CASE("An exception judged Timeout in time leaves as it is") {
    Rig rig{judging(Outcome::Timeout)};
    CHECK_THROWS_AS(
        rig.breaker.execute([](const CallContext&) { throw std::out_of_range{"soon"}; }),
        std::out_of_range);
    CHECK(rig.stats().totalTimeouts == 1);
}

TEST_CASE("Without latencies there are no late returns") {
    Rig rig{{.requestTimeout = 2s, .measureLatency = false}};
    rig.breaker.execute([&] { rig.clock.advance(3s); });
    CHECK_THROWS_AS(rig.breaker.execute([&](const CallContext&) {
        rig.clock.advance(3s);
        throw std::out_of_range{"late"};
    }),
                    std::out_of_range);
    CHECK(rig.stats().totalSuccesses == 1);
    CHECK(rig.stats().totalFailures == 1);
    CHECK(rig.stats().totalTimeouts == 0);
}

TEST_CASE("Where no call is slow, not even one that took for ever is") {
    Rig rig{{.requestTimeout = nanoseconds::max()}};
    CHECK(rig.breaker.tryAcquire().report(Outcome::Success, nanoseconds::max()) ==
          ReportResult::Recorded);
    CHECK(rig.breaker.tryAcquire().report(Outcome::Failure, nanoseconds::max()) ==
          ReportResult::Recorded);
    rig.breaker.execute([&] { rig.clock.advance(nanoseconds::max()); });
    CHECK(rig.stats().totalCalls == 3);
    CHECK(rig.stats().totalTimeouts == 0);
    CHECK(rig.stats().totalSlow == 0);
    CHECK(rig.stats().windowSlow == 0);
}

TEST_CASE("A late call in half-open is lost: its report is stale, its value still arrives") {
    Rig rig{{.recoveryTimeout = 10s, .requestTimeout = 2s}};
    rig.reachHalfOpen();
    CHECK(rig.breaker.execute([&] {
        rig.clock.advance(2s + 1ns);
        return 9;
    }) == 9);
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().totalStale == 1);
}
