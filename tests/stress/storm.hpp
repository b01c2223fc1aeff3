// SPDX-License-Identifier: MIT
// Many callers on one breaker, while others move its clock, steer it and look at it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "stress/caller.hpp"
#include "stress/load.hpp"
#include "stress/transition_log.hpp"

namespace fusebox::test {

struct StormPlan {
    std::uint64_t calls = 0;
    Habits habits{};
    bool modes = false;  ///< Somebody changes the mode.
    bool tracksInFlight = true;
    std::optional<std::chrono::nanoseconds> probeTimeout{};  ///< Unset: no probe is ever lost.
};

inline constexpr int kStormCallers = 4;
inline constexpr int kStormProbes = 3;
inline constexpr std::chrono::microseconds kStormWait{200};

/// Looks at a breaker while everything moves, and counts what cannot be.
class Observer {
public:
    template <class Breaker>
    void look(const Breaker& breaker) {
        const CircuitBreakerStats now = breaker.stats();
        const bool absurd =
            now.windowFailures > now.windowCalls || now.windowSlow > now.windowCalls ||
            now.failureRate.value_or(0) > 1 || now.slowCallRate.value_or(0) > 1 ||
            now.probesInFlight < 0 || now.probesInFlight > kStormProbes ||
            now.inFlight.value_or(0) > kFullCalls || now.totalStale > now.totalCalls ||
            now.totalSlow > now.totalCalls || now.timesClosed > now.timesOpened ||
            now.retryAfter.has_value() != (now.state == CircuitState::Open) ||
            now.averageResponseTime.value_or(Habits::kLate) > Habits::kLate;
        const bool shrunk =
            now.totalCalls < last_.totalCalls || now.totalSuccesses < last_.totalSuccesses ||
            now.totalFailures < last_.totalFailures || now.totalTimeouts < last_.totalTimeouts ||
            now.totalIgnored < last_.totalIgnored || now.totalCancelled < last_.totalCancelled ||
            now.totalRejected < last_.totalRejected || now.totalStale < last_.totalStale ||
            now.totalSlow < last_.totalSlow || now.timesOpened < last_.timesOpened ||
            now.timesClosed < last_.timesClosed || now.timeOpen < last_.timeOpen;
        absurd_ += absurd;
        shrunk_ += shrunk;
        last_ = now;
        ++looks_;
    }

    [[nodiscard]] std::uint64_t absurd() const noexcept { return absurd_; }
    [[nodiscard]] std::uint64_t shrunk() const noexcept { return shrunk_; }
    [[nodiscard]] std::uint64_t looks() const noexcept { return looks_; }

private:
    CircuitBreakerStats last_{};
    std::uint64_t absurd_ = 0;
    std::uint64_t shrunk_ = 0;
    std::uint64_t looks_ = 0;
};

/// What a storm left behind.
struct Aftermath {
    Books books{};
    TransitionLog log{};
    Observer observer{};
    std::vector<std::pair<ControlMode, ControlMode>> modes{};
    CircuitBreakerStats stats{};
};

/// Steers at random: opens, closes, and changes the mode if the plan says so.
template <class Breaker>
void steer(Breaker& breaker, Random& random, bool modes) {
    using enum ControlMode;
    const std::uint64_t n = random.below(modes ? 16 : 32);
    if (n == 0) breaker.open();
    if (n == 1) breaker.open(kStormWait * 2);
    if (n == 2) breaker.close();
    if (modes && n >= 8)
        breaker.setMode(std::array{Automatic, Shadow, ForcedClosed, ForcedOpen}[n % 4]);
}

/// Runs a storm on a breaker with this policy, and lets it come to rest, closed and automatic.
template <class Policy>
[[nodiscard]] Aftermath runStorm(const Policy& policy, const StormPlan& plan) {
    Aftermath left;
    CircuitBreakerOptions options;
    options.recoveryTimeout = kStormWait;
    options.successThreshold = 2;
    options.halfOpenLimit = kStormProbes;
    options.probeTimeout = plan.probeTimeout.value_or(kForever);
    options.requestTimeout = Habits::kDeadline;
    options.measureLatency = plan.habits.measures;
    options.trackInFlight = plan.tracksInFlight;
    options.classifyError = judgeThrown;
    options.onStateChange = [&left](const StateChanged& event) { left.log.add(event); };

    ManualClock clock;
    CircuitBreaker breaker{"storm", policy, options, clock};
    const auto modeChanges = breaker.template on<ModeChanged>(
        [&left](const ModeChanged& event) { left.modes.emplace_back(event.from, event.to); });

    std::vector<Caller<decltype(breaker)>> callers;
    for (int i = 0; i < kStormCallers; ++i) {
        callers.emplace_back(breaker, plan.habits, static_cast<std::uint64_t>(i) + 1);
    }
    {
        Background time{[&] {
            for (int i = 0; i < 64; ++i) clock.advance(std::chrono::microseconds{2});
            std::this_thread::yield();
        }};
        Background control{[&, random = Random{99}]() mutable {
            steer(breaker, random, plan.modes);
            std::this_thread::yield();
        }};
        Background observer{[&] {
            left.observer.look(breaker);
            std::this_thread::yield();
        }};
        onThreads(kStormCallers, [&](int i) {
            callers[static_cast<std::size_t>(i)].run(plan.calls / kStormCallers + 1);
        });
    }
    breaker.setMode(ControlMode::Automatic);
    breaker.close();
    for (const auto& caller : callers) left.books.add(caller.books());
    left.stats = breaker.stats();
    return left;
}

}  // namespace fusebox::test
