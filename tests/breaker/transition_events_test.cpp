// SPDX-License-Identifier: MIT
// C: one transition, one event. What is told of transitions, in which order, and to whom.
#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "breaker/transition_log.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/failure_rate.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::inWords;
using fusebox::test::Lines;
using fusebox::test::Rig;
using fusebox::test::TransitionLog;
using std::chrono::system_clock;

// Each event is a plain struct with the breaker's name and a time on the system clock.
static_assert(std::is_aggregate_v<StateChanged> && std::is_base_of_v<Event, StateChanged>);
static_assert(std::is_aggregate_v<ModeChanged> && std::is_base_of_v<Event, ModeChanged>);
static_assert(std::is_aggregate_v<WasReset> && std::is_base_of_v<Event, WasReset>);
static_assert(std::is_same_v<decltype(Event::breaker), std::string_view>);
static_assert(std::is_same_v<decltype(Event::time), system_clock::time_point>);

TEST_CASE("C: every kind of transition is told once, in a chain, with its reason") {
    Rig rig{{.recoveryTimeout = 10s, .probeTimeout = 5s}};
    TransitionLog log{rig.breaker};
    rig.trip();
    rig.wait();
    rig.fail();
    rig.wait();
    const auto lost = rig.begin();
    rig.clock.advance(6s);
    (void)rig.rejected();
    rig.wait();
    rig.recover();
    rig.breaker.open();
    rig.breaker.close();
    rig.breaker.open();
    rig.breaker.reset();
    CHECK(log.lines() == Lines{"CLOSED > OPEN: POLICY_TRIPPED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                               "HALF_OPEN > OPEN: PROBE_FAILED", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                               "HALF_OPEN > OPEN: PROBE_LOST", "OPEN > HALF_OPEN: WAIT_ELAPSED",
                               "HALF_OPEN > CLOSED: PROBES_SUCCEEDED", "CLOSED > OPEN: MANUAL",
                               "OPEN > CLOSED: MANUAL", "CLOSED > OPEN: MANUAL",
                               "OPEN > CLOSED: RESET", "reset"});
}

TEST_CASE("Events name the breaker and the time") {
    Rig rig;
    const auto before = system_clock::now();
    std::vector<std::string> names;
    const auto note = [&](const Event& event) {
        names.emplace_back(event.breaker);
        CHECK(event.time >= before);
        CHECK(event.time <= system_clock::now());
    };
    const Subscription subscriptions[] = {rig.breaker.on<StateChanged>(note),
                                          rig.breaker.on<ModeChanged>(note),
                                          rig.breaker.on<WasReset>(note)};
    rig.breaker.open();
    rig.breaker.setMode(ControlMode::Shadow);
    rig.breaker.reset();
    CHECK(names == Lines{"rig", "rig", "rig", "rig"});
}

TEST_CASE("A lone thread hears of its transitions before its call returns") {
    Rig rig{{}, ConsecutiveFailures{1}};
    TransitionLog log{rig.breaker};
    auto permit = rig.begin();
    permit.failure();
    CHECK(log.lines() == Lines{"CLOSED > OPEN: POLICY_TRIPPED"});
    rig.breaker.setMode(ControlMode::ForcedClosed);
    CHECK(log.lines() == Lines{"AUTOMATIC > FORCED_CLOSED"});
    rig.breaker.close();
    CHECK(log.lines() == Lines{"OPEN > CLOSED: MANUAL"});
}

TEST_CASE("The snapshot is of the breaker just before the transition: what led to it") {
    Rig rig{{.recoveryTimeout = 10s}, FailureRate{.minimumCalls = 2, .window = lastCalls(50)}};
    TransitionLog log{rig.breaker};
    rig.succeed(2);
    rig.fail(2);
    rig.wait();
    rig.recover();
    REQUIRE(log.events.size() == 3);
    const CircuitBreakerStats& tripping = log.events[0].snapshot;
    CHECK(tripping.name == "rig");
    CHECK_FALSE(tripping.policy.empty());
    CHECK_FALSE(tripping.options.empty());
    CHECK(tripping.state == CircuitState::Closed);
    CHECK(tripping.windowCalls == 4);
    CHECK(tripping.windowFailures == 2);
    CHECK(tripping.windowSize == 50U);
    CHECK(tripping.failureRate == 0.5);
    CHECK(tripping.consecutiveFailures == 2);
    CHECK(tripping.totalCalls == 4);  // the call that tripped it included
    CHECK(tripping.timesOpened == 0);
    CHECK_FALSE(tripping.lastTrip);
    const CircuitBreakerStats& waited = log.events[1].snapshot;
    CHECK(waited.state == CircuitState::Open);
    CHECK(waited.timesOpened == 1);
    CHECK(waited.timeOpen == 10s);
    const CircuitBreakerStats& recovered = log.events[2].snapshot;
    CHECK(recovered.state == CircuitState::HalfOpen);
    CHECK(recovered.consecutiveSuccesses == 2);
    CHECK(recovered.timesClosed == 0);
    CHECK(recovered.windowCalls == 4);
}

