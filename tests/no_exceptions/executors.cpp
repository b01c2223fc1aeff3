// SPDX-License-Identifier: MIT
// Stop tokens, a thread pool, calls in it, and a job, in the forms that need no exceptions.
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <system_error>

#include "checks.hpp"
#include "fusebox/fusebox.hpp"
#include "fusebox/testing/manual_clock.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

using namespace std::chrono_literals;
using fusebox::CircuitBreaker;
using fusebox::ConsecutiveFailures;
using fusebox::Errc;
using fusebox::Rejection;
using fusebox::ThreadPool;

namespace {

struct FullExecutor {
    template <class F>
    bool tryExecute(const F&) {
        return false;
    }
};
struct ForgetfulExecutor {
    template <class F>
    void execute(const F&) {}
};

/// Keeps what it gets while the deadline passes.
struct Hanging {
    fusebox::test::ManualClock clock;
    std::shared_ptr<void> kept{};
    template <class F>
    void execute(F f) {
        kept = std::make_shared<F>(f);
        clock.advance(2s);
    }
};

void stopsAtTheDeadline() {
#if FUSEBOX_HAS_STOP_TOKEN
    CircuitBreaker breaker{"b", {.requestTimeout = 5ms}};
    const bool stopped = breaker.execute(
        [](std::stop_token token) {
            std::mutex mutex;
            std::condition_variable_any never;
            std::unique_lock lock{mutex};
            never.wait_for(lock, token, 60s, [] { return false; });
            return token.stop_requested();
        },
        fusebox::fallback([] { return false; }));
    FUSEBOX_CHECK(stopped);
    FUSEBOX_CHECK(breaker.stats().totalTimeouts == 1);
#endif
}

void callsInAPool() {
    const auto answer = fusebox::fallback([] { return -1; });
    ThreadPool pool{1, 1};
    CircuitBreaker breaker{"b", {.requestTimeout = 1h}};
    FUSEBOX_CHECK(breaker.executeOn(
                      pool, [owned = std::make_unique<int>(7)] { return *owned; }, answer) == 7);
    FUSEBOX_CHECK(breaker.executeOn(
                      pool,
                      [](const fusebox::CallContext& c) { return c.remaining() > 0s ? 1 : 2; },
                      answer) == 1);
    int target = 0;
    breaker.executeOn(
        pool, [&target] { target = 3; }, fusebox::fallback([] {}));
    FUSEBOX_CHECK(target == 3);
    FUSEBOX_CHECK(breaker.stats().totalSuccesses == 3);
}

void endsOfOtherKinds() {
    const auto answer = fusebox::fallback([] { return -1; });
    fusebox::test::ManualClock clock;
    CircuitBreaker breaker{"b", ConsecutiveFailures{}, {.requestTimeout = 1s}, clock};
    FullExecutor full;
    FUSEBOX_CHECK(breaker.executeOn(
                      full, [] { return 1; }, answer) == -1);
    FUSEBOX_CHECK(breaker.executeOn(
                      full, [] { return std::error_code{}; }, fusebox::fallback([] {
                          return make_error_code(Errc::QueueFull);
                      })) == Errc::QueueFull);
    ForgetfulExecutor forgetful;
    FUSEBOX_CHECK(breaker.executeOn(
                      forgetful, [] { return 1; }, answer) == -1);
    FUSEBOX_CHECK(breaker.stats().totalCancelled == 3);

    Hanging hanging{clock};
    FUSEBOX_CHECK(breaker.executeOn(
                      hanging, [] { return 1; }, answer) == -1);
    FUSEBOX_CHECK(breaker.stats().totalTimeouts == 1);
    breaker.open();
    FUSEBOX_CHECK(breaker.executeOn(
                      hanging, [] { return 1; }, answer) == -1);
    FUSEBOX_CHECK(breaker.stats().totalRejected == 1);
}

void runsAJob() {
    CircuitBreaker breaker{"b", ConsecutiveFailures{2}};
    fusebox::GuardedJob job{breaker,
                            [] { return make_error_code(Errc::CallTimeout); },
                            {.interval = 1h, .jitter = 0.0, .retryDelay = 1s}};
    FUSEBOX_CHECK(job.attempt() == 1s);
    FUSEBOX_CHECK(job.attempt() == 2s);
    FUSEBOX_CHECK(job.attempt() == 1h);  // Rejected.
    FUSEBOX_CHECK(job.attempt() == 1h);
    const fusebox::JobStats stats = job.stats();
    FUSEBOX_CHECK(stats.failures == 1 && stats.retries == 1 && stats.skipped == 1);
    job.start();
    job.stop();
}

}  // namespace

int main() {
    stopsAtTheDeadline();
    callsInAPool();
    endsOfOtherKinds();
    runsAJob();
    return fusebox::test::failedChecks == 0 ? 0 : 1;
}
