// SPDX-License-Identifier: MIT
// H 45, 46: a configuration that cannot work is refused, in a sentence that names the field, its
// value and what is allowed. A grid over the boundaries of every field.
#include <chrono>
#include <climits>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::detail::toText;
using std::chrono::nanoseconds;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kTiny = std::numeric_limits<double>::denorm_min();
const double kAboveOne = std::nextafter(1.0, 2.0);
const double kBelowOne = std::nextafter(1.0, 0.0);

/// Field, value and rule, as they must stand in the sentence.
struct Words {
    std::string field;
    std::string value;
    std::string allowed;
};

/// What the constructor says of a configuration; empty if it takes it.
template <class Policy>
std::string refusal(const Policy& policy, const CircuitBreakerOptions& options = {},
                    const std::string& name = "db") {
    try {
        const CircuitBreaker<std::chrono::steady_clock, Policy> breaker{name, policy, options};
        return {};
    } catch (const ConfigError& error) {
        return error.what();
    }
}

template <class Policy>
void mustRefuse(const Policy& policy, const CircuitBreakerOptions& options, const Words& words) {
    INFO(words.field << " = " << words.value);
    const std::string sentence = refusal(policy, options);
    CHECK_THAT(sentence, ContainsSubstring("\"db\""));
    CHECK_THAT(sentence, ContainsSubstring(words.field + " is " + words.value + "; allowed: "));
    CHECK_THAT(sentence, ContainsSubstring(words.allowed));
}
void mustRefuse(const CircuitBreakerOptions& options, const Words& words) {
    mustRefuse(ConsecutiveFailures{}, options, words);
    // The free function says the same.
    CHECK_THAT(validate(options).value_or(""), ContainsSubstring(words.field + " is "));
}
template <class Policy>
void mustRefusePolicy(const Policy& policy, const Words& words) {
    mustRefuse(policy, {}, words);
    mustRefuse(AnyTripPolicy{policy}, {}, words);
    mustRefuse(anyOf(ConsecutiveFailures{}, policy), {}, words);
    mustRefuse(allOf(policy, ConsecutiveFailures{}), {}, words);
    CHECK_THAT(validate(policy).value_or(""), ContainsSubstring(words.field + " is "));
}
void mustTake(const CircuitBreakerOptions& options) {
    CHECK(refusal(ConsecutiveFailures{}, options).empty());
    CHECK_FALSE(validate(options));
}
template <class Policy>
void mustTakePolicy(const Policy& policy) {
    CHECK(refusal(policy).empty());
    CHECK(refusal(AnyTripPolicy{policy}).empty());
    CHECK_FALSE(validate(policy));
}

}  // namespace

TEST_CASE("H 45: a breaker without a name is refused") {
    const std::string sentence = refusal(ConsecutiveFailures{}, {}, "");
    CHECK_THAT(sentence, ContainsSubstring("name is empty; allowed: "));
}

TEST_CASE("H 45: durations of the options must be above zero, and may be for ever") {
    for (const nanoseconds value : {nanoseconds{0}, nanoseconds{-1}, nanoseconds::min()}) {
        const std::string text = toText(value);
        const std::string allowed = "a duration above 0";
        mustRefuse({.recoveryTimeout = value}, {"recoveryTimeout", text, allowed});
        mustRefuse({.probeTimeout = value}, {"probeTimeout", text, allowed});
        mustRefuse({.requestTimeout = value}, {"requestTimeout", text, allowed});
    }
    for (const nanoseconds value : {nanoseconds{1ns}, nanoseconds{1h}, kForever}) {
        mustTake({.recoveryTimeout = value});
        mustTake({.probeTimeout = value});
        mustTake({.requestTimeout = value});
    }
}

TEST_CASE("H 45, 46: the backoff is a finite number of at least 1") {
    for (const double value : {0.0, -2.0, kBelowOne, kNaN, kInfinity, -kInfinity}) {
        mustRefuse({.recoveryBackoff = value}, {"recoveryBackoff", toText(value), "at least 1"});
    }
    for (const double value : {1.0, 1.5, std::numeric_limits<double>::max()}) {
        mustTake({.recoveryBackoff = value});
    }
}

TEST_CASE("H 45, 46: the jitter is a number from 0 to 1") {
    for (const double value : {-kTiny, -1.0, kAboveOne, kNaN, kInfinity, -kInfinity}) {
        mustRefuse({.recoveryJitter = value}, {"recoveryJitter", toText(value), "from 0 to 1"});
    }
    for (const double value : {0.0, -0.0, kTiny, 0.5, 1.0}) mustTake({.recoveryJitter = value});
}

