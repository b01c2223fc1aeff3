// SPDX-License-Identifier: MIT
// F 33-36: clocks that step back, freeze or jump, waits that never end, and no overflow anywhere.
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/vocabulary/clock.hpp"
#include "support/catch.hpp"
#include "support/clocks.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::checkConservation;
using fusebox::test::CountingClock;
using fusebox::test::LaggingClock;
using fusebox::test::report;
using fusebox::test::Rig;
using fusebox::test::WildClock;
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds kHugeJump{std::int64_t{1} << 62};

/// A clock in whole seconds, which `nanoseconds` cannot all hold.
struct SecondsClock {
    using duration = std::chrono::seconds;
    using time_point = std::chrono::time_point<SecondsClock, duration>;
    static constexpr bool is_steady = false;
    std::shared_ptr<duration> at = std::make_shared<duration>(0);

    [[nodiscard]] time_point now() const { return time_point{*at}; }
};

template <class Clock>
struct Wild {
    Clock clock{};
    CircuitBreaker<Clock, ConsecutiveFailures> breaker;
    explicit Wild(const CircuitBreakerOptions& options)
        : breaker("wild", ConsecutiveFailures{1}, options, clock) {}
    Wild(const Wild&) = delete;
    Wild& operator=(const Wild&) = delete;
    ~Wild() { checkConservation(breaker.stats()); }
    void move(nanoseconds step) { *clock.at += step; }
};

}  // namespace

TEMPLATE_TEST_CASE("F 33: a clock that steps back is read as standing still", "", WildClock<true>,
                   WildClock<false>) {
    Wild<TestType> wild{{.recoveryTimeout = 10s, .requestTimeout = 2s}};
    report(wild.breaker, Outcome::Failure);
    wild.move(4s);
    CHECK(wild.breaker.retryAfter() == 6s);
    wild.move(-500s);
    CHECK(wild.breaker.state() == CircuitState::Open);
    CHECK(wild.breaker.retryAfter() == 6s);  // neither pinned open nor skipped
    wild.move(500s);
    CHECK(wild.breaker.retryAfter() == 6s);
    wild.move(6s);
    CHECK(wild.breaker.state() == CircuitState::HalfOpen);
    wild.move(-500s);
    CHECK(wild.breaker.state() == CircuitState::HalfOpen);
    report(wild.breaker, Outcome::Success, 2);
    CHECK(wild.breaker.state() == CircuitState::Closed);
}

TEST_CASE("F 33: a call during which the clock steps back took no time") {
    Wild<WildClock<false>> wild{{.requestTimeout = 2s}};
    CHECK(wild.breaker.execute([&](const CallContext& context) {
        wild.move(-1h);
        CHECK(context.remaining() == 2s);
        return 1;
    }) == 1);
    CHECK(wild.breaker.stats().averageResponseTime == 0ns);
    CHECK(wild.breaker.stats().totalTimeouts == 0);
}

TEST_CASE("F 33: a frozen clock keeps an open breaker open, and everything else works") {
    Wild<WildClock<true>> wild{{.recoveryTimeout = 10s}};
    report(wild.breaker, Outcome::Success, 10);
    report(wild.breaker, Outcome::Failure);
    for (int i = 0; i < 100; ++i) CHECK_FALSE(wild.breaker.tryAcquire());
    CHECK(wild.breaker.retryAfter() == 10s);
    CHECK(wild.breaker.stats().timeOpen == 0ns);
    wild.breaker.close();
    report(wild.breaker, Outcome::Success);
    CHECK(wild.breaker.stats().latency.max == 0ns);
}

TEMPLATE_TEST_CASE("F 35, 36: a clock that jumps by 2^62 ns overflows nothing", "", WildClock<true>,
                   WildClock<false>) {
    Wild<TestType> wild{{.recoveryTimeout = 10s, .recoveryBackoff = 1e300}};
    CHECK(wild.breaker.execute([&] {
        wild.move(kHugeJump);
        return 1;
    }) == 1);
    CHECK(wild.breaker.state() == CircuitState::Open);  // late by 146 years
    CHECK(wild.breaker.retryAfter() == 10s);
    CHECK(wild.breaker.stats().latency.max == kHugeJump);
    wild.move(10s);
    CHECK(wild.breaker.state() == CircuitState::HalfOpen);
    report(wild.breaker, Outcome::Failure);
    CHECK(wild.breaker.retryAfter() == 10min);
    wild.move(-kHugeJump);
    CHECK(wild.breaker.retryAfter() == 10min);
}

TEST_CASE("F 36: near the end of the clock's range, deadlines hold there") {
    Wild<WildClock<true>> wild{{.recoveryTimeout = 10s, .requestTimeout = 2s}};
    *wild.clock.at = kForever - 5s;
    CHECK(wild.breaker.execute([](const CallContext& c) { return c.remaining(); }) == 2s);
    report(wild.breaker, Outcome::Failure);
    CHECK(wild.breaker.state() == CircuitState::Open);
    CHECK(wild.breaker.retryAfter() > 0s);
    CHECK_FALSE(wild.breaker.tryAcquire());
    *wild.clock.at = kForever;
    (void)wild.breaker.state();
    CHECK(wild.breaker.stats().timeOpen == 5s);
}

