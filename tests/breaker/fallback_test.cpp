// SPDX-License-Identifier: MIT
// What answers in place of a call that was rejected or failed.
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "breaker/own_types.hpp"
#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Response;
using fusebox::test::Rig;
using std::string;

namespace {

// Fallbacks that say how they were called.
struct TakesNothing {
    string operator()() const { return "nothing"; }
};
struct TakesRejection {
    string operator()(const Rejection& r) const { return "rejection " + string{r.breaker}; }
};
struct TakesException {
    string operator()(std::exception_ptr e) const { return e ? "exception" : "null"; }
};
struct TakesEither : TakesRejection, TakesException {
    using TakesException::operator();
    using TakesRejection::operator();
};
struct RejectionOrNothing : TakesRejection, TakesNothing {
    using TakesNothing::operator();
    using TakesRejection::operator();
};
struct ExceptionOrNothing : TakesException, TakesNothing {
    using TakesException::operator();
    using TakesNothing::operator();
};
struct TakesAll : TakesEither, TakesNothing {
    using TakesEither::operator();
    using TakesNothing::operator();
};

template <class F>
string answerToRejection(F f) {
    Rig rig;
    rig.breaker.open();
    try {
        return rig.breaker.execute([]() -> string { return "called"; }, fallback(f));
    } catch (const CircuitOpenError&) {
        return "thrown";
    }
}
template <class F>
string answerToException(F f) {
    Rig rig;
    try {
        return rig.breaker.execute([]() -> string { throw std::runtime_error{"x"}; }, fallback(f));
    } catch (const std::runtime_error&) {
        return "thrown";
    }
}

/// What an exception of a call that a classifier judges so becomes.
string answerTo(Outcome judged) {
    Rig rig{{.classifyError = [judged](std::exception_ptr) { return judged; }}};
    try {
        return rig.breaker.execute([]() -> string { throw 1; }, fallback(TakesAll{}));
    } catch (int) {
        return "thrown";
    }
}

}  // namespace

TEST_CASE("A rejection is answered by an f that takes it, else by f()") {
    CHECK(answerToRejection(TakesNothing{}) == "nothing");
    CHECK(answerToRejection(TakesRejection{}) == "rejection rig");
    CHECK(answerToRejection(TakesException{}) == "thrown");
    CHECK(answerToRejection(TakesEither{}) == "rejection rig");
    CHECK(answerToRejection(RejectionOrNothing{}) == "rejection rig");
    CHECK(answerToRejection(ExceptionOrNothing{}) == "nothing");
    CHECK(answerToRejection(TakesAll{}) == "rejection rig");
}

TEST_CASE("An exception is answered by an f that takes it, else by f()") {
    CHECK(answerToException(TakesNothing{}) == "nothing");
    CHECK(answerToException(TakesRejection{}) == "thrown");
    CHECK(answerToException(TakesException{}) == "exception");
    CHECK(answerToException(TakesEither{}) == "exception");
    CHECK(answerToException(RejectionOrNothing{}) == "nothing");
    CHECK(answerToException(ExceptionOrNothing{}) == "exception");
    CHECK(answerToException(TakesAll{}) == "exception");
}

TEST_CASE("Exceptions judged Failure or Timeout are answered, those judged otherwise leave") {
    CHECK(answerTo(Outcome::Failure) == "exception");
    CHECK(answerTo(Outcome::Timeout) == "exception");
    CHECK(answerTo(Outcome::Ignored) == "thrown");
    CHECK(answerTo(Outcome::Success) == "thrown");
}

TEST_CASE("A value that fn returned reaches the caller, however it was judged") {
    Rig rig{{.requestTimeout = 2s}};
    const auto never = fallback([] { return Response{-1}; });
    for (const int status : {200, 404, 500, 504}) {
        CHECK(rig.breaker.execute([&] { return Response{status}; }, never).status == status);
    }
    const auto late = [&] {
        rig.clock.advance(3s);
        return Response{201};
    };
    CHECK(rig.breaker.execute(late, never).status == 201);
    CHECK(rig.stats().totalTimeouts == 2);
}

TEST_CASE("A fallback's own result is not judged") {
    Rig rig{{}, ConsecutiveFailures{1}};
    rig.breaker.open();
    const auto bad = fallback([] { return Response{500}; });
    CHECK(rig.breaker.execute([] { return Response{200}; }, bad).status == 500);
    CHECK(rig.stats().totalCalls == 0);
    rig.breaker.close();
    CHECK(rig.breaker.execute([]() -> Response { throw 1; }, bad).status == 500);
    CHECK(rig.stats().totalCalls == 1);
    CHECK(rig.stats().totalFailures == 1);
}

