// SPDX-License-Identifier: MIT
// A configuration that cannot work: without exceptions, its sentence on stderr and an abort.
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <string>

#include "checks.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/vocabulary/tsc_clock.hpp"

using namespace std::chrono_literals;

namespace {

/// Whether the action complains in these words and goes no further.
template <class Action>
bool complains(const std::string& sentence, Action action) {
#if defined(__cpp_exceptions)
    try {
        action();
    } catch (const fusebox::ConfigError& error) {
        return std::string{error.what()}.find(sentence) != std::string::npos;
    }
    return false;
#else
    const fusebox::test::Child child = fusebox::test::inChild(action);
    return child.signal == SIGABRT && child.errors.starts_with("fusebox: ") &&
           child.errors.find(sentence) != std::string::npos;
#endif
}

}  // namespace

int main() {
    using fusebox::CircuitBreaker;
    using fusebox::ConsecutiveFailures;
    FUSEBOX_CHECK(complains("circuit breaker \"bad\": ConsecutiveFailures.threshold is 0", [] {
        CircuitBreaker{"bad", ConsecutiveFailures{0}};
    }));
    FUSEBOX_CHECK(complains("circuit breaker \"bad\": recoveryTimeout is 0 ns; allowed: ", [] {
        CircuitBreaker{"bad", ConsecutiveFailures{}, {.recoveryTimeout = 0s}};
    }));
    FUSEBOX_CHECK(complains("circuit breaker \"\": name is empty", [] { CircuitBreaker{""}; }));
    FUSEBOX_CHECK(complains("measureLatency is false", [] {
        CircuitBreaker{"bad", fusebox::SlowCallRate{}, {.measureLatency = false}};
    }));
    FUSEBOX_CHECK(complains("wait is -1 s", [] { CircuitBreaker{"fine"}.open(-1s); }));
    FUSEBOX_CHECK(complains("\"twin\": name is already registered", [] {
        fusebox::CircuitBreakerRegistry registry;
        registry.create("twin");
        registry.create("twin");
    }));
    FUSEBOX_CHECK(complains("\"other\": its type is not the one asked for", [] {
        fusebox::CircuitBreakerRegistry registry;
        registry.add(std::make_shared<CircuitBreaker<>>("other"));
        (void)registry.get("other");
    }));
    FUSEBOX_CHECK(complains("TscClock: processor is not x86-64; allowed: x86-64", [] {
        fusebox::detail::TscTime none{fusebox::detail::TscFacts{}};
        fusebox::TscClock{none};
    }));

    // Who wants to go on asks first.
    FUSEBOX_CHECK(validate(ConsecutiveFailures{0}).has_value());
    FUSEBOX_CHECK(validate(fusebox::FailureRate{.threshold = 1.5}).has_value());
    FUSEBOX_CHECK(validate(fusebox::CircuitBreakerOptions{.halfOpenLimit = 256}).has_value());
    FUSEBOX_CHECK(!validate(fusebox::CircuitBreakerOptions{}).has_value());
    return fusebox::test::failedChecks == 0 ? 0 : 1;
}
