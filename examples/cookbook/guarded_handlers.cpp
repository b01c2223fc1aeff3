// SPDX-License-Identifier: MIT
// Handlers that somebody else calls, a scheduler or a socket: guarded once, where they are handed
// over. And a job that needs no scheduler.

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

#include "promises.hpp"

using namespace std::chrono_literals;

namespace {

/// Stands for the service that both handlers need.
class Backend {
public:
    void store(std::string_view what) {
        ++asked;
        if (!up) throw std::runtime_error{"backend is down"};
        stored = what;
    }

    bool up = true;
    int asked = 0;
    std::string stored;
};

// [guarded]
/// The handler, behind the breaker of that name: a callable with the same parameters.
template <class Handler>
auto guarded(std::string_view name, Handler handler) {
    return [breaker = fusebox::createCircuitBreaker(name),
            handler = std::move(handler)]<class... Arguments>(
               Arguments&&... arguments) mutable -> decltype(auto) {
        return breaker->execute([&]() -> std::invoke_result_t<Handler&, Arguments...> {
            return handler(std::forward<Arguments>(arguments)...);
        });
    };
}
// [/guarded]

/// Runs a job as a scheduler does: what it throws is logged. Says whether the job ran.
bool runJob(const std::function<void()>& job) {
    try {
        job();
    } catch (const fusebox::CircuitOpenError& error) {
        fmt::print("job skipped: {}\n", error.what());
        return false;
    } catch (const std::exception& error) {
        fmt::print("job failed: {}\n", error.what());
    }
    return true;
}

}  // namespace

int main() {
    Promises promises;
    Backend backend;

    // [handlers]
    const std::function<void()> job =
        guarded("nightly-sync", [&backend] { backend.store("everything"); });
    const std::function<bool(std::string_view)> onMessage =
        guarded("chat-message", [&backend](std::string_view text) {
            backend.store(text);
            return true;
        });
    // [/handlers]

    promises.check(onMessage("hello") && backend.stored == "hello", "arguments and results pass");
    promises.check(runJob(job) && backend.stored == "everything", "the job runs");

    backend.up = false;
    int runs = 0;
    for (int i = 0; i < 8; ++i) runs += runJob(job) ? 1 : 0;
    promises.check(runs == 5 && backend.asked == 7, "after five failures it is skipped");

    backend.up = true;
    promises.check(onMessage("hello again"), "each handler has a breaker of its own");

    // [job]
    fusebox::GuardedJob sync{"hourly-sync",
                             [&backend] { backend.store("everything"); },
                             {.interval = 1h, .maxRetries = 3, .runAtStart = true}};
    sync.start();  // On a thread of its own.
    // [/job]
    while (sync.stats().runs == 0) std::this_thread::sleep_for(1ms);
    sync.stop();
    promises.check(sync.stats().successes == 1, "the job runs at once");

    backend.up = false;
    for (int i = 0; i < 8; ++i) sync.attempt();
    // [job_stats]
    const fusebox::JobStats stats = sync.stats();
    fmt::print("{} runs, {} failed after {} retries ({}), {} skipped\n", stats.runs, stats.failures,
               stats.retries, stats.lastError, stats.skipped);
    // [/job_stats]
    promises.check(stats.runs == 3 && stats.failures == 2, "a run fails when its retries are over");
    promises.check(stats.skipped == 2, "and is skipped while the circuit is open");
    return promises.exitCode();
}
