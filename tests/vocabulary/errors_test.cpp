// SPDX-License-Identifier: MIT
// The errors that reach callers.
#include "fusebox/vocabulary/errors.hpp"

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;

// What an exception throws when it is copied ends the program.
static_assert(std::is_nothrow_copy_constructible_v<CircuitOpenError>);
static_assert(std::is_nothrow_copy_constructible_v<CallTimeoutError>);
static_assert(std::is_nothrow_copy_constructible_v<QueueFullError>);
static_assert(std::is_nothrow_copy_constructible_v<CallDroppedError>);
static_assert(std::is_nothrow_copy_constructible_v<ConfigError>);
static_assert(std::is_base_of_v<std::runtime_error, CircuitBreakerError>);
static_assert(std::is_base_of_v<CircuitBreakerError, CircuitOpenError>);
static_assert(std::is_base_of_v<CircuitBreakerError, CallTimeoutError>);
static_assert(std::is_base_of_v<CircuitBreakerError, QueueFullError>);
static_assert(std::is_base_of_v<CircuitBreakerError, CallDroppedError>);
// A full queue says nothing about the circuit.
static_assert(!std::is_base_of_v<CircuitOpenError, QueueFullError>);
static_assert(std::is_base_of_v<std::invalid_argument, ConfigError>);
static_assert(std::is_error_code_enum_v<Errc>);
static_assert(static_cast<int>(Errc::CircuitOpen) == 1);  // 0 would mean success

namespace {

constexpr Errc kAll[] = {Errc::CircuitOpen, Errc::ProbesBusy, Errc::ForcedOpen,
                         Errc::CallTimeout, Errc::QueueFull,  Errc::CallDropped};

Rejection rejectionOf(std::string_view breaker, RejectionReason reason) {
    return {breaker, CircuitState::Open, reason, 3s};
}

}  // namespace

TEST_CASE("Rejections are the condition 'try again', a missed deadline is 'timed out'") {
    for (const Errc code :
         {Errc::CircuitOpen, Errc::ProbesBusy, Errc::ForcedOpen, Errc::QueueFull}) {
        const std::error_code error = code;
        CHECK(error == std::errc::resource_unavailable_try_again);
        CHECK(error != std::errc::timed_out);
    }
    const std::error_code timeout = Errc::CallTimeout;
    CHECK(timeout == std::errc::timed_out);
    CHECK(timeout != std::errc::resource_unavailable_try_again);
    CHECK(std::error_code{Errc::CallDropped} == std::errc::operation_canceled);
}

TEST_CASE("Every error code is an error, of the category fusebox, with a sentence of its own") {
    for (const Errc code : kAll) {
        const std::error_code error = code;
        CHECK(static_cast<bool>(error));
        CHECK(&error.category() == &errorCategory());
        CHECK(std::string{error.category().name()} == "fusebox");
        for (const Errc other : kAll) {
            CHECK((error == other) == (code == other));
            CHECK((error.message() == std::error_code{other}.message()) == (code == other));
        }
    }
}

TEST_CASE("A number that is no error code has a message and its own condition") {
    const std::error_code stranger{77, errorCategory()};
    CHECK_THAT(stranger.message(), ContainsSubstring("unknown"));
    CHECK(stranger.default_error_condition() == std::error_condition(77, errorCategory()));
}

TEST_CASE("Each reason for a rejection has its error code") {
    CHECK(toErrorCode(RejectionReason::Open) == Errc::CircuitOpen);
    CHECK(toErrorCode(RejectionReason::ProbesBusy) == Errc::ProbesBusy);
    CHECK(toErrorCode(RejectionReason::ForcedOpen) == Errc::ForcedOpen);
    CHECK(toErrorCode(RejectionReason::QueueFull) == Errc::QueueFull);
}

TEST_CASE("A rejection in words names the breaker, the reason and when to come back") {
    CHECK(toString(rejectionOf("db", RejectionReason::Open)) ==
          "circuit breaker \"db\" is OPEN: the call was rejected, retry after 3 s");
    CHECK_THAT(toString(rejectionOf("db", RejectionReason::ProbesBusy)),
               ContainsSubstring("\"db\"") && ContainsSubstring("HALF_OPEN"));
    CHECK_THAT(toString(rejectionOf("db", RejectionReason::ForcedOpen)),
               ContainsSubstring("\"db\"") && ContainsSubstring("forced OPEN"));
    CHECK(toString(rejectionOf("db", RejectionReason::QueueFull)) ==
          "circuit breaker \"db\" admitted the call, but the executor has no room for it");
}

