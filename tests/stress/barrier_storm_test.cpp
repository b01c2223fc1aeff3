// SPDX-License-Identifier: MIT
// Collisions: everybody does the same thing at the same instant, and one of them wins.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "stress/load.hpp"
#include "stress/transition_log.hpp"
#include "stress/yielding_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox::test;
using fusebox::CircuitState;
using fusebox::RejectionReason;
using fusebox::ReportResult;
using fusebox::TransitionReason;

namespace {

constexpr auto kWait = 1s;
constexpr auto kProbeTimeout = 10s;

/// A breaker on a clock of its own, a log of what it tells, and a place for each thread's findings.
template <std::size_t kThreads>
class Arena {
public:
    using Breaker = fusebox::CircuitBreaker<ManualClock, fusebox::ConsecutiveFailures>;

    explicit Arena(int threshold, int halfOpenLimit = 1, int successThreshold = 1)
        : breaker("arena", fusebox::ConsecutiveFailures{threshold},
                  {.recoveryTimeout = kWait,
                   .successThreshold = successThreshold,
                   .halfOpenLimit = halfOpenLimit,
                   .probeTimeout = kProbeTimeout,
                   .onStateChange = [this](const fusebox::StateChanged& event) { log.add(event); }},
                  clock) {}

    void acquireAll() {
        for (auto& permit : permits) permit = breaker.tryAcquire();
    }
    void acquire(int thread) { permits[at(thread)] = breaker.tryAcquire(); }
    void report(int thread, fusebox::Outcome outcome) {
        results[at(thread)] = permits[at(thread)].report(outcome);
    }

    [[nodiscard]] std::ptrdiff_t admitted() const {
        return std::count_if(permits.begin(), permits.end(),
                             [](const auto& permit) { return static_cast<bool>(permit); });
    }
    [[nodiscard]] std::ptrdiff_t rejected(RejectionReason reason) const {
        return std::count_if(permits.begin(), permits.end(), [&](const auto& permit) {
            return !permit && permit.rejection().reason == reason;
        });
    }
    [[nodiscard]] std::ptrdiff_t count(ReportResult result, std::size_t from = 0,
                                       std::size_t until = kThreads) const {
        return std::count(results.begin() + static_cast<std::ptrdiff_t>(from),
                          results.begin() + static_cast<std::ptrdiff_t>(until), result);
    }
    /// Whether the log holds these transitions and no others; empties it.
    [[nodiscard]] bool tells(std::initializer_list<TransitionReason> reasons) {
        const bool same = std::ranges::equal(log.all(), reasons, {}, &Transition::reason);
        log.clear();
        return same;
    }
    void backToClosed() {
        permits = {};
        breaker.close();
        log.clear();
    }
    /// Half-open, with all probes in flight.
    void probeAll() {
        breaker.open();
        clock.advance(kWait);
        acquireAll();
        log.clear();
    }

    ManualClock clock;
    TransitionLog log;
    Breaker breaker;
    std::array<Breaker::Permit, kThreads> permits{};
    std::array<ReportResult, kThreads> results{};

private:
    [[nodiscard]] static std::size_t at(int thread) { return static_cast<std::size_t>(thread); }
};

}  // namespace

