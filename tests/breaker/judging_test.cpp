// SPDX-License-Identifier: MIT
// How results and exceptions are judged.
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "breaker/own_types.hpp"
#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

#if __has_include(<tl/expected.hpp>)
#include <tl/expected.hpp>
#endif

using namespace fusebox;
using fusebox::test::Expected;
using fusebox::test::ForeignError;
using fusebox::test::Response;
using fusebox::test::Rig;
using fusebox::test::Status;
using fusebox::test::unexpected;

namespace {

/// How the one call of a breaker was judged.
Outcome judgementIn(const CircuitBreakerStats& stats) {
    REQUIRE(stats.totalCalls == 1);
    if (stats.totalFailures == 1) return Outcome::Failure;
    if (stats.totalTimeouts == 1) return Outcome::Timeout;
    return stats.totalIgnored == 1 ? Outcome::Ignored : Outcome::Success;
}

/// How `call` counts with these options; what it throws is swallowed.
template <class Call>
Outcome judgedCall(Call&& call, CircuitBreakerOptions options = {}) {
    Rig rig{std::move(options)};
    try {
        (void)rig.breaker.execute(std::forward<Call>(call));
    } catch (...) {
    }
    return judgementIn(rig.stats());
}

/// How a call that returns `result` counts.
template <class R>
Outcome judged(R result) {
    return judgedCall([&]() -> R { return std::move(result); });
}

const auto throwLogic = [] { throw std::logic_error{"logic"}; };
const auto throwRuntime = [] { throw std::runtime_error{"runtime"}; };
const auto throwRange = [] { throw std::out_of_range{"range"}; };  // a logic_error
const auto throwInt = [] { throw 42; };

}  // namespace

TEST_CASE("A result like std::expected fails when it holds an error") {
    CHECK(judged(Expected<int, ForeignError>{1}) == Outcome::Success);
    CHECK(judged(unexpected<int>(ForeignError{})) == Outcome::Failure);
#if __has_include(<tl/expected.hpp>)
    CHECK(judged(tl::expected<int, std::string>{1}) == Outcome::Success);
    CHECK(judged(tl::expected<int, std::string>{tl::unexpected<std::string>{"no"}}) ==
          Outcome::Failure);
    CHECK(judged(tl::expected<void, int>{}) == Outcome::Success);
    CHECK(judged(tl::expected<void, int>{tl::unexpected<int>{3}}) == Outcome::Failure);
#endif
}

TEST_CASE("A status fails when it is not ok, an error code when it is set") {
    CHECK(judged(Status{true}) == Outcome::Success);
    CHECK(judged(Status{false}) == Outcome::Failure);
    CHECK(judged(std::error_code{}) == Outcome::Success);
    CHECK(judged(std::make_error_code(std::errc::io_error)) == Outcome::Failure);
}

TEST_CASE("False, null and an empty optional are successes") {
    CHECK(judged(false) == Outcome::Success);
    CHECK(judged(std::optional<int>{}) == Outcome::Success);
    CHECK(judged(std::optional<int>{1}) == Outcome::Success);
    CHECK(judged(std::unique_ptr<int>{}) == Outcome::Success);
    CHECK(judged(static_cast<int*>(nullptr)) == Outcome::Success);
    CHECK(judged(std::string{}) == Outcome::Success);
    CHECK(judged(-1) == Outcome::Success);
}

TEST_CASE("A specialised OutcomeTraits judges its type in every way") {
    CHECK(judged(Response{200}) == Outcome::Success);
    CHECK(judged(Response{500}) == Outcome::Failure);
    CHECK(judged(Response{504}) == Outcome::Timeout);
    CHECK(judged(Response{404}) == Outcome::Ignored);
}

TEST_CASE("A referenced result is judged as the value is") {
    Rig rig;
    Response response{500};
    CHECK(&rig.breaker.execute([&]() -> Response& { return response; }) == &response);
    CHECK(&rig.breaker.execute([&]() -> const Response& { return response; }) == &response);
    CHECK(rig.stats().totalFailures == 2);
}

TEST_CASE("A failed result still reaches the caller") {
    Rig rig;
    CHECK(rig.breaker.execute([] { return Response{500}; }).status == 500);
    CHECK(rig.breaker.execute([] { return unexpected<int>(ForeignError{3}); }).error().code == 3);
}

TEST_CASE("judgedBy judges the result of one call") {
    const auto negativeFails = [](int n) { return n < 0 ? Outcome::Failure : Outcome::Success; };
    CHECK(judgedCall(judgedBy([] { return -1; }, negativeFails)) == Outcome::Failure);
    CHECK(judgedCall(judgedBy([] { return 1; }, negativeFails)) == Outcome::Success);
    // The exceptions stay the breaker's.
    const auto throwing = judgedBy([]() -> int { throw 1; }, negativeFails);
    CHECK(judgedCall(throwing) == Outcome::Failure);
    CHECK(judgedCall(throwing, {.classifyError = ignoring<int>()}) == Outcome::Ignored);
}