TEST_CASE("What a fallback throws leaves, and the call counts as it did before") {
    Rig rig;
    const auto throwing = fallback([]() -> int { throw std::out_of_range{"no cache"}; });
    CHECK_THROWS_AS(rig.breaker.execute([]() -> int { throw 1; }, throwing), std::out_of_range);
    CHECK(rig.stats().totalFailures == 1);
    rig.breaker.open();
    CHECK_THROWS_AS(rig.breaker.execute([] { return 1; }, throwing), std::out_of_range);
    CHECK(rig.stats().totalRejected == 1);
    CHECK(rig.stats().totalCalls == 1);
}

TEST_CASE("A fallback's result converts to the call's") {
    Rig rig;
    rig.breaker.open();
    const string text =
        rig.breaker.execute([] { return string{"long"}; }, fallback([] { return "short"; }));
    CHECK(text == "short");
    CHECK(rig.breaker.execute([] { return 2.5; }, fallback([] { return 1; })) == 1.0);
}

TEST_CASE("A call that returns nothing may have a fallback that returns something") {
    Rig rig;
    int answered = 0;
    rig.breaker.open();
    rig.breaker.execute([] {}, fallback([&] { return ++answered; }));
    rig.breaker.close();
    rig.breaker.execute([] { throw 1; }, fallback([&](std::exception_ptr) { ++answered; }));
    CHECK(answered == 2);
}

TEST_CASE("A reference is answered by a reference") {
    Rig rig;
    int real = 1;
    int cached = 2;
    const auto call = [&]() -> int& { return real; };
    const auto cache = fallback([&]() -> int& { return cached; });
    CHECK(&rig.breaker.execute(call, cache) == &real);
    rig.breaker.open();
    CHECK(&rig.breaker.execute(call, cache) == &cached);
    rig.breaker.close();
    CHECK(&rig.breaker.execute([]() -> int& { throw 1; }, cache) == &cached);
}

TEST_CASE("Fallbacks may be move-only and change their own state") {
    Rig rig;
    rig.breaker.open();
    auto answer = rig.breaker.execute(
        []() -> std::unique_ptr<int> { return nullptr; },
        fallback([held = std::make_unique<int>(4)]() mutable { return std::move(held); }));
    REQUIRE(answer);
    CHECK(*answer == 4);
}

TEST_CASE("The fallback gets the rejection as it was, and the exception that would have left") {
    Rig rig{{.recoveryTimeout = 10s, .requestTimeout = 2s}};
    string seen;
    rig.breaker.execute(
        [&](const CallContext&) {
            rig.clock.advance(3s);
            throw std::runtime_error{"slow"};
        },
        fallback([&](std::exception_ptr error) {
            try {
                std::rethrow_exception(error);
            } catch (const CallTimeoutError& timeout) {
                seen = timeout.what();
            }
        }));
    CHECK(seen.find("took longer than 2 s") != string::npos);
    rig.breaker.open();
    rig.clock.advance(4s);
    rig.breaker.execute(
        [] {}, fallback([&](const Rejection& rejection) {
            CHECK(rejection == Rejection{"rig", CircuitState::Open, RejectionReason::Open, 6s});
        }));
}

TEST_CASE("A judged call may have a fallback") {
    Rig rig;
    const auto ignored = [](std::exception_ptr) { return Outcome::Ignored; };
    CHECK_THROWS_AS(rig.breaker.execute(judgedBy([]() -> int { throw 1; }, ignored),
                                        fallback([] { return 2; })),
                    int);
    const auto failed = [](std::exception_ptr) { return Outcome::Failure; };
    CHECK(rig.breaker.execute(judgedBy([]() -> int { throw 1; }, failed),
                              fallback([] { return 2; })) == 2);
}

TEST_CASE("The breaker has been told before the fallback answers") {
    Rig rig{{}, ConsecutiveFailures{1}};
    rig.breaker.execute([] { throw 1; }, fallback([&] { CHECK(rig.breaker.isOpen()); }));
    rig.breaker.execute([] {}, fallback([&] { CHECK(rig.stats().totalRejected == 1); }));
    CHECK(rig.stats().totalFailures == 1);
}