TEST_CASE("F 36: a clock may begin at the start of its range") {
    WildClock<true> clock;
    *clock.at = nanoseconds::min();
    CircuitBreaker breaker{"wild", ConsecutiveFailures{1}, {.recoveryTimeout = 10s}, clock};
    report(breaker, Outcome::Failure);
    CHECK(breaker.retryAfter() == 10s);
    *clock.at = nanoseconds::max();
    CHECK(breaker.state() == CircuitState::HalfOpen);
    CHECK(breaker.stats().timeOpen == 10s);
    report(breaker, Outcome::Success, 2);
    CHECK(breaker.state() == CircuitState::Closed);
}

TEST_CASE("F 36: a probe may be lost from the start of the clock's range to its end") {
    WildClock<true> clock;
    *clock.at = nanoseconds::min();
    CircuitBreaker breaker{
        "wild", ConsecutiveFailures{1}, {.recoveryTimeout = 10s, .probeTimeout = 5s}, clock};
    report(breaker, Outcome::Failure);
    *clock.at += 10s;
    const auto lost = breaker.tryAcquire();
    REQUIRE(lost);
    *clock.at = nanoseconds::max();
    // Before anybody calls, and after.
    for (int i = 0; i < 2; ++i) {
        CHECK(breaker.state() == CircuitState::HalfOpen);
        const CircuitBreakerStats stats = breaker.stats();
        checkConservation(stats);
        CHECK(stats.timesOpened == 2);
        CHECK(stats.timeOpen == 20s);
        CHECK(stats.lastOpened <= std::chrono::system_clock::now());
        report(breaker, Outcome::Ignored);
    }
}

TEST_CASE("F 36: a clock of coarser units is read without overflow") {
    SecondsClock clock;
    CircuitBreaker breaker{"wild", ConsecutiveFailures{1}, {.recoveryTimeout = 10s}, clock};
    report(breaker, Outcome::Failure);
    *clock.at = 9s;
    CHECK(breaker.retryAfter() == 1s);
    *clock.at = std::chrono::seconds::max();
    CHECK(breaker.state() == CircuitState::HalfOpen);
    report(breaker, Outcome::Success, 2);
    CHECK(breaker.state() == CircuitState::Closed);
}

TEST_CASE("F 36: a wait of nanoseconds::max() never ends") {
    const auto mustStayOpen = [](auto& rig) {
        CHECK(rig.breaker.retryAfter() == kForever);
        CHECK(rig.rejected().retryAfter == kForever);
        rig.clock.advance(24h * 36500);
        CHECK(rig.state() == CircuitState::Open);
        CHECK(rig.breaker.retryAfter() == kForever);
        CHECK(rig.stats().timeOpen == 24h * 36500);
        rig.clock.advance(kForever);
        CHECK(rig.state() == CircuitState::Open);
        rig.breaker.close();
        CHECK(rig.state() == CircuitState::Closed);
    };
    Rig byOptions{{.recoveryTimeout = kForever}};
    byOptions.trip();
    mustStayOpen(byOptions);
    Rig byHand;
    byHand.breaker.open(kForever);
    mustStayOpen(byHand);
    Rig withEverything{{.recoveryTimeout = kForever,
                        .recoveryBackoff = 2.0,
                        .recoveryJitter = 0.5,
                        .probeTimeout = kForever,
                        .requestTimeout = kForever}};
    withEverything.trip();
    mustStayOpen(withEverything);
}

TEST_CASE("F 35: backoff without a bound ends in waiting for ever, not in an overflow") {
    Rig rig{{.recoveryTimeout = 1s,
             .recoveryBackoff = 1e6,
             .maxRecoveryTimeout = kForever,
             .probeTimeout = 1s}};
    rig.reachHalfOpen();
    rig.fail();
    CHECK(rig.breaker.retryAfter() == 1'000'000s);
    rig.wait();
    rig.fail();
    CHECK(rig.breaker.retryAfter() == kForever);
}

TEST_CASE("F 35: a thousand reopenings do not wear the backoff out") {
    Rig rig{{.recoveryTimeout = 1s, .recoveryBackoff = 10.0, .maxRecoveryTimeout = 100s}};
    rig.trip();
    for (int i = 0; i < 1000; ++i) {
        rig.wait();
        rig.fail();
    }
    CHECK(rig.breaker.retryAfter() == 100s);
    CHECK(rig.stats().timesOpened == 1001);
}

TEST_CASE("F 34: what remains goes down while time goes by") {
    Rig rig{{.recoveryTimeout = 10s, .requestTimeout = 10s}};
    rig.breaker.open();
    rig.clock.advance(1s);
    CHECK(rig.breaker.retryAfter() == 9s);
    rig.clock.advance(8s);
    CHECK(rig.breaker.retryAfter() == 1s);
}

