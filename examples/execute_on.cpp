// SPDX-License-Identifier: MIT
// Calls that hang and cannot be interrupted run in a pool: their callers wait no longer than the
// deadline.

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

using namespace std::chrono_literals;

namespace {

/// Stands for a driver that knows no timeout: it answers at once, or when someone hangs up.
class Driver {
public:
    std::string query(bool healthy) {
        std::unique_lock lock{mutex_};
        hungUp_.wait(lock, [&] { return healthy || done_; });
        return "rows";
    }
    void hangUp() {
        const std::lock_guard lock{mutex_};
        done_ = true;
        hungUp_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable hungUp_;
    bool done_ = false;
};

// [adapter]
/// Makes an executor of anything that runs a function later.
class Poster {
public:
    explicit Poster(std::function<void(std::function<void()>)> post) : post_(std::move(post)) {}

    void post(std::function<void()> f) { post_(std::move(f)); }

private:
    std::function<void(std::function<void()>)> post_;
};
// [/adapter]

}  // namespace

int main() {
    // Shared, because a call that hangs may outlive everything here.
    const auto driver = std::make_shared<Driver>();

    // [execute_on]
    fusebox::ThreadPool pool{2, 4};  // Two calls may hang, four may wait for them.
    fusebox::CircuitBreaker breaker{"database", {.requestTimeout = 50ms}};

    const auto rows = breaker.executeOn(pool, [driver] { return driver->query(true); });
    const auto hung = breaker.executeOn(
        pool, [driver] { return driver->query(false); },
        fusebox::fallback([](std::exception_ptr) { return std::string{"cached rows"}; }));
    fmt::print("{}, then {}\n", rows, hung);
    // [/execute_on]

    // [execute_async]
    std::future<std::string> future =
        breaker.executeAsync(pool, [driver] { return driver->query(false); });
    std::string told;
    try {
        told = future.get();
    } catch (const fusebox::CircuitOpenError& error) {
        told = error.what();  // The breaker did not admit the call.
    } catch (const fusebox::QueueFullError& error) {
        told = error.what();  // The pool had no room for it.
    } catch (const fusebox::CallTimeoutError& error) {
        told = error.what();  // It did not end in time.
    } catch (const std::exception& error) {
        told = error.what();  // What the call threw.
    }
    fmt::print("{}\n", told);
    // [/execute_async]

    // [queue_full]
    // Both threads hang. Four more calls find a place in the queue; a fifth finds none.
    fusebox::CircuitBreaker other{"other", fusebox::ConsecutiveFailures{100}};
    std::vector<std::future<std::string>> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.push_back(other.executeAsync(pool, [driver] { return driver->query(true); }));
    }
    const auto full = other.executeOn(
        pool, [driver] { return driver->query(true); },
        fusebox::fallback([](const fusebox::Rejection& rejection) { return toString(rejection); }));
    fmt::print("{}\n", full);
    // [/queue_full]

    Poster poster{[](const std::function<void()>& f) { f(); }};
    const auto posted = breaker.executeOn(poster, [driver] { return driver->query(true); });

    driver->hangUp();
    for (auto& each : waiting) each.get();  // Their breaker must live until then.
    const auto stats = breaker.stats();
    return rows == "rows" && hung == "cached rows" && stats.totalTimeouts == 2 &&
                   full.find("no room") != std::string::npos && posted == "rows"
               ? 0
               : 1;
}
