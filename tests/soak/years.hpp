// SPDX-License-Identifier: MIT
// A breaker that lives through many years of outages, on a clock that jumps.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "soak/books.hpp"

namespace fusebox::test {

/// A dependency that is well for minutes to months and then down for seconds to weeks, and a caller
/// that comes now and then, and knows when it must be let in again.
class Years {
public:
    using Nanoseconds = std::chrono::nanoseconds;

    Years(Findings& findings, const AnyTripPolicy& policy, Nanoseconds start, std::uint64_t seed)
        : findings_(findings),
          random_(seed),
          clock_(ManualClock::time_point{start}),
          start_(start),
          chain_(findings, "years", 1),
          breaker_("years", policy, options(), clock_) {}

    void live(Nanoseconds length) {
        while (age() < length) {
            wellFor(drawn(std::chrono::minutes{1}, std::chrono::hours{24 * 60}));
            downFor(drawn(std::chrono::seconds{1}, std::chrono::hours{24 * 20}));
        }
        const CircuitBreakerStats stats = breaker_.stats();
        checkRest(findings_, stats);
        chain_.compare(stats);
        findings_.same(stats.totalCalls, calls_, "years: totalCalls");
        findings_.same(stats.totalRejected, rejected_, "years: totalRejected");
        findings_.same(static_cast<std::uint64_t>(stats.timeOpen.count()),
                       static_cast<std::uint64_t>(open_.count()), "years: timeOpen");
    }
    [[nodiscard]] Nanoseconds age() const { return clock_.now().time_since_epoch() - start_; }
    [[nodiscard]] std::uint64_t outages() const { return outages_; }
    [[nodiscard]] std::uint64_t openings() const { return breaker_.stats().timesOpened; }
    [[nodiscard]] std::uint64_t calls() const { return calls_; }

private:
    static constexpr double kBackoff = 2.0;
    static constexpr double kJitter = 0.25;
    static constexpr Nanoseconds kWait = std::chrono::seconds{10};
    static constexpr Nanoseconds kMostWait = std::chrono::hours{6};

    [[nodiscard]] CircuitBreakerOptions options() {
        CircuitBreakerOptions options;
        options.recoveryTimeout = kWait;
        options.recoveryBackoff = kBackoff;
        options.maxRecoveryTimeout = kMostWait;
        options.recoveryJitter = kJitter;
        options.successThreshold = 1;
        options.halfOpenLimit = 1;
        options.onStateChange = [this](const StateChanged& event) { chain_.add(event); };
        return options;
    }

    /// Each order of magnitude as likely as any other.
    [[nodiscard]] Nanoseconds drawn(Nanoseconds least, Nanoseconds most) {
        Nanoseconds length = least;
        while (length < most && random_.below(4) != 0) length *= 2;
        const auto extra = static_cast<std::uint64_t>(length.count());
        return std::min(length + Nanoseconds{random_.below(extra)}, most);
    }

    void wellFor(Nanoseconds length) {
        for (int i = 0; i < 40; ++i) {
            const Nanoseconds before = breaker_.retryAfter().value_or(Nanoseconds{0});
            pass(length / 40);
            call(true);
            // Whoever comes after the wait is the probe, and it succeeds.
            if (before <= length / 40) {
                findings_.demand(breaker_.state() == CircuitState::Closed,
                                 "years: not closed after the first probe that succeeds");
            }
        }
    }

    void downFor(Nanoseconds length) {
        ++outages_;
        const Nanoseconds end = clock_.now().time_since_epoch() + length;
        std::uint64_t opened = breaker_.stats().timesOpened;
        double longest = 0;
        while (clock_.now().time_since_epoch() < end) {
            call(false);
            const CircuitBreakerStats stats = breaker_.stats();
            if (stats.timesOpened > opened) {
                opened = stats.timesOpened;
                longest = longest == 0 ? static_cast<double>(kWait.count()) : longest * kBackoff;
                checkWait(*stats.retryAfter, longest);
            }
            const auto rest = breaker_.retryAfter();
            if (rest) {
                // A nanosecond too early it is rejected, and at the deadline it is admitted.
                pass(*rest - Nanoseconds{1});
                const auto before = rejected_;
                call(false);
                findings_.demand(rejected_ == before + 1, "years: admitted before the deadline");
                pass(Nanoseconds{1});
                findings_.demand(breaker_.state() == CircuitState::HalfOpen,
                                 "years: not half-open at the deadline");
            } else {
                pass(std::chrono::milliseconds{20});
            }
        }
    }

    void checkWait(Nanoseconds wait, double longest) {
        const auto most = std::min(longest, static_cast<double>(kMostWait.count()));
        const auto drawn = static_cast<double>(wait.count());
        findings_.demand(drawn <= most && drawn >= most * (1 - kJitter) - 1,
                         "years: a wait of " + std::to_string(wait.count()) + " ns, not within " +
                             std::to_string(most * (1 - kJitter)) + " to " + std::to_string(most));
    }

    void pass(Nanoseconds length) {
        const Nanoseconds rest = breaker_.retryAfter().value_or(Nanoseconds{0});
        open_ += std::min(rest, length);
        clock_.advance(length);
    }

    void call(bool well) {
        auto permit = breaker_.tryAcquire();
        if (!permit) {
            ++rejected_;
            return;
        }
        ++calls_;
        (void)permit.report(well ? Outcome::Success : Outcome::Failure);
    }

    Findings& findings_;
    Random random_;
    ManualClock clock_;
    Nanoseconds start_;
    Chain chain_;
    CircuitBreaker<ManualClock, AnyTripPolicy> breaker_;
    Nanoseconds open_{0};
    std::uint64_t outages_ = 0;
    std::uint64_t calls_ = 0;
    std::uint64_t rejected_ = 0;
};

/// Several lives: the first begins with the clock, the last ends where the clock's range ends.
/// Prints what happened.
inline void liveYears(Findings& findings, double years, std::uint64_t seed) {
    using namespace std::chrono_literals;
    constexpr double kNanosecondsAYear = 365.2425 * 24 * 3600 * 1e9;
    const std::chrono::nanoseconds length{static_cast<std::int64_t>(years * kNanosecondsAYear)};
    const AnyTripPolicy policies[] = {
        ConsecutiveFailures{3}, FailureRate{.threshold = 0.5, .minimumCalls = 4, .window = 60s},
        FailureCount{3, 1h},
        anyOf(Cusum{0.01, 0.5, 1e6},
              FailureRate{.threshold = 0.5, .minimumCalls = 4, .window = lastCalls(10)})};
    for (const AnyTripPolicy& policy : policies) {
        for (const bool atTheEnd : {false, true}) {
            // A life ends some months late at most.
            const auto room = std::chrono::hours{24 * 200};
            const auto start = atTheEnd ? kForever - length - room : 0ns;
            Years life{findings, policy, start, seed};
            life.live(length);
            std::printf(
                "%.1f years from %s: %s; %llu outages, %llu openings, %llu calls, %llu "
                "findings\n",
                static_cast<double>(life.age().count()) / kNanosecondsAYear,
                atTheEnd ? "the end of the clock's range" : "its beginning",
                toString(policy).c_str(), static_cast<unsigned long long>(life.outages()),
                static_cast<unsigned long long>(life.openings()),
                static_cast<unsigned long long>(life.calls()),
                static_cast<unsigned long long>(findings.count()));
        }
    }
}

}  // namespace fusebox::test
