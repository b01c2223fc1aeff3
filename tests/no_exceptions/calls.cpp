// SPDX-License-Identifier: MIT
// Calls in the forms that need no exceptions: permits, fallbacks, results that carry a rejection.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "checks.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::Outcome;
using fusebox::Rejection;
using fusebox::RejectionReason;
using fusebox::ReportResult;
using fusebox::test::ManualClock;

namespace {

/// A user's own result type.
struct Response {
    int status = 200;
    std::string body{};
};

}  // namespace

template <>
struct fusebox::OutcomeTraits<Response> {
    static Outcome classify(const Response& response) {
        if (response.status == 504) return Outcome::Timeout;
        if (response.status == 404) return Outcome::Ignored;
        return response.status >= 500 ? Outcome::Failure : Outcome::Success;
    }
};

template <>
struct fusebox::RejectionTraits<Response> {
    static Response make(const Rejection& rejection) { return {503, toString(rejection)}; }
};

namespace {

/// An expected-like type, as std::expected and tl::expected are.
template <class T, class E>
class Expected {
public:
    struct unexpected_type {
        E error;
        explicit unexpected_type(E e) : error(std::move(e)) {}
    };
    using error_type = E;

    Expected(T value) : value_(std::move(value)) {}
    explicit Expected(unexpected_type unexpected) : error_(std::move(unexpected.error)) {}
    [[nodiscard]] bool has_value() const { return value_.has_value(); }
    [[nodiscard]] const E& error() const { return error_; }

private:
    std::optional<T> value_;
    E error_{};
};

struct Fixture {
    explicit Fixture(int threshold = 2)
        : breaker("calls", fusebox::ConsecutiveFailures{threshold},
                  {.recoveryTimeout = 10s, .successThreshold = 1, .halfOpenLimit = 1}, clock) {}

