// SPDX-License-Identifier: MIT
// How a breaker is made, and what a new one is.
#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "breaker/conservation.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::checkConservation;
using fusebox::test::ManualClock;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

using Default = CircuitBreaker<>;
static_assert(std::same_as<Default, CircuitBreaker<steady_clock, ConsecutiveFailures>>);
static_assert(
    std::same_as<SteadyCircuitBreaker<FailureRate>, CircuitBreaker<steady_clock, FailureRate>>);
static_assert(std::same_as<NamedCircuitBreaker, CircuitBreaker<steady_clock, AnyTripPolicy>>);
static_assert(!std::is_copy_constructible_v<Default> && !std::is_copy_assignable_v<Default>);
static_assert(!std::is_move_constructible_v<Default> && !std::is_move_assignable_v<Default>);
static_assert(!std::is_convertible_v<std::string, Default>, "the constructor is explicit");

// What is read on a call's path throws nothing.
using Const = const Default&;
static_assert(noexcept(std::declval<Default&>().tryAcquire()));
static_assert(noexcept(std::declval<Const>().state()) && noexcept(std::declval<Const>().isOpen()));
static_assert(noexcept(std::declval<Const>().retryAfter()));
static_assert(noexcept(std::declval<Const>().mode()) && noexcept(std::declval<Const>().name()));
static_assert(std::same_as<decltype(std::declval<Const>().name()), std::string_view>);
static_assert(std::same_as<decltype(std::declval<Const>().policy()), ConsecutiveFailures>);
static_assert(std::same_as<decltype(std::declval<Const>().options()), CircuitBreakerOptions>);
static_assert(
    std::same_as<decltype(std::declval<Const>().retryAfter()), std::optional<nanoseconds>>);

}  // namespace

TEST_CASE("Policy and clock are deduced from the constructor") {
    const ManualClock clock;
    CircuitBreaker named{"a"};
    CircuitBreaker withPolicy{"b", FailureRate{.threshold = 0.3, .window = 60s}};
    CircuitBreaker withBoth{
        "c", FailureRate{.threshold = 0.3, .window = 60s}, {.recoveryTimeout = 5s}};
    CircuitBreaker withClock{"d", Cusum{}, {}, clock};
    CircuitBreaker withOptions{"e", CircuitBreakerOptions{.recoveryTimeout = 5s}};
    STATIC_REQUIRE(std::same_as<decltype(named), Default>);
    STATIC_REQUIRE(std::same_as<decltype(withPolicy), CircuitBreaker<steady_clock, FailureRate>>);
    STATIC_REQUIRE(std::same_as<decltype(withBoth), CircuitBreaker<steady_clock, FailureRate>>);
    STATIC_REQUIRE(std::same_as<decltype(withClock), CircuitBreaker<ManualClock, Cusum>>);
    STATIC_REQUIRE(std::same_as<decltype(withOptions), Default>);
    CHECK(withBoth.policy() == FailureRate{.threshold = 0.3, .window = 60s});
    CHECK(withBoth.options().recoveryTimeout == 5s);
    CHECK(withOptions.options().recoveryTimeout == 5s);
    CHECK(withOptions.policy() == ConsecutiveFailures{5});
}

TEST_CASE("A breaker can be made with options in braces") {
    CircuitBreaker<> breaker{"a", {.recoveryTimeout = 7s, .successThreshold = 1}};
    CHECK(breaker.options().recoveryTimeout == 7s);
    CHECK(breaker.options().successThreshold == 1);
}

TEST_CASE("Options have the defaults of the contract") {
    const CircuitBreakerOptions options;
    CHECK(options.recoveryTimeout == 60s);
    CHECK(options.recoveryBackoff == 1.0);
    CHECK_FALSE(options.maxRecoveryTimeout);
    CHECK(options.recoveryJitter == 0.0);
    CHECK(options.successThreshold == 2);
    CHECK(options.halfOpenLimit == 3);
    CHECK_FALSE(options.probeTimeout);
    CHECK(options.requestTimeout == 30s);
    CHECK(options.measureLatency);
    CHECK_FALSE(options.trackInFlight);
    CHECK(options.shards == 0);
    CHECK_FALSE(options.classifyError);
    CHECK_FALSE(options.onStateChange);
    CHECK_FALSE(options.onOpen);
    CHECK_FALSE(options.onHalfOpen);
    CHECK_FALSE(options.onClose);
}

TEST_CASE("Options are an aggregate whose fields stand in the contract's order") {
    STATIC_REQUIRE(std::is_aggregate_v<CircuitBreakerOptions>);
    // Compiles only in the order of the declaration.
    const CircuitBreakerOptions all{.recoveryTimeout = 1s,
                                    .recoveryBackoff = 2.0,
                                    .maxRecoveryTimeout = 2s,
                                    .recoveryJitter = 0.5,
                                    .successThreshold = 1,
                                    .halfOpenLimit = 1,
                                    .probeTimeout = 1s,
                                    .requestTimeout = 1s,
                                    .measureLatency = false,
                                    .trackInFlight = true,
                                    .shards = 2,
                                    .classifyError = ignoring<int>(),
                                    .onStateChange = [] {},
                                    .onOpen = [] {},
                                    .onHalfOpen = [] {},
                                    .onClose = [] {}};
    CHECK_FALSE(validate(all));
    CHECK(equivalent(CircuitBreaker<>("a", all).options(), all));
}

