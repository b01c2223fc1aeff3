// SPDX-License-Identifier: MIT
// An API client with a breaker inside: a cache before it, retries around it, and data of the
// caller's own when the circuit is open.

#include <chrono>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

#include "promises.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::test::ManualClock;

namespace {

/// Stands for the server: fails as often as it was told to.
class Server {
public:
    std::string get(const std::string& path) {
        ++asked;
        if (failuresLeft > 0) {
            --failuresLeft;
            throw std::runtime_error{"502 Bad Gateway"};
        }
        return "body of " + path;
    }

    int failuresLeft = 0;
    int asked = 0;
};

// [client]
class ApiClient {
public:
    using Breaker = fusebox::CircuitBreaker<ManualClock, fusebox::FailureCount>;

    ApiClient(Server& server, ManualClock clock)
        : server_(server),
          clock_(clock),
          breaker_{"api",
                   fusebox::FailureCount{.threshold = 5, .window = 60s},
                   {.recoveryTimeout = 30s, .halfOpenLimit = 3},
                   clock} {}

    /// What is cached is answered without asking the breaker: it is no call.
    std::string get(const std::string& path) {
        if (const auto hit = cache_.find(path); hit != cache_.end()) return hit->second;
        auto body = breaker_.execute([&] { return server_.get(path); });
        return cache_[path] = std::move(body);
    }

    /// `otherwise` while the circuit is open; a failure still leaves.
    std::string getOr(const std::string& path, const std::string& otherwise) {
        return breaker_.execute(
            [&] { return server_.get(path); },
            fusebox::fallback([&](const fusebox::Rejection&) { return otherwise; }));
    }

    /// Up to `attempts` calls with pauses between them, and none more once one is rejected.
    std::string getWithRetry(const std::string& path, int attempts) {
        for (auto pause = 100ms;; pause *= 2) {
            try {
                return get(path);
            } catch (const fusebox::CircuitOpenError&) {
                throw;  // Trying again before retryAfter() is over is in vain.
            } catch (const std::exception&) {
                if (--attempts == 0) throw;
            }
            clock_.advance(pause);  // Where time is real: a timer.
        }
    }

    Breaker& breaker() { return breaker_; }

private:
    Server& server_;
    ManualClock clock_;
    Breaker breaker_;
    std::map<std::string, std::string> cache_;
};
// [/client]

/// What the call threw; empty if nothing.
std::string errorOf(const auto& call) {
    try {
        call();
        return {};
    } catch (const std::exception& error) {
        fmt::print("{}\n", error.what());
        return error.what();
    }
}

}  // namespace

int main() {
    Promises promises;
    ManualClock clock;
    Server server;
    ApiClient client{server, clock};
    auto& breaker = client.breaker();

    // [log]
    const auto log = breaker.on<fusebox::StateChanged>([](const fusebox::StateChanged& change) {
        fmt::print("{} changed from {} to {}: {}\n", change.breaker, toString(change.from),
                   toString(change.to), toString(change.reason));
    });
    // [/log]

    server.failuresLeft = 2;
    promises.check(client.getWithRetry("/a", 3) == "body of /a" && server.asked == 3,
                   "two failures are retried away");
    client.get("/a");
    promises.check(server.asked == 3, "the cache answers without a call");

    // Two failures are in the window. Spread over more than its minute, five do not add up.
    server.failuresLeft = 100;
    for (int i = 0; i < 4; ++i) {
        clock.advance(20s);
        errorOf([&] { client.getOr("/b", "nothing new"); });
    }
    promises.check(!breaker.isOpen(), "six failures in 80 s are not five in a minute");

    const std::string rejected = errorOf([&] { client.getWithRetry("/b", 100); });
    promises.check(breaker.isOpen(), "five within a minute open the circuit");
    promises.check(rejected.find("is OPEN") != std::string::npos, "the retries end there");
    promises.check(client.getOr("/b", "nothing new") == "nothing new",
                   "callers get their own data");

    // [metrics]
    const auto stats = breaker.stats();
    fmt::print("{} calls, {} failed, the last with \"{}\"; {} rejected\n", stats.totalCalls,
               stats.totalFailures, stats.lastError, stats.totalRejected);
    if (stats.lastTrip) fmt::print("{}\n", stats.lastTrip->summary);
    // [/metrics]
    promises.check(stats.lastFailureTime.has_value() && stats.consecutiveFailures > 0,
                   "the statistics know the last failure");

    clock.advance(30s);
    server.failuresLeft = 0;
    // [probes]
    std::vector<ApiClient::Breaker::Permit> probes;
    for (int i = 0; i < 3; ++i) probes.push_back(breaker.tryAcquire());
    const auto fourth = breaker.tryAcquire();
    promises.check(!fourth && fourth.rejection().reason == fusebox::RejectionReason::ProbesBusy,
                   "three probes at once, and no more");
    // [/probes]
    for (auto& probe : probes) probe.success();
    promises.check(breaker.state() == CircuitState::Closed, "their successes close the circuit");
    promises.check(client.getOr("/b", "nothing new") == "body of /b", "the server answers again");
    return promises.exitCode();
}