TEST_CASE("judgedBy comes before OutcomeTraits") {
    const auto all = [](const Response&) { return Outcome::Success; };
    CHECK(judgedCall(judgedBy([] { return Response{500}; }, all)) == Outcome::Success);
}

TEST_CASE("judgedBy judges the exceptions of one call, before classifyError") {
    const auto asTimeout = [](const std::exception_ptr&) { return Outcome::Timeout; };
    CHECK(judgedCall(judgedBy(throwInt, asTimeout)) == Outcome::Timeout);
    CHECK(judgedCall(judgedBy(throwInt, asTimeout), {.classifyError = ignoring<int>()}) ==
          Outcome::Timeout);
    // The results stay the breaker's.
    CHECK(judgedCall(judgedBy([] { return Response{500}; }, asTimeout)) == Outcome::Failure);
}

TEST_CASE("One classifier may judge both") {
    struct Both {
        Outcome operator()(int n) const { return n == 0 ? Outcome::Success : Outcome::Ignored; }
        Outcome operator()(std::exception_ptr) const { return Outcome::Timeout; }
    };
    CHECK(judgedCall(judgedBy([] { return 0; }, Both{})) == Outcome::Success);
    CHECK(judgedCall(judgedBy([] { return 1; }, Both{})) == Outcome::Ignored);
    CHECK(judgedCall(judgedBy([]() -> int { throw 1; }, Both{})) == Outcome::Timeout);
}

TEST_CASE("A classifier that takes anything judges results, and is not compiled for exceptions") {
    const auto byStatus = [](const auto& response) {
        return response.status >= 500 ? Outcome::Failure : Outcome::Success;
    };
    CHECK(judgedCall(judgedBy([] { return Response{500}; }, byStatus)) == Outcome::Failure);
    CHECK(judgedCall(judgedBy([] { return Response{404}; }, byStatus)) == Outcome::Success);
    CHECK(judgedCall(judgedBy([]() -> Response { throw 1; }, byStatus)) == Outcome::Failure);
    CHECK(judgedCall(judgedBy([]() -> Response { throw 1; }, byStatus),
                     {.classifyError = ignoring<int>()}) == Outcome::Ignored);
    const auto byValue = [](auto response) -> Outcome {
        return response.status >= 500 ? Outcome::Timeout : Outcome::Success;
    };
    CHECK(judgedCall(judgedBy([] { return Response{500}; }, byValue)) == Outcome::Timeout);
    const auto forwarded = [](auto&& response) {
        return response.status >= 500 ? Outcome::Ignored : Outcome::Success;
    };
    CHECK(judgedCall(judgedBy([] { return Response{500}; }, forwarded)) == Outcome::Ignored);
    CHECK(judgedCall(judgedBy([]() -> Response { throw 1; }, forwarded)) == Outcome::Failure);
}

TEST_CASE("Classifiers of any kind judge exceptions, if they name the type") {
    struct Final final {
        Outcome operator()(std::exception_ptr) const { return Outcome::Ignored; }
    };
    CHECK(judgedCall(judgedBy(throwInt, Final{})) == Outcome::Ignored);
    const std::function<Outcome(std::exception_ptr)> stored = Final{};
    CHECK(judgedCall(judgedBy(throwInt, stored)) == Outcome::Ignored);
    Outcome (*const plain)(std::exception_ptr) = [](std::exception_ptr) {
        return Outcome::Timeout;
    };
    CHECK(judgedCall(judgedBy(throwInt, plain)) == Outcome::Timeout);
    int asked = 0;
    const auto counting = [&asked](std::exception_ptr) mutable noexcept {
        ++asked;
        return Outcome::Ignored;
    };
    CHECK(judgedCall(judgedBy(throwInt, counting)) == Outcome::Ignored);
    CHECK(asked == 1);
}

TEST_CASE("A judged call may be kept, moved, and used again") {
    Rig rig;
    int calls = 0;
    const auto kept = judgedBy([&] { return ++calls; }, [](int) { return Outcome::Ignored; });
    CHECK(rig.breaker.execute(kept) == 1);
    CHECK(rig.breaker.execute(kept) == 2);
    auto owned = judgedBy([p = std::make_unique<int>(7)]() mutable { return std::move(p); },
                          [](const std::unique_ptr<int>&) { return Outcome::Ignored; });
    CHECK(*rig.breaker.execute(std::move(owned)) == 7);
    CHECK(rig.stats().totalIgnored == 3);
}

