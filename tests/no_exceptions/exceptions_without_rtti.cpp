// SPDX-License-Identifier: MIT
// What is said of exceptions holds without RTTI; without exceptions there is nothing to say.
#include <chrono>
#include <exception>
#include <stdexcept>
#include <string>

#include "checks.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"

#if defined(__cpp_exceptions)

using namespace std::chrono_literals;
using fusebox::Outcome;

namespace {

struct NotFound : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class Error, class Call>
bool throws(Call call) {
    try {
        call();
    } catch (const Error&) {
        return true;
    } catch (...) {
        return false;
    }
    return false;
}

template <class Error>
void raise() {
    throw Error{"thrown"};
}

void classifyError() {
    fusebox::CircuitBreaker breaker{"classified",
                                    fusebox::ConsecutiveFailures{1},
                                    {.classifyError = fusebox::ignoring<NotFound>()}};
    FUSEBOX_CHECK(throws<NotFound>([&] { breaker.execute(raise<NotFound>); }));
    FUSEBOX_CHECK(breaker.stats().totalIgnored == 1);
    FUSEBOX_CHECK(!breaker.isOpen());
    FUSEBOX_CHECK(throws<std::logic_error>([&] { breaker.execute(raise<std::logic_error>); }));
    FUSEBOX_CHECK(breaker.isOpen());
    FUSEBOX_CHECK(throws<fusebox::CircuitOpenError>([&] { breaker.execute([] {}); }));
    FUSEBOX_CHECK(throws<fusebox::CircuitBreakerError>([&] { breaker.execute([] {}); }));
}

void countingOnly() {
    fusebox::CircuitBreaker breaker{"counting",
                                    fusebox::ConsecutiveFailures{1},
                                    {.classifyError = fusebox::countingOnly<NotFound>()}};
    FUSEBOX_CHECK(throws<std::logic_error>([&] { breaker.execute(raise<std::logic_error>); }));
    FUSEBOX_CHECK(!breaker.isOpen());
    // By the rules of a catch clause: a derived exception is one of its base.
    struct Derived : NotFound {
        using NotFound::NotFound;
    };
    FUSEBOX_CHECK(throws<NotFound>([&] { breaker.execute(raise<Derived>); }));
    FUSEBOX_CHECK(breaker.isOpen());
}

void judgedException() {
    fusebox::CircuitBreaker breaker{"judged"};
    const auto judge = [](const std::exception_ptr&) { return Outcome::Success; };
    FUSEBOX_CHECK(
        throws<NotFound>([&] { breaker.execute(fusebox::judgedBy(raise<NotFound>, judge)); }));
    FUSEBOX_CHECK(breaker.stats().totalSuccesses == 1);
}

void unwindingPermit() {
    fusebox::CircuitBreaker breaker{"unwinding"};
    FUSEBOX_CHECK(throws<NotFound>([&] {
        const auto permit = breaker.tryAcquire();
        raise<NotFound>();
    }));
    FUSEBOX_CHECK(breaker.stats().totalFailures == 1);
}

void nestedTimeout() {
    fusebox::test::ManualClock clock;
    fusebox::CircuitBreaker breaker{
        "late", fusebox::ConsecutiveFailures{}, {.requestTimeout = 1s}, clock};
    std::string nested;
    try {
        breaker.execute([&](const fusebox::CallContext& context) {
            clock.advance(2s);
            FUSEBOX_CHECK(context.remaining() == 0s);
            raise<NotFound>();
        });
    } catch (const fusebox::CallTimeoutError& error) {
        FUSEBOX_CHECK(error.timeout() == 1s);
        FUSEBOX_CHECK(error.name() == "late");
    }
    try {
        breaker.execute([&](const fusebox::CallContext&) {
            clock.advance(2s);
            raise<NotFound>();
        });
    } catch (const std::nested_exception& error) {
        // Not std::rethrow_if_nested: that needs RTTI.
        try {
            error.rethrow_nested();
        } catch (const NotFound& inner) {
            nested = inner.what();
        }
    }
    FUSEBOX_CHECK(nested == "thrown");
    // Who did not ask for the deadline gets what was thrown.
    FUSEBOX_CHECK(throws<NotFound>([&] {
        breaker.execute([&] {
            clock.advance(2s);
            raise<NotFound>();
        });
    }));
    FUSEBOX_CHECK(breaker.stats().totalTimeouts == 3);
}

void listenerErrors() {
    fusebox::CircuitBreaker breaker{
        "listener", fusebox::ConsecutiveFailures{1}, {.onOpen = [] { throw 1; }}};
    breaker.open();
    FUSEBOX_CHECK(breaker.stats().listenerErrors == 1);
}

}  // namespace

int main() {
    classifyError();
    countingOnly();
    judgedException();
    unwindingPermit();
    nestedTimeout();
    listenerErrors();
    return fusebox::test::failedChecks == 0 ? 0 : 1;
}

#else

int main() {
    return 0;
}

#endif