TEST_CASE("H 45: the bound of the backoff is not below the first wait") {
    for (const nanoseconds value : {nanoseconds{30s} - 1ns, nanoseconds{0}, nanoseconds{-1}}) {
        mustRefuse(
            {.recoveryTimeout = 30s, .maxRecoveryTimeout = value},
            {"maxRecoveryTimeout", toText(value), "at least recoveryTimeout, which is 30 s"});
    }
    mustRefuse({.recoveryTimeout = kForever, .maxRecoveryTimeout = kForever - 1ns},
               {"maxRecoveryTimeout", toText(kForever - 1ns), "never"});
    mustTake({.recoveryTimeout = 30s, .maxRecoveryTimeout = 30s});
    mustTake({.recoveryTimeout = 1h});  // unset: the larger of 10 min and recoveryTimeout
    mustTake({.maxRecoveryTimeout = kForever});
}

TEST_CASE("H 45: counts of the options have bounds on both sides") {
    for (const int value : {INT_MIN, -1, 0, 65536, INT_MAX}) {
        mustRefuse({.successThreshold = value},
                   {"successThreshold", std::to_string(value), "1 to 65535"});
    }
    for (const int value : {INT_MIN, -1, 0, 256, INT_MAX}) {
        mustRefuse({.halfOpenLimit = value}, {"halfOpenLimit", std::to_string(value), "1 to 255"});
    }
    for (const int value : {INT_MIN, -1, 1025, INT_MAX}) {
        mustRefuse({.shards = value}, {"shards", std::to_string(value), "0 to 1024"});
    }
    for (const int value : {1, 65535}) mustTake({.successThreshold = value});
    for (const int value : {1, 255}) mustTake({.halfOpenLimit = value});
    for (const int value : {0, 1, 3, 16, 64, 1024}) mustTake({.shards = value});
}

TEST_CASE("H 45: more probe successes than probes at once are no contradiction") {
    mustTake({.successThreshold = 65535, .halfOpenLimit = 1});
}

TEST_CASE("H 45: slow calls cannot be told without measuring latency") {
    const CircuitBreakerOptions blind{.measureLatency = false};
    const Words words{"measureLatency", "false", "true"};
    mustRefuse(SlowCallRate{}, blind, words);
    mustRefuse(AnyTripPolicy{SlowCallRate{}}, blind, words);
    mustRefuse(anyOf(ConsecutiveFailures{}, SlowCallRate{}), blind, words);
    mustRefuse(AnyTripPolicy{allOf(FailureRate{}, SlowCallRate{})}, blind, words);
    CHECK(refusal(FailureRate{}, blind).empty());
    CHECK(refusal(SlowCallRate{}).empty());
}

TEST_CASE("H 45: thresholds that count are at least 1") {
    for (const int value : {INT_MIN, -1, 0}) {
        const std::string text = std::to_string(value);
        mustRefusePolicy(ConsecutiveFailures{value},
                         {"ConsecutiveFailures.threshold", text, "1 to "});
        mustRefusePolicy(FailureCount{.threshold = value},
                         {"FailureCount.threshold", text, "1 to "});
        mustRefusePolicy(FailureRate{.minimumCalls = value},
                         {"FailureRate.minimumCalls", text, "1 to "});
        mustRefusePolicy(SlowCallRate{.minimumCalls = value},
                         {"SlowCallRate.minimumCalls", text, "1 to "});
    }
    mustTakePolicy(ConsecutiveFailures{1});
    mustTakePolicy(FailureCount{.threshold = 1});
    mustTakePolicy(FailureRate{.minimumCalls = 1});
    mustTakePolicy(SlowCallRate{.minimumCalls = 1});
}

TEST_CASE("H 45, 46: rates are above 0 and at most 1") {
    // 50: a percentage by mistake.
    for (const double value : {0.0, -0.0, -0.5, kAboveOne, 50.0, kNaN, kInfinity, -kInfinity}) {
        const std::string text = toText(value);
        mustRefusePolicy(FailureRate{.threshold = value},
                         {"FailureRate.threshold", text, "above 0 and at most 1"});
        mustRefusePolicy(SlowCallRate{.threshold = value},
                         {"SlowCallRate.threshold", text, "above 0 and at most 1"});
    }
    for (const double value : {kTiny, 0.5, kBelowOne, 1.0}) {
        mustTakePolicy(FailureRate{.threshold = value});
        mustTakePolicy(SlowCallRate{.threshold = value});
    }
}

