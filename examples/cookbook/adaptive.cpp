// SPDX-License-Identifier: MIT
// A breaker that tightens itself when the service has become worse, and relaxes when it is well:
// reconfigured in place, so that state, totals and subscriptions stay.

#include <chrono>
#include <cstdint>
#include <exception>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

#include "promises.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::ConsecutiveFailures;
using fusebox::test::ManualClock;

namespace {

// [adaptive]
class AdaptiveBreaker {
public:
    using Breaker = fusebox::CircuitBreaker<ManualClock, ConsecutiveFailures>;

    explicit AdaptiveBreaker(ManualClock clock)
        : breaker_{"flaky-api", ConsecutiveFailures{5}, {.recoveryTimeout = 30s}, clock} {}

    Breaker& breaker() { return breaker_; }

    /// To be called now and then, by a timer or after every so many calls.
    void adjust() {
        const auto stats = breaker_.stats();
        const auto calls = stats.totalCalls - judgedCalls_;
        if (calls < 100) return;
        const auto failed = stats.totalFailures + stats.totalTimeouts;
        const double rate =
            static_cast<double>(failed - judgedFailures_) / static_cast<double>(calls);
        judgedCalls_ = stats.totalCalls;
        judgedFailures_ = failed;

        if (rate > 0.5) configure(ConsecutiveFailures{3}, 60s);
        if (rate < 0.1) configure(ConsecutiveFailures{5}, 30s);
    }

private:
    void configure(ConsecutiveFailures policy, std::chrono::nanoseconds recovery) {
        if (breaker_.hasPolicy(policy)) return;
        auto options = breaker_.options();  // Given options replace the old ones as a whole.
        options.recoveryTimeout = recovery;
        breaker_.reconfigure(policy, options);
    }

    Breaker breaker_;
    std::uint64_t judgedCalls_ = 0;
    std::uint64_t judgedFailures_ = 0;
};
// [/adaptive]

/// Stands for a service of which, when it is ill, three calls of five fail.
class Service {
public:
    void call() {
        if (ill && turn_++ % 5 < 3) throw std::runtime_error{"overloaded"};
    }

    bool ill = false;

private:
    int turn_ = 0;
};

/// A call a second.
void callFor(int seconds, AdaptiveBreaker& adaptive, Service& service, ManualClock clock) {
    for (int i = 0; i < seconds; ++i) {
        clock.advance(1s);
        try {
            adaptive.breaker().execute([&] { service.call(); });
        } catch (const std::exception&) {
        }
        adaptive.adjust();
    }
}

}  // namespace

int main() {
    Promises promises;
    ManualClock clock;
    Service service;
    AdaptiveBreaker adaptive{clock};
    auto& breaker = adaptive.breaker();

    // [told]
    const auto told = breaker.on<fusebox::Reconfigured>([](const fusebox::Reconfigured& event) {
        fmt::print("{}:\n  was {}\n  is  {}\n", event.breaker, event.previous, event.current);
    });
    // [/told]

    service.ill = true;
    callFor(99, adaptive, service, clock);
    promises.check(!breaker.isOpen() && breaker.stats().totalRejected == 0,
                   "three failures in a row of five calls never trip a threshold of five");
    callFor(1, adaptive, service, clock);
    promises.check(breaker.policy().threshold == 3, "after 100 calls the threshold is three");
    promises.check(breaker.options().recoveryTimeout == 60s, "and the wait is a minute");
    promises.check(breaker.stats().totalCalls == 100, "the totals have stayed");

    callFor(5, adaptive, service, clock);
    promises.check(breaker.isOpen(), "now three failures in a row open the circuit");

    service.ill = false;
    callFor(300, adaptive, service, clock);
    promises.check(breaker.state() == CircuitState::Closed, "when the service is well, it closes");
    promises.check(breaker.policy().threshold == 5, "and is as tolerant as it was");
    promises.check(breaker.options().recoveryTimeout == 30s, "as is the wait");
    promises.check(breaker.stats().timesReconfigured == 2, "the statistics count both");
    return promises.exitCode();
}
