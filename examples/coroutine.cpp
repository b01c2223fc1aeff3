// SPDX-License-Identifier: MIT
// co_await through a circuit breaker, in a coroutine type of one's own and with nothing but the
// standard library.

#include <chrono>
#include <coroutine>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

#if FUSEBOX_HAS_COROUTINES

namespace {

/// The least that a program with coroutines has: a loop that resumes whoever waits.
std::deque<std::coroutine_handle<>> loop;

/// A lazy coroutine with a result. Any other type will do.
template <class T>
class Task {
public:
    struct promise_type {
        Task get_return_object() {
            return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        auto final_suspend() noexcept {
            struct Back : std::suspend_always {
                std::coroutine_handle<> await_suspend(
                    std::coroutine_handle<promise_type> ended) noexcept {
                    return ended.promise().caller;
                }
            };
            return Back{};
        }
        void return_value(T given) { value = std::move(given); }
        void unhandled_exception() { error = std::current_exception(); }

        std::coroutine_handle<> caller = std::noop_coroutine();
        T value{};
        std::exception_ptr error{};
    };

    Task(Task&& other) noexcept : coroutine_(std::exchange(other.coroutine_, {})) {}
    Task& operator=(Task&&) = delete;
    ~Task() {
        if (coroutine_) coroutine_.destroy();
    }

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        coroutine_.promise().caller = caller;
        return coroutine_;
    }
    T await_resume() {
        if (coroutine_.promise().error) std::rethrow_exception(coroutine_.promise().error);
        return std::move(coroutine_.promise().value);
    }
    void start() { coroutine_.resume(); }

private:
    explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
    std::coroutine_handle<promise_type> coroutine_;
};

/// Waits for the next turn of the loop.
struct NextTurn : std::suspend_always {
    void await_suspend(std::coroutine_handle<> waiting) { loop.push_back(waiting); }
};

Task<std::string> fetch(bool healthy) {
    co_await NextTurn{};
    if (!healthy) throw std::runtime_error{"connection refused"};
    co_return "fresh";
}

// [guard]
Task<std::string> report(fusebox::CircuitBreaker<>& breaker, bool healthy) {
    std::string text;
    try {
        text = co_await breaker.guard(fetch(healthy));
    } catch (const fusebox::CircuitOpenError& error) {
        text = error.what();
    } catch (const std::exception& error) {
        text = error.what();
    }
    co_return text;
}
// [/guard]

// [function]
Task<std::string> cachedReport(fusebox::CircuitBreaker<>& breaker) {
    const auto fetchInTime = [](const fusebox::CallContext& call) -> Task<std::string> {
        co_await NextTurn{};
        if (call.remaining() == std::chrono::nanoseconds::zero()) throw std::runtime_error{"late"};
        co_return "in time";
    };
    // Called only if the breaker admits it; kept, with its context, until the await is over.
    co_return co_await breaker.guard(fetchInTime,
                                     fusebox::fallback([] { return std::string{"cached"}; }));
}
// [/function]

std::string run(Task<std::string> task) {
    task.start();
    while (!loop.empty()) {
        const auto next = loop.front();
        loop.pop_front();
        next.resume();
    }
    return task.await_resume();
}

}  // namespace

int main() {
    fusebox::CircuitBreaker<> breaker{"service", fusebox::ConsecutiveFailures{2}};
    for (const bool healthy : {true, false, false, true}) {
        fmt::print("{}\n", run(report(breaker, healthy)));
    }
    const std::string whileOpen = run(cachedReport(breaker));
    breaker.close();
    const std::string afterwards = run(cachedReport(breaker));
    fmt::print("{}, then {}\n", whileOpen, afterwards);

    const auto stats = breaker.stats();
    return stats.totalRejected == 2 && whileOpen == "cached" && afterwards == "in time" ? 0 : 1;
}

#else

int main() {}

#endif
