// SPDX-License-Identifier: MIT
// What others do between two steps of one call: the clock makes them do it when it is read.
#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::report;
using std::chrono::nanoseconds;

namespace {

/// Something happens, once, after it was read.
struct InterruptedClock {
    using duration = nanoseconds;
    using time_point = std::chrono::time_point<InterruptedClock, duration>;
    static constexpr bool is_steady = true;

    struct Face {
        nanoseconds time{0};
        std::function<void()> meanwhile{};
        int readingsBefore = 0;  ///< That many are not followed by it.
    };
    std::shared_ptr<Face> face = std::make_shared<Face>();

    [[nodiscard]] time_point now() const {
        const time_point reading{face->time};
        if (face->meanwhile && face->readingsBefore-- == 0) {
            std::exchange(face->meanwhile, nullptr)();
        }
        return reading;
    }
};

/// A breaker on such a clock.
struct Interrupted {
    using Breaker = CircuitBreaker<InterruptedClock, ConsecutiveFailures>;
    using Permit = Breaker::Permit;

    InterruptedClock clock{};
    Breaker breaker;

    explicit Interrupted(const CircuitBreakerOptions& options)
        : breaker("interrupted", ConsecutiveFailures{1}, options, clock) {}

    void advance(nanoseconds step) { clock.face->time += step; }
    void meanwhile(std::function<void()> action, int readingsBefore = 0) {
        clock.face->readingsBefore = readingsBefore;
        clock.face->meanwhile = std::move(action);
    }
    [[nodiscard]] bool happened() const { return !clock.face->meanwhile; }
};

}  // namespace

TEST_CASE("A state that is over when it has been read is read again") {
    Interrupted it{{.recoveryTimeout = 10s}};
    report(it.breaker, Outcome::Failure);
    for (const nanoseconds passed : {1s, 10s}) {
        it.advance(passed);
        it.meanwhile([&] { it.breaker.close(); });
        CHECK(it.breaker.state() == CircuitState::Closed);
        CHECK(it.happened());
        it.breaker.open();
        it.meanwhile([&] { it.breaker.close(); });
        CHECK_FALSE(it.breaker.retryAfter());
        it.breaker.open();
    }
}

TEST_CASE("A mode that is set while a call is being admitted holds for that call") {
    // Of the readings of an admission after the wait, all after these two are under the mutex.
    for (int reading = 0; reading < 2; ++reading) {
        Interrupted it{{.recoveryTimeout = 10s}};
        report(it.breaker, Outcome::Failure);
        it.advance(10s);
        it.meanwhile([&] { it.breaker.setMode(ControlMode::ForcedOpen); }, reading);
        const auto permit = it.breaker.tryAcquire();
        CHECK(it.happened());
        REQUIRE_FALSE(permit);
        CHECK(permit.rejection().reason == RejectionReason::ForcedOpen);
        it.breaker.setMode(ControlMode::Automatic);
        CHECK(it.breaker.stats().transitions.openToHalfOpen == 0);
    }
}

TEST_CASE("A call is not rejected by a breaker that was closed while it looked at the wait") {
    Interrupted it{{.recoveryTimeout = 10s}};
    report(it.breaker, Outcome::Failure);
    it.advance(1s);
    it.meanwhile([&] { it.breaker.close(); });
    CHECK(it.breaker.tryAcquire());
    CHECK(it.happened());
    CHECK(it.breaker.stats().totalRejected == 0);
}

TEST_CASE("A slot of a probe that another call takes first is not given twice") {
    Interrupted it{{.recoveryTimeout = 10s, .halfOpenLimit = 2}};
    report(it.breaker, Outcome::Failure);
    it.advance(10s);
    const auto first = it.breaker.tryAcquire();
    REQUIRE(first);
    std::vector<Interrupted::Permit> others;
    it.meanwhile([&] { others.push_back(it.breaker.tryAcquire()); });
    const auto late = it.breaker.tryAcquire();
    CHECK(it.happened());
    CHECK(others.at(0));
    REQUIRE_FALSE(late);
    CHECK(late.rejection().reason == RejectionReason::ProbesBusy);
    CHECK(it.breaker.stats().probesInFlight == 2);
}

TEST_CASE("Who looks for overdue calls when the breaker has opened takes none of another epoch") {
    Interrupted it{{.recoveryTimeout = 10s, .requestTimeout = 16s, .detectOverdue = true}};
    const auto hung = it.breaker.tryAcquire();
    it.advance(18s);
    it.meanwhile([&] {
        it.breaker.open();
        // Until the low bits of the epoch are those of the one in which the call hung.
        constexpr int kEpochs = (1 << 16) - 1;
        static_assert(kEpochs % 3 == 0);
        for (int i = 0; i < kEpochs; i += 3) {
            it.breaker.setMode(ControlMode::Shadow);
            it.breaker.setMode(ControlMode::ForcedClosed);
            it.breaker.setMode(ControlMode::Automatic);
        }
    });
    const auto permit = it.breaker.tryAcquire();
    CHECK(it.happened());
    CHECK_FALSE(permit);
    CHECK(it.breaker.stats().timesOpened == 1);
}