TEST_CASE("The snapshot of a closed breaker has its row of successes and its calls in flight") {
    Rig rig{{.trackInFlight = true}};
    TransitionLog log{rig.breaker};
    const auto held = rig.begin(2);
    rig.fail();
    rig.succeed(3);
    rig.breaker.open();
    CHECK(log.events.back().snapshot.consecutiveSuccesses == 3);
    CHECK(log.events.back().snapshot.inFlight == 2U);
}

TEST_CASE("The snapshot of an open breaker that is closed has the rest of its wait") {
    Rig rig{{.recoveryTimeout = 10s}};
    TransitionLog log{rig.breaker};
    rig.trip();
    rig.clock.advance(4s);
    rig.breaker.close();
    CHECK(log.events.back().snapshot.retryAfter == 6s);
    CHECK(log.events.back().snapshot.timeOpen == 4s);
    rig.trip();
    rig.clock.advance(1h);
    rig.breaker.close();
    CHECK_FALSE(log.events.back().snapshot.retryAfter);
    CHECK(log.events.back().snapshot.timeOpen == 4s + 10s);
}

TEST_CASE("onStateChange comes first, then onOpen, onHalfOpen or onClose, then on<>") {
    std::vector<std::string> heard;
    const auto note = [&](std::string who) {
        return [&heard, who](const StateChanged& e) {
            heard.push_back(who + " " + std::string{toString(e.to)});
        };
    };
    Rig rig{{.onStateChange = note("all"),
             .onOpen = note("open"),
             .onHalfOpen = note("half"),
             .onClose = note("close")}};
    const Subscription subscription = rig.breaker.on<StateChanged>(note("on"));
    rig.trip();
    rig.wait();
    rig.recover();
    CHECK(heard == Lines{"all OPEN", "open OPEN", "on OPEN", "all HALF_OPEN", "half HALF_OPEN",
                         "on HALF_OPEN", "all CLOSED", "close CLOSED", "on CLOSED"});
}

TEST_CASE("Callbacks of the options are called as f(event) or as f()") {
    int plain = 0;
    std::vector<TransitionReason> reasons;
    Rig rig{{.onStateChange = [&] { ++plain; },
             .onOpen = [&](const StateChanged& event) { reasons.push_back(event.reason); },
             .onHalfOpen = [&, calls = 0]() mutable { plain += ++calls; },
             .onClose = [&](auto&&... event) { plain += static_cast<int>(sizeof...(event)); }}};
    rig.trip();
    rig.wait();
    rig.recover();
    CHECK(reasons == std::vector{TransitionReason::PolicyTripped});
    CHECK(plain == 3 + 1 + 1);
}

TEST_CASE("A copy of a callback goes on by itself, and of none there is none") {
    int seen = 0;
    StateCallback counts{[&seen, calls = 0]() mutable { seen = ++calls; }};
    const auto seenBy = [&](const StateCallback& callback) {
        callback({});
        return seen;
    };
    CHECK(seenBy(counts) == 1);
    const StateCallback copied{counts};
    StateCallback assigned;
    assigned = counts;
    CHECK(seenBy(counts) == 2);
    CHECK(seenBy(counts) == 3);
    CHECK(seenBy(copied) == 2);
    CHECK(seenBy(assigned) == 2);
    assigned = StateCallback{};
    CHECK_FALSE(assigned);
    CHECK_FALSE(StateCallback{assigned});
    counts = assigned;
    CHECK_FALSE(counts);
    CHECK(seenBy(copied) == 3);
}

TEST_CASE("What holds no function is no callback") {
    using Function = std::function<void()>;
    CHECK_FALSE(StateCallback{});
    CHECK_FALSE(StateCallback{nullptr});
    CHECK_FALSE(StateCallback{Function{}});
    CHECK_FALSE(StateCallback{static_cast<void (*)()>(nullptr)});
    CHECK(StateCallback{+[] {}});
    int calls = 0;
    const StateCallback callback{Function{[&] { ++calls; }}};
    REQUIRE(callback);
    callback(StateChanged{});
    CHECK(calls == 1);
}

TEST_CASE("The first opening is onOpen, a reset is onClose, a change of mode is neither") {
    int opened = 0;
    int closed = 0;
    Rig rig{{.onOpen = [&] { ++opened; }, .onClose = [&] { ++closed; }}};
    CHECK(opened + closed == 0);
    rig.breaker.open();
    rig.breaker.reset();
    rig.breaker.reset();
    CHECK(opened == 1);
    CHECK(closed == 1);
    rig.breaker.setMode(ControlMode::ForcedOpen);
    rig.breaker.setMode(ControlMode::ForcedClosed);
    CHECK(opened == 1);
    CHECK(closed == 1);
}

TEST_CASE("Listeners are called in the order in which they came") {
    Rig rig;
    std::string heard;
    const auto note = [&](char who) {
        return rig.breaker.on<StateChanged>([&heard, who](const StateChanged&) { heard += who; });
    };
    const Subscription a = note('a');
    Subscription b = note('b');
    const Subscription c = note('c');
    rig.breaker.open();
    CHECK(heard == "abc");
    b.unsubscribe();
    const Subscription d = note('d');
    rig.breaker.close();
    CHECK(heard == "abcacd");
}

