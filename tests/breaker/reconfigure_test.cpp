// SPDX-License-Identifier: MIT
// Reconfiguring a live breaker: what stays, what changes, and for whom.
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::Rig;

TEST_CASE("A tightened threshold counts the failures that there were") {
    Rig rig{{}, ConsecutiveFailures{5}};
    rig.fail(3);
    rig.breaker.reconfigure(ConsecutiveFailures{4});
    CHECK(rig.stats().consecutiveFailures == 3);
    CHECK(rig.state() == CircuitState::Closed);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("A threshold below what there already was trips at the next failure, not before") {
    Rig rig{{}, ConsecutiveFailures{10}};
    rig.fail(6);
    rig.breaker.reconfigure(ConsecutiveFailures{5});
    CHECK(rig.state() == CircuitState::Closed);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("The same policy with other options keeps the window") {
    Rig rig{{}, FailureRate{.threshold = 0.5, .minimumCalls = 4}};
    rig.succeed(2);
    rig.fail();
    rig.breaker.reconfigure({.recoveryTimeout = 7s});
    CHECK(rig.stats().windowCalls == 3);
    CHECK(rig.stats().windowFailures == 1);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.breaker.retryAfter() == 7s);
}

TEST_CASE("A shorter window keeps the calls that it still holds") {
    Rig rig{{}, FailureRate{.threshold = 1.0, .minimumCalls = 100, .window = lastCalls(100)}};
    rig.fail(5);
    rig.succeed(5);
    rig.fail(2);
    rig.breaker.reconfigure(
        FailureRate{.threshold = 1.0, .minimumCalls = 10, .window = lastCalls(10)});
    CHECK(rig.stats().windowCalls == 10);
    CHECK(rig.stats().windowFailures == 5);
    rig.succeed(8);
    CHECK(rig.stats().windowFailures == 2);
}

TEST_CASE("A longer window keeps what is known, if that is everything") {
    Rig rig{{}, FailureRate{.threshold = 1.0, .minimumCalls = 10, .window = lastCalls(10)}};
    rig.succeed();
    rig.fail(4);
    rig.breaker.reconfigure(
        FailureRate{.threshold = 1.0, .minimumCalls = 20, .window = lastCalls(20)});
    CHECK(rig.stats().windowCalls == 5);
    CHECK(rig.stats().windowFailures == 4);
    SECTION("else it begins anew") {
        rig.succeed(16);
        rig.fail(2);
        rig.breaker.reconfigure(
            FailureRate{.threshold = 1.0, .minimumCalls = 30, .window = lastCalls(30)});
        CHECK(rig.stats().windowCalls == 0);
        CHECK(rig.stats().windowFailures == 0);
        rig.fail();
        CHECK(rig.stats().windowCalls == 1);
        CHECK(rig.stats().windowFailures == 1);
    }
}

TEST_CASE("Another kind of policy or window begins with an empty window") {
    Rig<AnyTripPolicy> rig{{}, FailureRate{.threshold = 1.0, .minimumCalls = 100}};
    rig.succeed(3);
    rig.fail(3);
    const auto other = GENERATE(
        AnyTripPolicy{FailureRate{.threshold = 1.0, .minimumCalls = 100, .window = 10s}},
        AnyTripPolicy{SlowCallRate{.minimumCalls = 100}}, AnyTripPolicy{ConsecutiveFailures{4}},
        AnyTripPolicy{anyOf(FailureRate{.threshold = 1.0, .minimumCalls = 100})});
    rig.breaker.reconfigure(other);
    CHECK(rig.stats().windowCalls == 0);
    CHECK(rig.stats().consecutiveFailures == 0);
    CHECK(rig.stats().totalCalls == 6);
    rig.fail(3);
    CHECK(rig.stats().windowCalls == 3);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("A composite keeps its windows part by part, or none of them") {
    using Part = FailureRate;
    const auto parts = [](int threshold, Window window) {
        return AnyTripPolicy{anyOf(ConsecutiveFailures{threshold},
                                   Part{.threshold = 1.0, .minimumCalls = 50, .window = window})};
    };
    Rig<AnyTripPolicy> rig{{}, parts(9, lastCalls(100))};
    rig.succeed(120);
    rig.fail(3);
    SECTION("all can") {
        rig.breaker.reconfigure(parts(4, lastCalls(60)));
        CHECK(rig.stats().windowFailures == 3);
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
    SECTION("one cannot") {
        rig.breaker.reconfigure(parts(4, lastCalls(200)));
        CHECK(rig.stats().windowCalls == 0);
        rig.fail(3);
        CHECK(rig.state() == CircuitState::Closed);
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
}

TEST_CASE("A policy that goes by the time is told it, though the one before did not") {
    Rig rig{{}, AnyTripPolicy{ConsecutiveFailures{100}}};
    rig.breaker.reconfigure(AnyTripPolicy{FailureCount{.threshold = 3, .window = 10s}});
    for (int i = 0; i < 5; ++i) {
        rig.clock.advance(8s);
        rig.fail();
    }
    CHECK(rig.state() == CircuitState::Closed);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("A time window of the same length is kept, edges and all") {
    const auto policy = [](double threshold) {
        return FailureRate{.threshold = threshold, .minimumCalls = 4, .window = 10s};
    };
    Rig rig{{}, policy(1.0)};
    rig.fail();
    rig.clock.advance(5s);
    rig.succeed();
    rig.fail();
    rig.breaker.reconfigure(policy(0.75));
    CHECK(rig.stats().windowCalls == 3);
    rig.clock.advance(6s);
    rig.fail();
    CHECK(rig.stats().windowCalls == 3);
    CHECK(rig.state() == CircuitState::Closed);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("FailureCount keeps its failures under another threshold, as far as it knows them") {
    const auto policy = [](int threshold, Window window = 10s) {
        return FailureCount{.threshold = threshold, .window = window};
    };
    Rig rig{{}, policy(4)};
    rig.fail();
    rig.clock.advance(1s);
    rig.fail(2);
    SECTION("lower") {
        rig.breaker.reconfigure(policy(2));
        rig.clock.advance(9s);
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
    SECTION("higher") {
        rig.breaker.reconfigure(policy(5));
        rig.fail();
        CHECK(rig.state() == CircuitState::Closed);
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
    SECTION("a shorter window") {
        rig.breaker.reconfigure(policy(3, 2s));
        rig.clock.advance(1s);
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
    SECTION("a longer one does not know") {
        rig.breaker.reconfigure(policy(4, 20s));
        rig.fail(3);
        CHECK(rig.state() == CircuitState::Closed);
    }
}

TEST_CASE("Cusum keeps its score under another limit, and not under other rates") {
    const auto policy = [](double calls, double unacceptable = 0.3) {
        return Cusum{.unacceptableFailureRate = unacceptable, .callsBetweenFalseTrips = calls};
    };
    Rig rig{{}, policy(1e12)};
    rig.fail(3);
    SECTION("limit") {
        rig.breaker.reconfigure(policy(1e6));
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
    SECTION("rates") {
        rig.breaker.reconfigure(policy(1e6, 0.4));
        rig.fail();
        CHECK(rig.state() == CircuitState::Closed);
    }
}

TEST_CASE("An open breaker goes on waiting as it was: the next wait is the new one") {
    Rig rig{{.recoveryTimeout = 10s}, ConsecutiveFailures{2}};
    rig.fail(2);
    rig.clock.advance(4s);
    rig.breaker.reconfigure({.recoveryTimeout = 30s, .successThreshold = 1});
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.breaker.retryAfter() == 6s);
    CHECK(rig.stats().timesOpened == 1);
    CHECK(rig.stats().timeOpen == 4s);
    rig.wait();
    rig.fail();
    CHECK(rig.breaker.retryAfter() == 30s);
    rig.wait();
    rig.succeed();
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("A half-open breaker keeps its successes: its probes begin anew within the new limit") {
    Rig rig{{.successThreshold = 3, .halfOpenLimit = 1}};
    rig.reachHalfOpen();
    rig.succeed(2);
    auto before = rig.begin();
    (void)rig.rejected();
    rig.breaker.reconfigure({.recoveryTimeout = 5s, .successThreshold = 3, .halfOpenLimit = 2});
    CHECK(rig.state() == CircuitState::HalfOpen);
    CHECK(rig.stats().probesInFlight == 0);
    CHECK(rig.stats().consecutiveSuccesses == 2);
    auto probes = rig.begin(2);
    CHECK(rig.rejected().reason == RejectionReason::ProbesBusy);
    CHECK(before.failure() == ReportResult::Stale);
    CHECK(rig.state() == CircuitState::HalfOpen);
    probes[0].success();
    CHECK(rig.state() == CircuitState::Closed);
    probes[1].ignore();

    SECTION("and reopens with the new wait") {
        rig.reachHalfOpen();
        rig.breaker.reconfigure({.recoveryTimeout = 77s});
        rig.fail();
        CHECK(rig.breaker.retryAfter() == 77s);
    }
    SECTION("and its probes are lost by the new rule") {
        rig.reachHalfOpen();
        rig.breaker.reconfigure({.recoveryTimeout = 9s, .probeTimeout = 2s});
        const auto lost = rig.begin();
        rig.clock.advance(3s);
        CHECK(rig.state() == CircuitState::Open);
        CHECK(rig.breaker.retryAfter() == 8s);
    }
}

TEST_CASE("Calls in flight keep the deadline that they were admitted with") {
    Rig rig{{.requestTimeout = 10s}, ConsecutiveFailures{5}};
    auto generous = rig.begin();
    rig.breaker.reconfigure({.requestTimeout = 1s});
    auto strict = rig.begin();
    rig.breaker.reconfigure({.requestTimeout = 20s});
    auto lavish = rig.begin();
    rig.clock.advance(5s);
    CHECK(generous.success() == ReportResult::Stale);
    CHECK(strict.success() == ReportResult::Stale);
    CHECK(lavish.success() == ReportResult::Recorded);
    CHECK(rig.stats().totalSuccesses == 2);
    CHECK(rig.stats().totalTimeouts == 1);
    CHECK(rig.stats().totalStale == 2);
    CHECK(rig.stats().windowFailures == 0);
}

TEST_CASE("Calls in flight keep their measure of slowness") {
    const auto policy = [](auto slowerThan) { return SlowCallRate{.slowerThan = slowerThan}; };
    Rig rig{{}, policy(1s)};
    auto before = rig.begin();
    rig.breaker.reconfigure(policy(10s));
    rig.clock.advance(2s);
    before.success();
    CHECK(rig.stats().totalSlow == 1);
    rig.take(2s);
    CHECK(rig.stats().totalSlow == 1);
}

TEST_CASE("Calls in flight keep their classifier") {
    const auto judging = [](Outcome outcome) {
        return CircuitBreakerOptions{.classifyError = [=](auto) { return outcome; }};
    };
    Rig rig{judging(Outcome::Ignored)};
    const auto call = [&](auto during) {
        CHECK_THROWS_AS(rig.breaker.execute([&] {
            during();
            throw std::runtime_error{"no"};
        }),
                        std::runtime_error);
    };
    call([&] { rig.breaker.reconfigure(judging(Outcome::Failure)); });
    CHECK(rig.stats().totalIgnored == 1);
    CHECK(rig.stats().totalFailures == 0);
    call([] {});
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("A call that outlives more than eight reconfigurations is judged by the oldest known") {
    Rig rig{{.requestTimeout = 1s}};
    auto eight = std::optional{rig.begin()};
    for (int i = 0; i < 8; ++i) rig.breaker.reconfigure({.requestTimeout = 100s + 1s * i});
    rig.clock.advance(5s);
    eight->success();
    CHECK(rig.stats().totalTimeouts == 1);
    auto nine = rig.begin();
    for (int i = 0; i < 9; ++i) rig.breaker.reconfigure({.requestTimeout = 200s + 1s * i});
    rig.clock.advance(150s);
    nine.success();
    CHECK(rig.stats().totalTimeouts == 1);
}

TEST_CASE("Measuring and counting in flight can be switched on and off") {
    Rig rig{{.measureLatency = false}};
    auto unmeasured = rig.begin();
    rig.breaker.reconfigure({.trackInFlight = true});
    auto tracked = rig.begin();
    CHECK(rig.stats().inFlight == 1U);
    rig.clock.advance(4s);
    unmeasured.success();
    CHECK(rig.stats().inFlight == 1U);
    CHECK_FALSE(rig.stats().averageResponseTime);
    rig.breaker.reconfigure({.measureLatency = false});
    CHECK_FALSE(rig.stats().inFlight);
    tracked.success();
    CHECK(rig.stats().averageResponseTime == 4s);
    rig.breaker.reconfigure({.trackInFlight = true});
    CHECK(rig.stats().inFlight == 0U);
    rig.take(2s);
    CHECK(rig.stats().averageResponseTime == 3s);
    CHECK(rig.stats().latency.max == 4s);
}

TEST_CASE("Calls in flight are counted on through reconfigurations and resets") {
    Rig rig;
    rig.succeed(5);  // Not counted in flight.
    rig.breaker.reconfigure({.trackInFlight = true});
    CHECK(rig.stats().inFlight == 0U);
    auto held = rig.begin(3);
    rig.succeed(4);
    CHECK(rig.stats().inFlight == 3U);
    for (int i = 0; i < 2; ++i) {
        rig.breaker.reset();
        CHECK(rig.stats().inFlight == 3U);
        rig.succeed(2);
        CHECK(rig.stats().inFlight == 3U);
        rig.breaker.reconfigure(CircuitBreakerOptions{});
        rig.succeed(3);
        CHECK_FALSE(rig.stats().inFlight);
        rig.breaker.reconfigure({.trackInFlight = true});
        CHECK(rig.stats().inFlight == 3U);
    }
    held.clear();
    CHECK(rig.stats().inFlight == 0U);
}

TEST_CASE("Totals, history and mode stay") {
    Rig rig{{}, ConsecutiveFailures{2}};
    rig.fail(2);
    rig.breaker.close();
    rig.succeed(3);
    rig.breaker.setMode(ControlMode::Shadow);
    const auto before = rig.stats();
    rig.breaker.reconfigure(ConsecutiveFailures{9}, {.recoveryTimeout = 1s});
    const auto after = rig.stats();
    CHECK(after.totalCalls == before.totalCalls);
    CHECK(after.timesOpened == 1);
    CHECK(after.mode == ControlMode::Shadow);
    CHECK(after.lastOpened == before.lastOpened);
    CHECK(after.policy == toString(ConsecutiveFailures{9}));
    CHECK_THAT(after.options, ContainsSubstring("recovery after 1 s"));
    REQUIRE(after.lastTrip);
    CHECK(after.lastTrip->policy == toString(ConsecutiveFailures{2}));
    CHECK(after.timesReconfigured == 1);
    CHECK(rig.breaker.policy() == ConsecutiveFailures{9});
    CHECK(rig.breaker.options().recoveryTimeout == 1s);
    rig.breaker.reset();
    CHECK(rig.stats().timesReconfigured == 0);
    CHECK(rig.breaker.policy() == ConsecutiveFailures{9});
    rig.breaker.setMode(ControlMode::Automatic);
    rig.fail(9);
    CHECK(rig.stats().lastTrip.value().policy == toString(ConsecutiveFailures{9}));
}

TEST_CASE("A reconfiguration is announced, in order with the transitions") {
    std::vector<std::string> told;
    Rig rig{{}, ConsecutiveFailures{1}};
    const auto changes = rig.breaker.on<StateChanged>(
        [&](const StateChanged& event) { told.emplace_back(toString(event.to)); });
    const auto subscription = rig.breaker.on<Reconfigured>([&](const Reconfigured& event) {
        CHECK(event.breaker == "rig");
        told.push_back(event.previous + " -> " + event.current);
    });
    rig.fail();
    rig.breaker.reconfigure(ConsecutiveFailures{2});
    rig.breaker.close();
    REQUIRE(told.size() == 3);
    CHECK(told[0] == "OPEN");
    CHECK(told[2] == "CLOSED");
    CHECK_THAT(told[1], ContainsSubstring("1 failure in a row; recovery after 1 min") &&
                            ContainsSubstring(" -> 2 failures in a row; "));
}

TEST_CASE("Transitions are told to the callbacks that were in force when they were made") {
    std::vector<std::string> told;
    const auto telling = [&](std::string who) {
        return CircuitBreakerOptions{.onStateChange = [&told, who] { told.push_back(who); }};
    };
    Rig rig;
    rig.breaker.open();
    rig.breaker.close();
    rig.breaker.reconfigure(telling("first"));
    rig.breaker.open();
    rig.breaker.reconfigure(telling("second"));
    rig.breaker.close();
    rig.breaker.reconfigure(CircuitBreakerOptions{});
    rig.breaker.open();
    CHECK(told == std::vector<std::string>{"first", "second"});
}

TEST_CASE("A refused reconfiguration changes nothing and names what is wrong") {
    Rig rig{{.shards = 4}, ConsecutiveFailures{3}};
    rig.fail(2);
    const auto refuses = [&](const auto& change, const char* why) {
        CHECK_THROWS_WITH(change(), ContainsSubstring("\"rig\"") && ContainsSubstring(why));
        CHECK_THROWS_AS(change(), ConfigError);
    };
    refuses([&] { rig.breaker.reconfigure(ConsecutiveFailures{0}); },
            "ConsecutiveFailures.threshold is 0");
    refuses([&] { rig.breaker.reconfigure({.recoveryTimeout = 0s, .shards = 4}); },
            "recoveryTimeout is 0 ns");
    refuses([&] { rig.breaker.reconfigure({.shards = 64}); }, "shards is 64; allowed: 4");
    CHECK(rig.stats().timesReconfigured == 0);
    CHECK(rig.stats().consecutiveFailures == 2);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);

    Rig slow{{}, SlowCallRate{}};
    CHECK_THROWS_WITH(slow.breaker.reconfigure({.measureLatency = false}),
                      ContainsSubstring("measureLatency is false"));
}

TEST_CASE("A listener may reconfigure the breaker that tells it") {
    Rig rig{{}, ConsecutiveFailures{2}};
    const auto subscription = rig.breaker.on<CallFailed>([&] {
        if (rig.stats().totalFailures == 1) rig.breaker.reconfigure(ConsecutiveFailures{4});
    });
    const auto recovery = rig.breaker.on<StateChanged>([&](const StateChanged& event) {
        if (event.to == CircuitState::Open) rig.breaker.reconfigure({.recoveryTimeout = 3s});
    });
    rig.fail(3);
    CHECK(rig.state() == CircuitState::Closed);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
    CHECK(rig.breaker.options().recoveryTimeout == 3s);
}

namespace {

/// A policy of a user, whose tracker cannot adopt another's knowledge.
struct CannotAdopt {
    int n = 3;
    friend bool operator==(const CannotAdopt&, const CannotAdopt&) = default;

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const CannotAdopt& policy) : n_(policy.n) {}
        void enter(std::chrono::nanoseconds) noexcept { failures_ = 0; }
        Verdict record(const CallRecord& call) noexcept {
            failures_ += call.failed;
            return failures_ >= n_;
        }

    private:
        int n_;
        int failures_ = 0;
    };
};

}  // namespace

TEST_CASE("A tracker that cannot adopt begins anew, and goes on under the same policy") {
    Rig<CannotAdopt> rig;
    rig.fail(2);
    SECTION("same") {
        rig.breaker.reconfigure(CannotAdopt{}, {.recoveryTimeout = 1s});
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
    SECTION("another") {
        rig.breaker.reconfigure(CannotAdopt{2});
        rig.fail();
        CHECK(rig.state() == CircuitState::Closed);
        rig.fail();
        CHECK(rig.state() == CircuitState::Open);
    }
}

TEST_CASE("A reconfiguration during another is not lost, nor does it undo that") {
    /// Does something, once, when it is copied: what another thread does meanwhile.
    struct WhenCopied {
        std::function<void()>* action;
        explicit WhenCopied(std::function<void()>& a) : action(&a) {}
        WhenCopied(const WhenCopied& other) : action(other.action) {
            if (*action) std::exchange(*action, nullptr)();
        }
        void operator()() const {}
    };
    std::function<void()> meanwhile;
    Rig rig{{.onOpen = WhenCopied{meanwhile}}};
    meanwhile = [&] { rig.breaker.reconfigure(CircuitBreakerOptions{.recoveryTimeout = 7s}); };
    rig.breaker.reconfigure(ConsecutiveFailures{2});
    CHECK_FALSE(meanwhile);
    CHECK(rig.breaker.policy() == ConsecutiveFailures{2});
    CHECK(rig.breaker.options().recoveryTimeout == 7s);
    CHECK(rig.stats().timesReconfigured == 2);
    rig.fail(2);
    CHECK(rig.breaker.retryAfter() == 7s);
}