TEST_CASE("Deadlines are set by the precise clock and checked by its cheaper twin") {
    LaggingClock clock;
    CircuitBreaker breaker{
        "lagging", ConsecutiveFailures{1}, {.recoveryTimeout = 10s, .probeTimeout = 3s}, clock};
    const nanoseconds opened = *clock.at;
    report(breaker, Outcome::Failure);
    *clock.at = opened + 10s;
    CHECK(breaker.state() == CircuitState::Open);
    CHECK_FALSE(breaker.tryAcquire());
    *clock.at = opened + 10s + 5ms;
    CHECK(breaker.state() == CircuitState::HalfOpen);
    const auto probe = breaker.tryAcquire();
    CHECK(probe);
    *clock.at += 3s + 5ms;
    CHECK(breaker.state() == CircuitState::HalfOpen);
    *clock.at += 1ns;
    CHECK(breaker.state() == CircuitState::Open);
}

TEST_CASE("Latencies are measured by the precise clock") {
    LaggingClock clock;
    CircuitBreaker breaker{"lagging", ConsecutiveFailures{1}, {}, clock};
    auto permit = breaker.tryAcquire();
    *clock.at += 1ms;  // less than the twin's lag
    CHECK(permit.success() == ReportResult::Recorded);
    CHECK(breaker.stats().averageResponseTime == 1ms);
}

namespace {

/// A clock whose cheaper twin may lag by more than a slice of a short window.
struct SlowTwinClock {
    using duration = nanoseconds;
    using time_point = std::chrono::time_point<SlowTwinClock, duration>;
    static constexpr bool is_steady = true;
    std::shared_ptr<nanoseconds> at = std::make_shared<nanoseconds>(1000s);
    /// Runs, once, after a reading of the clock: what others do before the reader goes on.
    std::shared_ptr<std::function<void()>> meanwhile = std::make_shared<std::function<void()>>();

    [[nodiscard]] time_point now() const {
        const time_point reading{*at};
        if (*meanwhile) std::exchange(*meanwhile, nullptr)();
        return reading;
    }
};

}  // namespace

template <>
struct fusebox::ClockTraits<SlowTwinClock> {
    static constexpr bool neverStepsBack = true;
    static constexpr nanoseconds coarseLag = 10ms;
    [[nodiscard]] static SlowTwinClock::time_point coarseNow(const SlowTwinClock& clock) noexcept {
        return SlowTwinClock::time_point{*clock.at - 9ms};
    }
};

TEST_CASE("The slices of a short window end by the precise clock") {
    SlowTwinClock clock;
    CircuitBreaker breaker{
        "short", FailureRate{.minimumCalls = 5, .window = 50ms}, {.measureLatency = false}, clock};
    report(breaker, Outcome::Success);
    *clock.at += 5ms;  // by the twin, the window would not even have begun
    report(breaker, Outcome::Success);
    *clock.at += 51ms;
    report(breaker, Outcome::Success);  // the first is out, by its slice of 5 ms
    *clock.at += 9ms;
    CHECK(breaker.stats().windowCalls >= 1);
    CHECK(breaker.stats().windowCalls <= 2);
}

TEST_CASE("A call that was held up in its admission is found overdue all the same") {
    // Between its reading of the clock and its counting others look, begin and end; how much later,
    // in sixteenths of the deadline, decides whether they meet it in its place.
    for (int later = 1; later <= 64; ++later) {
        SlowTwinClock clock;
        CircuitBreaker breaker{
            "held up",
            ConsecutiveFailures{1},
            {.requestTimeout = 16s, .trackInFlight = true, .detectOverdue = true},
            clock};
        *clock.meanwhile = [&] {
            *clock.at += std::chrono::seconds{later};
            report(breaker, Outcome::Success);
        };
        auto hangs = breaker.tryAcquire();
        REQUIRE(hangs);
        CHECK(breaker.stats().inFlight == 1);
        // The next one looks first if it would be counted where this one stands: a slice is used
        // again after 32.
        CHECK(static_cast<bool>(breaker.tryAcquire()) == (later % 32 != 0));
        *clock.at += 18s;
        CHECK_FALSE(breaker.tryAcquire());
        CHECK(breaker.stats().timesOpened == 1);
        hangs.success();
        CHECK(breaker.stats().inFlight == 0);
    }
}

TEST_CASE("A call reads the clock when it begins and when it ends, and no more") {
    const Outcome outcome =
        GENERATE(Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Ignored);
    CAPTURE(outcome);
    const CountingClock clock;
    // A failure opens the circuit.
    CircuitBreaker breaker{"counted", ConsecutiveFailures{1}, {}, clock};
    *clock.reads = 0;
    CHECK(breaker.tryAcquire().report(outcome) == ReportResult::Recorded);
    CHECK(*clock.reads == 2);
}
