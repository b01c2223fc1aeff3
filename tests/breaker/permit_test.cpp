// SPDX-License-Identifier: MIT
// The two-step form of a call.
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;

namespace {

using Permit = Rig<>::Permit;

// Move-only, and noexcept everywhere.
static_assert(std::is_nothrow_default_constructible_v<Permit>);
static_assert(!std::is_copy_constructible_v<Permit> && !std::is_copy_assignable_v<Permit>);
static_assert(std::is_nothrow_move_constructible_v<Permit>);
static_assert(std::is_nothrow_move_assignable_v<Permit>);
static_assert(std::is_nothrow_destructible_v<Permit>);
static_assert(std::is_nothrow_constructible_v<bool, const Permit&>);
static_assert(!std::is_convertible_v<Permit, bool>, "a permit is not a number");
static_assert(noexcept(std::declval<const Permit&>().rejection()));
static_assert(noexcept(std::declval<Permit&>().success()));
static_assert(noexcept(std::declval<Permit&>().failure()));
static_assert(noexcept(std::declval<Permit&>().timeout()));
static_assert(noexcept(std::declval<Permit&>().ignore()));
static_assert(noexcept(std::declval<Permit&>().report(Outcome::Success)));
static_assert(noexcept(std::declval<Permit&>().report(Outcome::Success,
                                                      std::declval<std::chrono::nanoseconds>())));
static_assert(std::is_same_v<decltype(std::declval<const Permit&>().rejection()), Rejection>);

/// Every way of ending a permit, all of which must find it ended already.
void checkEnded(Permit& permit) {
    CHECK_FALSE(permit);
    CHECK(permit.success() == ReportResult::AlreadyReported);
    CHECK(permit.failure() == ReportResult::AlreadyReported);
    CHECK(permit.timeout() == ReportResult::AlreadyReported);
    CHECK(permit.ignore() == ReportResult::AlreadyReported);
    CHECK(permit.report(Outcome::Failure) == ReportResult::AlreadyReported);
    CHECK(permit.report(Outcome::Failure, 1s) == ReportResult::AlreadyReported);
}

}  // namespace

TEST_CASE("An empty permit admits nothing and reports nothing") {
    Permit permit;
    checkEnded(permit);
    CHECK(permit.rejection() == Rejection{});
}

TEST_CASE("Each way of ending a permit counts in its own total") {
    Rig rig;
    CHECK(rig.begin().success() == ReportResult::Recorded);
    CHECK(rig.begin().failure() == ReportResult::Recorded);
    CHECK(rig.begin().timeout() == ReportResult::Recorded);
    CHECK(rig.begin().ignore() == ReportResult::Recorded);
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.totalSuccesses == 1);
    CHECK(stats.totalFailures == 1);
    CHECK(stats.totalTimeouts == 1);
    CHECK(stats.totalIgnored == 1);
    CHECK(stats.totalCancelled == 0);
    CHECK(stats.totalCalls == 4);
}

TEST_CASE("A permit reports once") {
    Rig rig;
    for (const Outcome outcome :
         {Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Ignored}) {
        Permit permit = rig.begin();
        CHECK(permit.report(outcome) == ReportResult::Recorded);
        checkEnded(permit);
    }
    CHECK(rig.stats().totalCalls == 4);
}

TEST_CASE("A moved permit reports once, through whom it was moved to") {
    Rig rig;
    Permit first = rig.begin();
    Permit second = std::move(first);
    checkEnded(first);
    CHECK(second);
    CHECK(second.success() == ReportResult::Recorded);
    checkEnded(second);
    CHECK(rig.stats().totalCalls == 1);
}

TEST_CASE("Assigning to a permit ends what it held") {
    Rig rig;
    Permit held = rig.begin();
    held = rig.begin();
    CHECK(rig.stats().totalCancelled == 1);
    CHECK(held);
    held = Permit{};
    CHECK(rig.stats().totalCancelled == 2);
    checkEnded(held);
}

TEST_CASE("Assigning a permit to itself changes nothing") {
    Rig rig;
    Permit permit = rig.begin();
    Permit& alias = permit;
    permit = std::move(alias);
    CHECK(permit);
    CHECK(permit.success() == ReportResult::Recorded);
    CHECK(rig.stats().totalCancelled == 0);
}

