// SPDX-License-Identifier: MIT
// How a rejection reaches the caller: in the result if that can carry it, else as an exception.
#include <concepts>
#include <optional>
#include <string>
#include <system_error>

#include "breaker/own_types.hpp"
#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

#if __has_include(<tl/expected.hpp>)
#include <tl/expected.hpp>
#endif

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Expected;
using fusebox::test::ForeignError;
using fusebox::test::Response;
using fusebox::test::Rig;
using fusebox::test::ServiceError;
using fusebox::test::Status;

namespace {

static_assert(CarriesRejection<std::error_code>);
static_assert(CarriesRejection<Expected<int, std::error_code>>);
static_assert(CarriesRejection<Expected<int, ServiceError>>);
static_assert(CarriesRejection<Response>);
static_assert(!CarriesRejection<Expected<int, ForeignError>>);
static_assert(!CarriesRejection<Expected<int, std::string>>);
static_assert(!CarriesRejection<int>);
static_assert(!CarriesRejection<Status>);
static_assert(!CarriesRejection<std::optional<int>>);
#if __has_include(<tl/expected.hpp>)
static_assert(CarriesRejection<tl::expected<int, std::error_code>>);
static_assert(CarriesRejection<tl::expected<void, ServiceError>>);
static_assert(!CarriesRejection<tl::expected<int, int>>);
#endif

/// An error that both a rejection and an error code become.
struct EitherError {
    std::string from;
    EitherError(const Rejection&) : from("rejection") {}
    EitherError(std::error_code) : from("error code") {}
};
/// An error that a rejection becomes only explicitly.
struct ExplicitError {
    explicit ExplicitError(const Rejection&) {}
};
static_assert(!CarriesRejection<Expected<int, ExplicitError>>);

/// What a call that would return R gets from an open breaker with 7 s to wait.
template <class R>
R rejectedResult() {
    Rig rig{{.recoveryTimeout = 10s}};
    rig.breaker.open();
    rig.clock.advance(3s);
    return rig.breaker.execute([]() -> R { throw "must not be called"; });
}

}  // namespace

TEST_CASE("A rejected call that returns an error code returns why") {
    CHECK(rejectedResult<std::error_code>() == Errc::CircuitOpen);
    CHECK(rejectedResult<std::error_code>() == std::errc::resource_unavailable_try_again);
    Rig rig{{.halfOpenLimit = 1}};
    const auto call = []() -> std::error_code { return {}; };
    rig.breaker.setMode(ControlMode::ForcedOpen);
    CHECK(rig.breaker.execute(call) == Errc::ForcedOpen);
    rig.breaker.setMode(ControlMode::Automatic);
    rig.reachHalfOpen();
    const auto probe = rig.begin();
    CHECK(rig.breaker.execute(call) == Errc::ProbesBusy);
    CHECK(rig.stats().totalRejected == 2);
}

TEST_CASE("A rejected call returns an expected-like result with the rejection in it") {
    const auto code = rejectedResult<Expected<int, std::error_code>>();
    REQUIRE_FALSE(code.has_value());
    CHECK(code.error() == Errc::CircuitOpen);
    const auto own = rejectedResult<Expected<int, ServiceError>>();
    REQUIRE_FALSE(own.has_value());
    CHECK(own.error().text ==
          "circuit breaker \"rig\" is OPEN: the call was rejected, retry after 7 s");
}

#if __has_include(<tl/expected.hpp>)
TEST_CASE("tl::expected carries a rejection, also without a value") {
    const auto code = rejectedResult<tl::expected<std::string, std::error_code>>();
    REQUIRE_FALSE(code.has_value());
    CHECK(code.error() == Errc::CircuitOpen);
    const auto nothing = rejectedResult<tl::expected<void, ServiceError>>();
    REQUIRE_FALSE(nothing.has_value());
    CHECK(nothing.error().text.find("7 s") != std::string::npos);
    CHECK_THROWS_AS((rejectedResult<tl::expected<int, int>>()), CircuitOpenError);
}
#endif

TEST_CASE("An error made of a rejection comes before one made of an error code") {
    CHECK(rejectedResult<Expected<int, EitherError>>().error().from == "rejection");
}

TEST_CASE("A specialised RejectionTraits makes the result") {
    CHECK(rejectedResult<Response>().status == 503);
    CHECK(rejectedResult<const Response>().status == 503);
}

TEST_CASE("A result that cannot carry a rejection leaves it to an exception") {
    CHECK_THROWS_AS(rejectedResult<int>(), CircuitOpenError);
    CHECK_THROWS_AS(rejectedResult<Status>(), CircuitOpenError);
    CHECK_THROWS_AS((rejectedResult<Expected<int, ForeignError>>()), CircuitOpenError);
    CHECK_THROWS_AS(rejectedResult<std::optional<int>>(), CircuitOpenError);
    CHECK_THROWS_AS(rejectedResult<void>(), CircuitOpenError);
    CHECK_THROWS_AS(rejectedResult<Response&>(), CircuitOpenError);
}

TEST_CASE("A rejection that was returned is judged by nobody") {
    Rig rig;
    rig.breaker.open();
    (void)rig.breaker.execute([] { return Response{200}; });
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.totalRejected == 1);
    CHECK(stats.totalCalls == 0);
    CHECK(stats.totalFailures == 0);
}

TEST_CASE("A fallback comes before the result and before the exception") {
    Rig rig;
    rig.breaker.open();
    const auto asCached = fallback([](const Rejection&) { return Response{203}; });
    CHECK(rig.breaker.execute([] { return Response{200}; }, asCached).status == 203);
    CHECK(rig.breaker.execute([] { return 1; }, fallback([] { return 2; })) == 2);
}

TEST_CASE("A fallback that takes no rejection leaves it to the result or to the exception") {
    Rig rig;
    rig.breaker.open();
    const auto onlyExceptions = [](auto result) {
        return fallback([result](std::exception_ptr) { return result; });
    };
    CHECK(rig.breaker.execute([] { return Response{200}; }, onlyExceptions(Response{1})).status ==
          503);
    CHECK_THROWS_AS(rig.breaker.execute([] { return 1; }, onlyExceptions(2)), CircuitOpenError);
}