TEST_CASE("A judged call may take its deadline") {
    Rig rig;
    const auto call =
        judgedBy([](const CallContext& c) { return c.remaining().count() > 0; },
                 [](bool inTime) { return inTime ? Outcome::Ignored : Outcome::Failure; });
    CHECK(rig.breaker.execute(call));
    CHECK(rig.stats().totalIgnored == 1);
}

TEST_CASE("A classifier that throws means Failure, and what the call gave still leaves") {
    const auto throwing = [](auto&&) -> Outcome { throw std::runtime_error{"classifier"}; };
    CHECK(judgedCall(judgedBy([] { return 1; }, throwing)) == Outcome::Failure);
    CHECK(judgedCall(judgedBy(throwInt, throwing)) == Outcome::Failure);
    CHECK(judgedCall(throwInt, {.classifyError = [](std::exception_ptr) -> Outcome {
                         throw std::runtime_error{"classifier"};
                     }}) == Outcome::Failure);
    Rig rig;
    CHECK(rig.breaker.execute(judgedBy([] { return 8; }, throwing)) == 8);
    CHECK_THROWS_AS(rig.breaker.execute(judgedBy(throwInt, throwing)), int);
}

TEST_CASE("classifyError judges exceptions, in every way") {
    for (const Outcome outcome :
         {Outcome::Success, Outcome::Failure, Outcome::Timeout, Outcome::Ignored}) {
        CircuitBreakerOptions options{
            .classifyError = [outcome](std::exception_ptr) { return outcome; }};
        CHECK(judgedCall(throwInt, options) == outcome);
        Rig rig{options};
        CHECK_THROWS_AS(rig.breaker.execute(throwInt), int);  // it leaves however it is judged
    }
}

TEST_CASE("classifyError gets the exception") {
    std::string seen;
    Rig rig{{.classifyError = [&](std::exception_ptr error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            seen = e.what();
        }
        return Outcome::Ignored;
    }}};
    CHECK_THROWS(rig.breaker.execute(throwLogic));
    CHECK(seen == "logic");
}

TEST_CASE("ignoring<E...>() ignores those types and their descendants, all else fails") {
    const CircuitBreakerOptions options{.classifyError = ignoring<std::logic_error, int>()};
    CHECK(judgedCall(throwLogic, options) == Outcome::Ignored);
    CHECK(judgedCall(throwRange, options) == Outcome::Ignored);
    CHECK(judgedCall(throwInt, options) == Outcome::Ignored);
    CHECK(judgedCall(throwRuntime, options) == Outcome::Failure);
    CHECK(judgedCall(judgedBy(throwRange, ignoring<std::logic_error>())) == Outcome::Ignored);
}

TEST_CASE("countingOnly<E...>() counts those types and their descendants, all else is ignored") {
    const CircuitBreakerOptions options{.classifyError = countingOnly<std::logic_error, int>()};
    CHECK(judgedCall(throwLogic, options) == Outcome::Failure);
    CHECK(judgedCall(throwRange, options) == Outcome::Failure);
    CHECK(judgedCall(throwInt, options) == Outcome::Failure);
    CHECK(judgedCall(throwRuntime, options) == Outcome::Ignored);
    CHECK(judgedCall(judgedBy(throwRuntime, countingOnly<std::logic_error>())) == Outcome::Ignored);
}

TEST_CASE("An ignored call counts only in its own total") {
    Rig rig{{.classifyError = ignoring<int>()}, FailureRate{.minimumCalls = 1}};
    CHECK_THROWS_AS(rig.breaker.execute(throwInt), int);
    CHECK_THROWS_AS(rig.breaker.execute(throwInt), int);
    const CircuitBreakerStats stats = rig.stats();
    CHECK(stats.totalIgnored == 2);
    CHECK(stats.totalCalls == 2);
    CHECK(stats.windowCalls == 0);
    CHECK(stats.consecutiveFailures == 0);
    CHECK(stats.consecutiveSuccesses == 0);
    CHECK(stats.lastError.empty());
    CHECK_FALSE(stats.lastFailureTime);
    CHECK_FALSE(stats.averageResponseTime);
    CHECK(rig.state() == CircuitState::Closed);
}

TEST_CASE("An ignored call does not break a row of failures") {
    Rig rig{{}, ConsecutiveFailures{2}};
    rig.fail();
    rig.ignore(3);
    rig.fail();
    CHECK(rig.state() == CircuitState::Open);
}

TEST_CASE("Where there is no exception, there is none of those types") {
    CHECK(ignoring<int>()(nullptr) == Outcome::Failure);
    CHECK(countingOnly<int>()(nullptr) == Outcome::Ignored);
}