TEST_CASE("A new breaker is closed, automatic and has seen nothing") {
    const CircuitBreaker breaker{"fresh"};
    CHECK(breaker.name() == "fresh");
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK_FALSE(breaker.isOpen());
    CHECK_FALSE(breaker.retryAfter());
    CHECK(breaker.mode() == ControlMode::Automatic);
    const CircuitBreakerStats stats = breaker.stats();
    checkConservation(stats);
    CHECK(stats.name == "fresh");
    CHECK_FALSE(stats.policy.empty());
    CHECK_FALSE(stats.options.empty());
    CHECK(stats.totalCalls == 0);
    CHECK(stats.windowCalls == 0);
    CHECK(stats.timesOpened == 0);
    CHECK_FALSE(stats.failureRate);
    CHECK_FALSE(stats.slowCallRate);
    CHECK_FALSE(stats.averageResponseTime);
    CHECK(stats.latency == LatencySummary{});
    CHECK(stats.lastError.empty());
    CHECK_FALSE(stats.lastFailureTime);
    CHECK_FALSE(stats.lastClosed);
    CHECK_FALSE(stats.inFlight);
}

TEST_CASE("A breaker owns its name") {
    auto name = std::make_unique<std::string>("a name too long for any small-string buffer");
    const CircuitBreaker breaker{*name};
    name.reset();
    CHECK(breaker.name() == "a name too long for any small-string buffer");
}

TEST_CASE("A breaker tells whether its options and policy are the given ones") {
    const CircuitBreaker breaker{"a", FailureCount{.threshold = 3}, {.recoveryTimeout = 5s}};
    CHECK(breaker.hasOptions({.recoveryTimeout = 5s, .onOpen = [] {}}));
    CHECK_FALSE(breaker.hasOptions({}));
    CHECK(breaker.hasPolicy(FailureCount{.threshold = 3}));
    CHECK_FALSE(breaker.hasPolicy(FailureCount{}));
}

TEST_CASE("Each option that configures makes options differ, callbacks do not") {
    const CircuitBreakerOptions base;
    const CircuitBreakerOptions other[] = {
        {.recoveryTimeout = 1s},
        {.recoveryBackoff = 2.0},
        {.maxRecoveryTimeout = 600s},
        {.recoveryJitter = 0.1},
        {.successThreshold = 1},
        {.halfOpenLimit = 1},
        {.probeTimeout = 30s},
        {.requestTimeout = 1s},
        {.measureLatency = false},
        {.trackInFlight = true},
        {.shards = 1},
        {.tags = {{"team", "payments"}}},
        {.detectOverdue = true},
    };
    for (const auto& options : other) CHECK_FALSE(equivalent(base, options));
    CHECK(equivalent(base, {.classifyError = ignoring<int>(), .onClose = [] {}}));
}

TEST_CASE("Options in words say what matters") {
    CHECK(toString(CircuitBreakerOptions{}) ==
          "recovery after 1 min, 2 probe successes close, 3 probes at once, lost after 30 s, "
          "deadline 30 s");
    CHECK(toString(CircuitBreakerOptions{.recoveryTimeout = 5s,
                                         .recoveryBackoff = 2.0,
                                         .recoveryJitter = 1.0,
                                         .successThreshold = 7,
                                         .halfOpenLimit = 4,
                                         .requestTimeout = kForever,
                                         .measureLatency = false,
                                         .trackInFlight = true,
                                         .tags = {{"team", "payments"}}}) ==
          "recovery after 5 s x 2 a reopening, at most 10 min, jitter 100 %, 7 probe successes "
          "close, 4 probes at once, lost after 5 s, no deadline, latency not measured, calls in "
          "flight tracked, tags team=payments");
    CHECK(toString(CircuitBreakerOptions{.recoveryJitter = 0.25, .detectOverdue = true}) ==
          "recovery after 1 min, jitter 25 %, 2 probe successes close, 3 probes at once, lost "
          "after 30 s, deadline 30 s, overdue calls count");
}

TEST_CASE("Statistics say whose they are") {
    const CircuitBreakerOptions options{.tags = {{"team", "payments"}}};
    const fusebox::CircuitBreaker<> breaker{"ledger", fusebox::ConsecutiveFailures{3}, options};
    const fusebox::CircuitBreakerStats stats = breaker.stats();
    CHECK(stats.name == "ledger");
    CHECK(stats.policy == toString(fusebox::ConsecutiveFailures{3}));
    CHECK(stats.options == toString(options));
    CHECK(stats.tags == options.tags);
}

TEST_CASE("A name may hold any characters") {
    const std::string name("nul\0 \"quotes\" \xc3\xa9", 16);
    const CircuitBreaker breaker{name};
    CHECK(breaker.name() == name);
    CHECK(breaker.stats().name == name);
}