TEST_CASE("Failures at the same instant trip once, by exactly as many as it takes") {
    constexpr int kThreshold = 4;
    Arena<6> arena{kThreshold};
    std::uint64_t opened = 0;
    const auto failed = failedRounds(
        scaled(20'000), 6, [&] { arena.acquireAll(); },
        [&](int i) { arena.report(i, fusebox::Outcome::Failure); },
        [&] {
            const bool right = arena.count(ReportResult::Recorded) == kThreshold &&
                               arena.count(ReportResult::Stale) == 2 && arena.breaker.isOpen() &&
                               arena.tells({TransitionReason::PolicyTripped}) &&
                               arena.breaker.stats().timesOpened == ++opened;
            arena.backToClosed();
            return right;
        });
    CHECK(failed == 0);
    CHECK(arena.breaker.stats().totalStale == 2 * opened);
}

TEST_CASE("Callers at the end of the wait: exactly halfOpenLimit are admitted") {
    constexpr int kLimit = 2;
    Arena<6> arena{1, kLimit};
    const auto failed = failedRounds(
        scaled(20'000), 6,
        [&] {
            arena.breaker.open();
            arena.clock.advance(kWait);
            arena.log.clear();
        },
        [&](int i) { arena.acquire(i); },
        [&] {
            const bool right = arena.admitted() == kLimit &&
                               arena.rejected(RejectionReason::ProbesBusy) == 6 - kLimit &&
                               arena.breaker.stats().probesInFlight == kLimit &&
                               arena.tells({TransitionReason::WaitElapsed});
            arena.backToClosed();
            return right;
        });
    CHECK(failed == 0);
}

TEST_CASE("Probes that succeed and fail at the same instant decide once") {
    Arena<4> arena{1, 4, 2};
    std::uint64_t closings = 0;
    std::uint64_t openings = 0;
    const auto failed = failedRounds(
        scaled(20'000), 4, [&] { arena.probeAll(); },
        [&](int i) {
            arena.report(i, i < 2 ? fusebox::Outcome::Success : fusebox::Outcome::Failure);
        },
        [&] {
            const auto successes = arena.count(ReportResult::Recorded, 0, 2);
            const auto failures = arena.count(ReportResult::Recorded, 2, 4);
            const bool closed = arena.breaker.state() == CircuitState::Closed;
            const bool right = closed ? successes == 2 && failures == 0 &&
                                            arena.tells({TransitionReason::ProbesSucceeded})
                                      : successes < 2 && failures == 1 && arena.breaker.isOpen() &&
                                            arena.tells({TransitionReason::ProbeFailed});
            ++(closed ? closings : openings);
            arena.backToClosed();
            return right;
        });
    CHECK(failed == 0);
    CHECK(closings + openings > 0);
}

TEST_CASE("Callers after a lost probe make one opening of it, as of its lease") {
    constexpr int kLimit = 2;
    Arena<4> arena{1, kLimit};
    std::optional<Arena<4>::Breaker::Permit> lost;
    const auto failed = failedRounds(
        scaled(10'000), 4,
        [&] {
            arena.breaker.open();
            arena.clock.advance(kWait);
            lost.emplace(arena.breaker.tryAcquire());
            // The wait after the loss is over as well.
            arena.clock.advance(kProbeTimeout + kWait + 1ns);
            arena.log.clear();
        },
        [&](int i) { arena.acquire(i); },
        [&] {
            const bool right =
                arena.admitted() == kLimit &&
                arena.tells({TransitionReason::ProbeLost, TransitionReason::WaitElapsed}) &&
                lost->success() == ReportResult::Stale && arena.tells({});
            arena.backToClosed();
            return right;
        });
    CHECK(failed == 0);
}

TEST_CASE("open() and close() from all sides make one transition each") {
    Arena<4> arena{1};
    bool open = false;
    const auto failed = failedRounds(
        scaled(20'000), 4, [&] { open = !open; },
        [&](int) { open ? arena.breaker.open() : arena.breaker.close(); },
        [&] { return arena.tells({TransitionReason::Manual}) && arena.breaker.isOpen() == open; });
    CHECK(failed == 0);
}

namespace {

/// Opens and closes the breaker while others look. The clock moves only while it is closed, and
/// then past every earlier deadline: who meets the word of one opening with the times of another
/// reads HalfOpen, or a wrong rest.
template <class Breaker>
void showsItsDeadline(Breaker& breaker, ManualClock clock, std::uint64_t rounds) {
    Count halfOpen;
    Count wrongRest;
    Count wrongRejection;
    Count open;
    Count polls;
    {
        const auto poll = [&] {
            polls.add();
            for (int i = 0; i < 64; ++i) {
                const CircuitState state = breaker.state();
                halfOpen.addIf(state == CircuitState::HalfOpen);
                open.addIf(state == CircuitState::Open);
                const auto rest = breaker.retryAfter();
                wrongRest.addIf(rest && *rest != kWait);
                const auto permit = breaker.tryAcquire();
                const auto rejection = permit.rejection();
                wrongRejection.addIf(!permit && (rejection.reason != RejectionReason::Open ||
                                                 rejection.retryAfter != kWait));
            }
        };
        Background first{poll};
        Background second{poll};
        while (polls.get() < 4) std::this_thread::yield();
        for (std::uint64_t round = 0; round < rounds; ++round) {
            breaker.open();
            breaker.close();
            clock.advance(2 * kWait);
        }
    }
    CHECK(halfOpen.get() == 0);
    CHECK(wrongRest.get() == 0);
    CHECK(wrongRejection.get() == 0);
    CHECK(open.get() > 0);
}

}  // namespace

TEST_CASE("An opening is never seen without its deadline") {
    const fusebox::CircuitBreakerOptions options{.recoveryTimeout = kWait, .measureLatency = false};
    const fusebox::ConsecutiveFailures policy{1};
    ManualClock clock;
    fusebox::CircuitBreaker breaker{"deadline", policy, options, clock};
    showsItsDeadline(breaker, clock, scaled(300'000));
    YieldingBreaker<fusebox::ConsecutiveFailures> interrupted{policy, options, clock};
    showsItsDeadline(interrupted, clock, scaled(100'000));
}

namespace {

/// Lets others act before one of the atomic steps of this thread.
struct BeforeStep {
    static inline int stepsLeft = 0;
    static inline std::function<void()> action{};
    static void interrupt() noexcept {
        if (action && stepsLeft-- == 0) std::exchange(action, nullptr)();
    }
};

struct SteppedPlatform {
    template <class T>
    using Atomic = YieldingAtomic<T, BeforeStep>;
    using Mutex = std::mutex;
};

}  // namespace

TEST_CASE("C 15: at no step of an opening is it seen without its deadline") {
    int seenClosed = 0;
    for (int step = 0; step < 100; ++step) {
        ManualClock clock;
        clock.advance(1000h);  // a deadline of zero would be long over
        YieldingBreaker<fusebox::ConsecutiveFailures, SteppedPlatform> breaker{
            fusebox::ConsecutiveFailures{1}, {.recoveryTimeout = kWait}, clock};
        CircuitState state = CircuitState::HalfOpen;
        std::optional<std::chrono::nanoseconds> rest;
        BeforeStep::stepsLeft = step;
        BeforeStep::action = [&] {
            state = breaker.state();
            rest = breaker.retryAfter();
        };
        breaker.open();
        if (std::exchange(BeforeStep::action, nullptr)) break;
        CHECK(state != CircuitState::HalfOpen);
        if (state == CircuitState::Open) CHECK(rest == kWait);
        seenClosed += state == CircuitState::Closed;
    }
    CHECK(seenClosed > 2);
}