TEST_CASE("Listeners may be move-only") {
    Rig rig;
    auto count = std::make_unique<int>(0);
    int* seen = count.get();
    const Subscription subscription =
        rig.breaker.on<StateChanged>([held = std::move(count)](const StateChanged&) { ++*held; });
    rig.breaker.open();
    CHECK(*seen == 1);
    const Subscription brief =
        rig.breaker.on<StateChanged>([held = std::make_unique<int*>(seen)] { **held += 10; });
    rig.breaker.close();
    CHECK(*seen == 12);
}

TEST_CASE("G 39: what listeners throw is contained and counted, and the others are still told") {
    std::vector<std::string> heard;
    const auto throwing = [&](std::string who) {
        return [&heard, who] {
            heard.push_back(who);
            throw std::runtime_error{who};
        };
    };
    Rig rig{{.onStateChange = throwing("all"),
             .onOpen = throwing("open"),
             .onHalfOpen = throwing("half"),
             .onClose = throwing("close")},
            ConsecutiveFailures{1}};
    const Subscription first = rig.breaker.on<StateChanged>([&](const StateChanged&) { throw 1; });
    const Subscription second =
        rig.breaker.on<StateChanged>([&](const StateChanged&) { heard.push_back("second"); });
    // The real error is what leaves.
    CHECK_THROWS_AS(rig.breaker.execute([] { throw std::out_of_range{"real"}; }),
                    std::out_of_range);
    CHECK(heard == Lines{"all", "open", "second"});
    CHECK(rig.stats().listenerErrors == 3);
    CHECK(rig.stats().lastError == "real");
    CHECK(rig.state() == CircuitState::Open);
    rig.wait();
    rig.recover();
    CHECK(rig.stats().listenerErrors == 9);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("G 39: a listener that throws in a report leaves the permit ended") {
    Rig rig{{.onStateChange = [] { throw 1; }}, ConsecutiveFailures{1}};
    auto permit = rig.begin();
    CHECK(permit.failure() == ReportResult::Recorded);
    CHECK_FALSE(permit);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("G: a transition made in a listener is delivered after that listener returns") {
    Rig rig{{.recoveryTimeout = 10s}};
    std::vector<std::string> heard;
    const Subscription first = rig.breaker.on<StateChanged>([&](const StateChanged& event) {
        heard.push_back("enter " + inWords(event));
        if (event.reason == TransitionReason::PolicyTripped) rig.breaker.close();
        heard.push_back("leave");
    });
    const Subscription second = rig.breaker.on<StateChanged>(
        [&](const StateChanged& event) { heard.push_back("second " + inWords(event)); });
    rig.fail(5);
    CHECK(heard == Lines{"enter CLOSED > OPEN: POLICY_TRIPPED", "leave",
                         "second CLOSED > OPEN: POLICY_TRIPPED", "enter OPEN > CLOSED: MANUAL",
                         "leave", "second OPEN > CLOSED: MANUAL"});
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("G: a transition made in a listener of a call is delivered after it returns, too") {
    Rig rig;
    std::vector<std::string> heard;
    const Subscription transitions = rig.breaker.on<StateChanged>(
        [&](const StateChanged& event) { heard.push_back(inWords(event)); });
    const Subscription calls = rig.breaker.on<CallFailed>([&](const CallFailed&) {
        heard.push_back("enter");
        rig.breaker.open();
        heard.push_back("leave");
    });
    rig.fail();
    CHECK(heard == Lines{"enter", "leave", "CLOSED > OPEN: MANUAL"});
}

TEST_CASE("C: a listener that loops through the cycle sees a chain of a thousand links") {
    Rig rig{{.recoveryTimeout = 10s}};
    TransitionLog log{rig.breaker};
    int left = 1000;
    const Subscription loop = rig.breaker.on<StateChanged>([&](const StateChanged& event) {
        if (--left <= 0) return;
        event.to == CircuitState::Open ? rig.breaker.close() : rig.breaker.open();
    });
    rig.breaker.open();
    CHECK(log.events.size() == 1000);
    CHECK(rig.stats().timesOpened == 500);
    CHECK(rig.stats().timesClosed == 500);
}

TEST_CASE("A callback is called though nobody but it listens to transitions") {
    int calls = 0;
    Rig rig{{.onStateChange = [&] { ++calls; }}};
    const Subscription other = rig.breaker.on<WasReset>([] {});
    rig.breaker.open();
    CHECK(calls == 1);
}

TEST_CASE("A callback is called though it is the only one") {
    int calls = 0;
    const auto count = [&calls] { ++calls; };
    const CircuitBreakerOptions options[] = {
        {.onStateChange = count}, {.onOpen = count}, {.onHalfOpen = count}, {.onClose = count}};
    for (const auto& only : options) {
        Rig rig{only};
        calls = 0;
        rig.reachHalfOpen();
        rig.recover();
        CHECK(calls == (only.onStateChange ? 3 : 1));
    }
}