TEST_CASE("H 45: the minimum of calls must fit into the window of the last N calls") {
    mustRefusePolicy(FailureRate{.minimumCalls = 11, .window = lastCalls(10)},
                     {"FailureRate.minimumCalls", "11", "1 to 10"});
    mustRefusePolicy(SlowCallRate{.minimumCalls = 2, .window = lastCalls(1)},
                     {"SlowCallRate.minimumCalls", "2", "1 to 1"});
    mustRefusePolicy(FailureCount{.threshold = 6, .window = lastCalls(5)},
                     {"FailureCount.threshold", "6", "1 to 5"});
    mustTakePolicy(FailureRate{.minimumCalls = 10, .window = lastCalls(10)});
    mustTakePolicy(SlowCallRate{.minimumCalls = 1, .window = lastCalls(1)});
    mustTakePolicy(FailureRate{.minimumCalls = 1000, .window = 10s});
}

TEST_CASE("H 45: windows are at least one call or above zero") {
    for (const int value : {INT_MIN, -1, 0, INT_MAX}) {
        const std::string text = "lastCalls(" + std::to_string(value) + ")";
        mustRefusePolicy(FailureRate{.minimumCalls = 1, .window = lastCalls(value)},
                         {"FailureRate.window", text, "lastCalls(1) to lastCalls("});
        mustRefusePolicy(FailureCount{.threshold = 1, .window = lastCalls(value)},
                         {"FailureCount.window", text, "lastCalls(1) to lastCalls("});
    }
    for (const auto& [value, text] :
         {std::pair<nanoseconds, std::string>{0ns, "0 ns"}, {-5s, "-5 s"}}) {
        mustRefusePolicy(FailureRate{.window = value}, {"FailureRate.window", text, "above 0"});
        mustRefusePolicy(SlowCallRate{.window = value}, {"SlowCallRate.window", text, "above 0"});
        mustRefusePolicy(FailureCount{.window = value}, {"FailureCount.window", text, "above 0"});
    }
    mustTakePolicy(FailureRate{.window = 1ns});
    mustTakePolicy(FailureRate{.window = kForever});
    mustTakePolicy(FailureRate{.minimumCalls = 1, .window = lastCalls(1)});
}

TEST_CASE("H 45: a call cannot be slow after no time") {
    mustRefusePolicy(SlowCallRate{.slowerThan = 0ns},
                     {"SlowCallRate.slowerThan", "0 ns", "a duration above 0"});
    mustRefusePolicy(SlowCallRate{.slowerThan = -2s},
                     {"SlowCallRate.slowerThan", "-2 s", "a duration above 0"});
    mustTakePolicy(SlowCallRate{.slowerThan = 1ns});
    mustTakePolicy(SlowCallRate{.slowerThan = kForever});
}

TEST_CASE("H 45, 46: Cusum needs an acceptable rate below the unacceptable one") {
    for (const double value : {0.0, -0.1, 1.0, 1.5, kNaN, kInfinity, -kInfinity}) {
        mustRefusePolicy(Cusum{.acceptableFailureRate = value},
                         {"Cusum.acceptableFailureRate", toText(value), "above 0"});
    }
    for (const double value : {0.0, -0.1, 0.01, 0.005, kAboveOne, kNaN, kInfinity, -kInfinity}) {
        mustRefusePolicy(Cusum{.unacceptableFailureRate = value},
                         {"Cusum.unacceptableFailureRate", toText(value), "at most 1"});
    }
    for (const double value : {1.0, 0.0, -1e6, kNaN, kInfinity, -kInfinity}) {
        mustRefusePolicy(Cusum{.callsBetweenFalseTrips = value},
                         {"Cusum.callsBetweenFalseTrips", toText(value), "a number above 1"});
    }
    mustTakePolicy(Cusum{.unacceptableFailureRate = 1.0});
    mustTakePolicy(Cusum{.acceptableFailureRate = 0.29999});
    mustTakePolicy(Cusum{.callsBetweenFalseTrips = 2.0});
}

TEST_CASE("H 45: an empty list of policies is refused") {
    CHECK_THAT(refusal(AnyTripPolicy::anyOf({})), ContainsSubstring("at least one policy"));
    CHECK_THAT(refusal(AnyTripPolicy::allOf({})), ContainsSubstring("at least one policy"));
    CHECK(refusal(AnyTripPolicy::anyOf({Cusum{}})).empty());
}

TEST_CASE("H 45: opening by hand for no time is refused, and changes nothing") {
    CircuitBreaker breaker{"db"};
    for (const nanoseconds wait : {nanoseconds{0}, nanoseconds{-1}, nanoseconds::min()}) {
        try {
            breaker.open(wait);
            FAIL("should have thrown");
        } catch (const ConfigError& error) {
            CHECK_THAT(error.what(), ContainsSubstring("wait is " + toText(wait)) &&
                                         ContainsSubstring("a duration above 0"));
        }
    }
    CHECK(breaker.state() == CircuitState::Closed);
    CHECK(breaker.stats().timesOpened == 0);
}