TEST_CASE("What an executor did not do has errors of its own") {
    const QueueFullError full{{"db", CircuitState::HalfOpen, RejectionReason::QueueFull, 0ns}};
    CHECK(full.name() == "db");
    CHECK(full.state() == CircuitState::HalfOpen);
    CHECK(full.code() == Errc::QueueFull);
    CHECK(full.rejection() ==
          Rejection{"db", CircuitState::HalfOpen, RejectionReason::QueueFull, 0ns});
    CHECK(std::string{full.what()} == toString(full.rejection()));

    const CallDroppedError dropped{"db", CircuitState::Closed};
    CHECK(dropped.name() == "db");
    CHECK(dropped.state() == CircuitState::Closed);
    CHECK(dropped.code() == Errc::CallDropped);
    CHECK_THAT(dropped.what(), ContainsSubstring("\"db\"") && ContainsSubstring("before it ran"));
}

TEST_CASE("A CircuitOpenError carries the rejection") {
    const CircuitOpenError error{{"db", CircuitState::HalfOpen, RejectionReason::ProbesBusy, 0ns}};
    CHECK(error.name() == "db");
    CHECK(error.state() == CircuitState::HalfOpen);
    CHECK(error.retryAfter() == 0ns);
    CHECK(error.code() == Errc::ProbesBusy);
    CHECK(error.rejection() ==
          Rejection{"db", CircuitState::HalfOpen, RejectionReason::ProbesBusy, 0ns});
    CHECK(std::string{error.what()} == toString(error.rejection()));
}

TEST_CASE("An exception owns the breaker's name, and so do copies of it") {
    auto name = std::make_unique<std::string>("a name too long for any small-string buffer");
    auto original = std::make_unique<CircuitOpenError>(rejectionOf(*name, RejectionReason::Open));
    auto timeout = std::make_unique<CallTimeoutError>(*name, CircuitState::Closed, 2s);
    const std::string expected = *name;
    name.reset();
    const CircuitOpenError copy = *original;
    const Rejection rejection = copy.rejection();
    const CallTimeoutError timeoutCopy = *timeout;
    original.reset();
    timeout.reset();
    CHECK(copy.name() == expected);
    CHECK(rejection.breaker == expected);
    CHECK_THAT(copy.what(), ContainsSubstring(expected));
    CHECK(timeoutCopy.name() == expected);
}

TEST_CASE("A CallTimeoutError tells the deadline that was missed") {
    const CallTimeoutError error{"db", CircuitState::Closed, 250ms};
    CHECK(error.timeout() == 250ms);
    CHECK(error.state() == CircuitState::Closed);
    CHECK(error.code() == Errc::CallTimeout);
    CHECK_THAT(error.what(), ContainsSubstring("\"db\"") && ContainsSubstring("250 ms"));
}

TEST_CASE("Rejections are values that compare by all of their parts") {
    const Rejection rejection = rejectionOf("db", RejectionReason::Open);
    Rejection other = rejection;
    CHECK(other == rejection);
    other.retryAfter = 4s;
    CHECK(other != rejection);
    CHECK(Rejection{} == Rejection{{}, CircuitState::Open, RejectionReason::Open, 0ns});
}

TEST_CASE("What an error says is one whole line, whatever bytes a name has") {
    const std::string name{"a\0b\nc", 5};
    CHECK(std::string{ConfigError{"x is \"" + name + "\"; allowed: y"}.what()} ==
          "x is \"a%00b%0Ac\"; allowed: y");
    const CircuitOpenError error{{name, CircuitState::Open, RejectionReason::Open, 5s}};
    CHECK_THAT(error.what(),
               ContainsSubstring("\"a%00b%0Ac\" is OPEN") && ContainsSubstring("retry after 5 s"));
    CHECK(error.name() == name);
}