    ManualClock clock;
    fusebox::CircuitBreaker<ManualClock, fusebox::ConsecutiveFailures> breaker;
};

void permits() {
    Fixture f;
    {
        auto permit = f.breaker.tryAcquire();
        FUSEBOX_CHECK(permit);
        FUSEBOX_CHECK(permit.failure() == ReportResult::Recorded);
        FUSEBOX_CHECK(permit.failure() == ReportResult::AlreadyReported);
    }
    auto late = f.breaker.tryAcquire();
    f.breaker.tryAcquire().timeout();
    FUSEBOX_CHECK(f.breaker.isOpen());
    FUSEBOX_CHECK(late.success() == ReportResult::Stale);
    const auto rejected = f.breaker.tryAcquire();
    FUSEBOX_CHECK(!rejected);
    FUSEBOX_CHECK(rejected.rejection().reason == RejectionReason::Open);
    FUSEBOX_CHECK(rejected.rejection().retryAfter == 10s);
    f.clock.advance(10s);
    FUSEBOX_CHECK(f.breaker.state() == CircuitState::HalfOpen);
    {
        const auto dropped = f.breaker.tryAcquire();
        FUSEBOX_CHECK(f.breaker.tryAcquire().rejection().reason == RejectionReason::ProbesBusy);
    }
    FUSEBOX_CHECK(f.breaker.tryAcquire().success() == ReportResult::Recorded);
    FUSEBOX_CHECK(f.breaker.state() == CircuitState::Closed);
    const auto stats = f.breaker.stats();
    FUSEBOX_CHECK(stats.totalCancelled == 1 && stats.totalStale == 1 && stats.totalCalls == 5);
}

void fallbacks() {
    Fixture f;
    const auto answer = fusebox::fallback([] { return 9; });
    FUSEBOX_CHECK(f.breaker.execute([] { return 1; }, answer) == 1);
    f.breaker.open();
    FUSEBOX_CHECK(f.breaker.execute([] { return 1; }, answer) == 9);
    const auto told = fusebox::fallback(
        [](const Rejection& rejection) { return rejection.retryAfter == 10s ? 7 : 0; });
    FUSEBOX_CHECK(f.breaker.execute([] { return 1; }, told) == 7);
    bool called = false;
    f.breaker.execute([] {}, fusebox::fallback([&] { called = true; }));
    FUSEBOX_CHECK(called);
    int one = 1;
    int two = 2;
    f.breaker.execute([&]() -> int& { return one; },
                      fusebox::fallback([&]() -> int& { return two; })) = 5;
    FUSEBOX_CHECK(one == 1 && two == 5);
}

void ownResults() {
    Fixture f;
    const auto answering = [&](int status) {
        return f.breaker.execute([&] { return Response{status}; }).status;
    };
    FUSEBOX_CHECK(answering(404) == 404);
    FUSEBOX_CHECK(answering(504) == 504);
    FUSEBOX_CHECK(answering(500) == 500);
    FUSEBOX_CHECK(answering(200) == 503);
    const Response rejected = f.breaker.execute([] { return Response{}; });
    FUSEBOX_CHECK(rejected.body.find("\"calls\" is OPEN") != std::string::npos);
    const auto stats = f.breaker.stats();
    FUSEBOX_CHECK(stats.totalIgnored == 1 && stats.totalTimeouts == 1 && stats.totalFailures == 1);
    FUSEBOX_CHECK(stats.totalRejected == 2);
}

void errorCodes() {
    Fixture f;
    const auto send = [&](std::error_code code) { return f.breaker.execute([&] { return code; }); };
    FUSEBOX_CHECK(!send({}));
    const auto reset = std::make_error_code(std::errc::connection_reset);
    FUSEBOX_CHECK(send(reset) == reset);
    FUSEBOX_CHECK(send(reset) == reset);
    FUSEBOX_CHECK(send({}) == fusebox::Errc::CircuitOpen);
    FUSEBOX_CHECK(send({}) == std::errc::resource_unavailable_try_again);
    FUSEBOX_CHECK(std::error_code{fusebox::Errc::CallTimeout} == std::errc::timed_out);
    f.breaker.setMode(fusebox::ControlMode::ForcedOpen);
    FUSEBOX_CHECK(send({}) == fusebox::Errc::ForcedOpen);
}

void expectedLike() {
    Fixture f{1};
    using Result = Expected<std::string, std::error_code>;
    const auto ask = [&](Result result) {
        return f.breaker.execute([&] { return std::move(result); });
    };
    FUSEBOX_CHECK(ask(std::string{"fine"}).has_value());
    const auto refused = std::make_error_code(std::errc::connection_refused);
    FUSEBOX_CHECK(ask(Result{Result::unexpected_type{refused}}).error() == refused);
    FUSEBOX_CHECK(ask(std::string{"fine"}).error() == fusebox::Errc::CircuitOpen);

    // An error that is made of a rejection gets it whole.
    struct Error {
        RejectionReason reason{};
        std::chrono::nanoseconds retryAfter{};
        Error() = default;
        Error(const Rejection& r) : reason(r.reason), retryAfter(r.retryAfter) {}
    };
    const auto rejected = f.breaker.execute([] { return Expected<int, Error>{1}; });
    FUSEBOX_CHECK(!rejected.has_value() && rejected.error().retryAfter == 10s);
}

void forms() {
    Fixture f;
    const auto none = fusebox::fallback([] { return 0ns; });
    FUSEBOX_CHECK(
        f.breaker.execute([](const fusebox::CallContext& context) { return context.remaining(); },
                          none) == 30s);
    auto owner = std::make_unique<int>(4);
    const auto moved = f.breaker.execute([p = std::move(owner)]() mutable { return std::move(p); },
                                         fusebox::fallback([] { return nullptr; }));
    FUSEBOX_CHECK(*moved == 4);
    f.breaker.execute(fusebox::judgedBy([] { return 1; }, [](int) { return Outcome::Failure; }),
                      fusebox::fallback([] { return 0; }));
    FUSEBOX_CHECK(f.breaker.stats().totalFailures == 1);
    // Late: a timeout, whatever it returned.
    f.breaker.execute(
        [&] {
            f.clock.advance(31s);
            return 0ns;
        },
        none);
    FUSEBOX_CHECK(f.breaker.stats().totalTimeouts == 1);
    FUSEBOX_CHECK(f.breaker.isOpen());
}

}  // namespace

int main() {
    permits();
    fallbacks();
    ownResults();
    errorCodes();
    expectedLike();
    forms();
    return fusebox::test::failedChecks == 0 ? 0 : 1;
}
