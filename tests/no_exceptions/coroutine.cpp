// SPDX-License-Identifier: MIT
// Guarded awaits without exceptions, without run-time type information, and without both.
#include <coroutine>
#include <cstdlib>
#include <system_error>

#include "checks.hpp"
#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

namespace {

struct Detached {
    struct promise_type {
        Detached get_return_object() const noexcept { return {}; }
        std::suspend_never initial_suspend() const noexcept { return {}; }
        std::suspend_never final_suspend() const noexcept { return {}; }
        void return_void() const noexcept {}
        void unhandled_exception() const noexcept { std::abort(); }
    };
};

struct Fetch {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const noexcept { waiting.resume(); }
    std::error_code await_resume() const noexcept { return code; }
    std::error_code code;
};

Detached call(fusebox::CircuitBreaker<>& breaker, std::error_code given, std::error_code& out) {
    out = co_await breaker.guard(Fetch{given});
}

Detached answered(fusebox::CircuitBreaker<>& breaker, int& out) {
    struct Number : std::suspend_never {
        int await_resume() const noexcept { return 1; }
    };
    out = co_await breaker.guard(Number{}, fusebox::fallback([] { return -1; }));
}

}  // namespace

int main() {
    fusebox::CircuitBreaker<> breaker{"coroutine", fusebox::ConsecutiveFailures{2}};
    std::error_code code;
    int number = 0;
    call(breaker, {}, code);
    FUSEBOX_CHECK(!code);
    for (int i = 0; i < 2; ++i) call(breaker, std::make_error_code(std::errc::io_error), code);
    FUSEBOX_CHECK(code == std::errc::io_error);
    call(breaker, {}, code);
    FUSEBOX_CHECK(code == fusebox::Errc::CircuitOpen);
    answered(breaker, number);
    FUSEBOX_CHECK(number == -1);
    breaker.reset();
    answered(breaker, number);
    FUSEBOX_CHECK(number == 1);
    return fusebox::test::failedChecks == 0 ? 0 : 1;
}