TEST_CASE("A permit that is destroyed unreported is cancelled: neither success nor failure") {
    Rig rig{{}, ConsecutiveFailures{1}};
    { const Permit permit = rig.begin(); }
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.totalCancelled == 1);
    CHECK(stats.totalCalls == 1);
    CHECK(stats.totalIgnored == 0);
    CHECK(stats.windowCalls == 0);
    CHECK(stats.consecutiveSuccesses == 0);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("A permit that an exception unwinds through is a failure") {
    Rig rig{{}, ConsecutiveFailures{1}};
    try {
        const Permit permit = rig.begin();
        throw std::runtime_error{"x"};
    } catch (const std::runtime_error&) {
    }
    CHECK(rig.stats().totalFailures == 1);
    CHECK(rig.stats().totalCancelled == 0);
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("A permit acquired while an exception unwinds is judged by those that come later") {
    Rig rig;
    struct CallsInDestructor {
        Rig<>& rig;
        bool throws;
        ~CallsInDestructor() {
            try {
                const Permit permit = rig.begin();
                if (throws) throw std::logic_error{"inner"};
            } catch (const std::logic_error&) {
            }
        }
    };
    const auto unwindThrough = [&](bool throws) {
        try {
            const CallsInDestructor guard{rig, throws};
            throw std::runtime_error{"outer"};
        } catch (const std::runtime_error&) {
        }
    };
    unwindThrough(false);  // the outer exception is not this call's
    CHECK(rig.stats().totalCancelled == 1);
    CHECK(rig.stats().totalFailures == 0);
    unwindThrough(true);
    CHECK(rig.stats().totalCancelled == 1);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("A moved permit remembers what was unwinding when it was acquired") {
    Rig rig;
    try {
        Permit outer;
        {
            Permit inner = rig.begin();
            outer = std::move(inner);
        }
        throw std::runtime_error{"x"};
    } catch (const std::runtime_error&) {
    }
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE(
    "A permit that is assigned while an exception unwinds is judged by those that come later") {
    Rig rig;
    struct AssignsInDestructor {
        Rig<>& rig;
        ~AssignsInDestructor() {
            Permit held;
            held = rig.begin();
        }
    };
    try {
        const AssignsInDestructor guard{rig};
        throw std::runtime_error{"outer"};
    } catch (const std::runtime_error&) {
    }
    CHECK(rig.stats().totalCancelled == 1);
    CHECK(rig.stats().totalFailures == 0);
}

TEST_CASE("An exception that is being handled does not unwind a permit") {
    Rig rig;
    try {
        throw std::runtime_error{"x"};
    } catch (const std::runtime_error&) {
        const Permit permit = rig.begin();
    }
    CHECK(rig.stats().totalCancelled == 1);
    CHECK(rig.stats().totalFailures == 0);
}

TEST_CASE("A rejected permit says why by value, and has nothing to report") {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.breaker.open();
    rig.clock.advance(4s);
    Permit permit = rig.breaker.tryAcquire();
    const Rejection kept = permit.rejection();
    CHECK(kept == Rejection{"rig", CircuitState::Open, RejectionReason::Open, 6s});
    checkEnded(permit);
    CHECK(permit.rejection() == kept);
    Permit moved = std::move(permit);
    CHECK(moved.rejection() == kept);
    CHECK(rig.stats().totalRejected == 1);
    CHECK(rig.stats().totalCalls == 0);
}

TEST_CASE("Each reason for a rejection has its state and its wait") {
    Rig rig{{.recoveryTimeout = 10s, .halfOpenLimit = 1}};
    rig.breaker.setMode(ControlMode::ForcedOpen);
    CHECK(rig.rejected() ==
          Rejection{"rig", CircuitState::Open, RejectionReason::ForcedOpen, kForever});
    rig.breaker.setMode(ControlMode::Automatic);
    rig.reachHalfOpen();
    const Permit probe = rig.begin();
    CHECK(rig.rejected() ==
          Rejection{"rig", CircuitState::HalfOpen, RejectionReason::ProbesBusy, 0ns});
    CHECK(rig.stats().totalRejected == 2);
}

TEST_CASE("An admitted permit has no rejection") {
    Rig rig;
    const Permit permit = rig.begin();
    CHECK(permit.rejection() == Rejection{});
}

TEST_CASE("A success or failure reported after the deadline is a timeout") {
    for (const Outcome outcome : {Outcome::Success, Outcome::Failure}) {
        Rig rig{{.requestTimeout = 2s}};
        rig.take(2s, outcome);
        CHECK(rig.stats().totalTimeouts == 0);
        rig.take(2s + 1ns, outcome);
        CHECK(rig.stats().totalTimeouts == 1);
        CHECK(rig.stats().totalCalls == 2);
    }
}

TEST_CASE("An ignored or cancelled call that is late stays so, a timeout counts once") {
    Rig rig{{.requestTimeout = 2s}};
    rig.take(3s, Outcome::Ignored);
    rig.take(3s, Outcome::Timeout);
    {
        const Permit permit = rig.begin();
        rig.clock.advance(3s);
    }
    CHECK(rig.stats().totalIgnored == 1);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().totalCancelled == 1);
}

TEST_CASE("A report with the caller's own measure goes by that measure") {
    Rig rig{{.requestTimeout = 2s}};
    Permit slow = rig.begin();
    Permit quick = rig.begin();
    rig.clock.advance(3s);
    CHECK(quick.report(Outcome::Success, 500ms) == ReportResult::Recorded);
    CHECK(rig.stats().totalSuccesses == 1);
    CHECK(rig.stats().averageResponseTime == 500ms);
    CHECK(slow.report(Outcome::Success, 2s + 1ns) == ReportResult::Recorded);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().latency.max == 2s + 1ns);
    CHECK(rig.begin().report(Outcome::Failure, 2s) == ReportResult::Recorded);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("What went wrong is what was reported, unless the time says better") {
    constexpr std::string_view kReported = "reported by permit";
    constexpr std::string_view kLate = "the call took longer than its deadline";
    const auto lastErrorAfter = [](const auto& call) {
        Rig rig{{.requestTimeout = 2s}};
        call(rig);
        return rig.stats().lastError;
    };
    CHECK(lastErrorAfter([](Rig<>& rig) { rig.begin().failure(); }) == kReported);
    CHECK(lastErrorAfter([](Rig<>& rig) { rig.begin().timeout(); }) == kReported);
    CHECK(lastErrorAfter([](Rig<>& rig) { rig.take(3s, Outcome::Failure); }) == kLate);
    CHECK(lastErrorAfter([](Rig<>& rig) { rig.take(3s, Outcome::Success); }) == kLate);
    // By the caller's own measure as well.
    CHECK(lastErrorAfter([](Rig<>& rig) { rig.begin().report(Outcome::Failure, 1s); }) ==
          kReported);
    CHECK(lastErrorAfter([](Rig<>& rig) { rig.begin().report(Outcome::Failure, 3s); }) == kLate);
    CHECK(lastErrorAfter([](Rig<>& rig) { rig.begin().report(Outcome::Success, 3s); }) == kLate);
    // A result that was judged speaks for itself.
    const auto judged = judgedBy([] { return 1; }, [](int) { return Outcome::Failure; });
    CHECK(lastErrorAfter([&](Rig<>& rig) { rig.breaker.execute(judged); }) ==
          "the result was judged a failure");
}

TEST_CASE("A measure below zero is read as zero") {
    Rig rig;
    CHECK(rig.begin().report(Outcome::Success, -5s) == ReportResult::Recorded);
    CHECK(rig.stats().averageResponseTime == 0ns);
}

TEST_CASE("A reported measure decides what is slow") {
    Rig rig{{}, SlowCallRate{.slowerThan = 1s, .minimumCalls = 2}};
    CHECK(rig.begin().report(Outcome::Success, 1s - 1ns) == ReportResult::Recorded);
    CHECK(rig.stats().totalSlow == 0);
    CHECK(rig.begin().report(Outcome::Success, 1s) == ReportResult::Recorded);
    CHECK(rig.stats().totalSlow == 1);
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("Permits may be kept beside each other and reported in any order") {
    Rig rig{{.trackInFlight = true}};
    auto permits = rig.begin(5);
    CHECK(rig.stats().inFlight == 5);
    for (const std::size_t i : {3U, 0U, 4U, 1U, 2U}) {
        CHECK(permits[i].success() == ReportResult::Recorded);
    }
    CHECK(rig.stats().inFlight == 0);
    CHECK(rig.stats().totalSuccesses == 5);
}
