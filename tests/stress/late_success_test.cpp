// SPDX-License-Identifier: MIT
// A success that is late cannot leak into a later epoch: at rest, the window of a closed breaker
// holds exactly what was recorded in its own epoch.
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "stress/load.hpp"
#include "stress/yielding_breaker.hpp"
#include "support/catch.hpp"

using namespace fusebox::test;
using fusebox::ReportResult;

namespace {

/// Counts the main thread's closings, so that callers know in which closed epoch they were
/// admitted: odd while a transition is under way.
class EpochSign {
public:
    [[nodiscard]] std::uint64_t read() const noexcept {
        return number_.load(std::memory_order_acquire);
    }
    template <class Transition>
    void during(Transition transition) noexcept {
        number_.fetch_add(1, std::memory_order_acq_rel);
        transition();
        number_.fetch_add(1, std::memory_order_acq_rel);
    }

private:
    std::atomic<std::uint64_t> number_{0};
};

/// A caller that holds a few permits, reports them out of order, and counts what was recorded of
/// the epoch that is the last one.
template <class Breaker>
class LateCaller {
public:
    LateCaller(Breaker& breaker, const EpochSign& sign, std::uint64_t seed)
        : breaker_(breaker), sign_(sign), random_(seed) {}

    void callOnce() {
        Held& held = held_[random_.below(held_.size())];
        if (held.permit) {
            report(held);
            return;
        }
        const std::uint64_t before = sign_.read();
        held.permit = breaker_.tryAcquire();
        // Admitted during a transition: of an epoch that nobody knows. It stays out of the count.
        if (before % 2 != 0 || sign_.read() != before) held.permit.ignore();
        held.epoch = before;
        // Most are reported at once, as calls are; else a transition would find each thread holding
        // many, and few about to report.
        if (held.permit && !random_.oneIn(8)) report(held);
    }
    void reportAll() {
        for (Held& held : held_) {
            if (held.permit) report(held);
        }
    }

    [[nodiscard]] std::uint64_t recordedIn(std::uint64_t epoch) const {
        return epoch_ == epoch ? recorded_ : 0;
    }
    [[nodiscard]] std::uint64_t failedIn(std::uint64_t epoch) const {
        return epoch_ == epoch ? failed_ : 0;
    }

private:
    struct Held {
        typename Breaker::Permit permit{};
        std::uint64_t epoch = 0;
    };

    void report(Held& held) {
        const bool fails = random_.oneIn(32);
        if ((fails ? held.permit.failure() : held.permit.success()) != ReportResult::Recorded) {
            return;
        }
        // Recorded of an older epoch: it was in time for that one's count, which nobody asks for.
        if (held.epoch < epoch_) return;
        if (held.epoch > epoch_) recorded_ = failed_ = 0;
        epoch_ = held.epoch;
        ++recorded_;
        failed_ += fails;
    }

    Breaker& breaker_;
    const EpochSign& sign_;
    Random random_;
    std::array<Held, 4> held_{};
    std::uint64_t epoch_ = 0;
    std::uint64_t recorded_ = 0;
    std::uint64_t failed_ = 0;
};

template <class Breaker>
void keepsEpochsApart(Breaker& breaker, std::uint64_t rounds) {
    constexpr int kCallers = 3;
    EpochSign sign;
    std::vector<LateCaller<Breaker>> callers;
    for (int i = 0; i < kCallers; ++i) {
        callers.emplace_back(breaker, sign, static_cast<std::uint64_t>(i) + 1);
    }

    // A round: callers call; the main thread makes some transitions and lets them rest.
    std::atomic<bool> resting{false};
    StartLine line{kCallers + 1};
    std::vector<std::thread> threads;
    for (auto& caller : callers) {
        threads.emplace_back([&] {
            for (std::uint64_t round = 0; round < rounds; ++round) {
                line.wait();
                while (!resting.load(std::memory_order_acquire)) {
                    for (int i = 0; i < 64; ++i) caller.callOnce();
                    std::this_thread::yield();
                }
                caller.reportAll();
                line.wait();
            }
        });
    }

    std::uint64_t leaks = 0;
    std::uint64_t calls = 0;
    Random random{7};
    for (std::uint64_t round = 0; round < rounds; ++round) {
        resting.store(false, std::memory_order_relaxed);
        line.wait();
        for (auto transitions = random.below(8) + 1; transitions > 0; --transitions) {
            sign.during([&] {
                breaker.open();
                breaker.close();
            });
            // A mode ends the epoch too, but the window stays.
            if (random.oneIn(4)) breaker.setMode(fusebox::ControlMode::Shadow);
            if (random.oneIn(4)) breaker.setMode(fusebox::ControlMode::Automatic);
            for (auto pause = random.below(3); pause > 0; --pause) std::this_thread::yield();
        }
        resting.store(true, std::memory_order_release);
        line.wait();
        const auto stats = breaker.stats();
        std::uint64_t recorded = 0;
        std::uint64_t failed = 0;
        for (const auto& caller : callers) {
            recorded += caller.recordedIn(sign.read());
            failed += caller.failedIn(sign.read());
        }
        leaks += stats.windowCalls != recorded || stats.windowFailures != failed;
        calls += recorded;
        // And the epoch goes on.
        leaks += breaker.tryAcquire().success() != ReportResult::Recorded;
        leaks += breaker.stats().windowCalls != recorded + 1;
    }
    for (auto& thread : threads) thread.join();

    CHECK(leaks == 0);
    CHECK(calls > 0);
    CHECK(breaker.stats().totalStale > 0);
    CHECK(breaker.stats().timesOpened == breaker.stats().timesClosed);
}

// Fewer shards than threads, so that both kinds of race are run.
fusebox::CircuitBreakerOptions twoShards(bool measureLatency) {
    return {.measureLatency = measureLatency, .shards = 2};
}

template <class Policy>
void keepsEpochsApart(const Policy& policy, bool measureLatency) {
    fusebox::CircuitBreaker breaker{"epochs", policy, twoShards(measureLatency), ManualClock{}};
    keepsEpochsApart(breaker, scaled(5'000));
    YieldingBreaker<Policy> interrupted{policy, twoShards(measureLatency), ManualClock{}};
    keepsEpochsApart(interrupted, scaled(5'000));
}

constexpr int kNever = 1'000'000;

}  // namespace

TEST_CASE("Late results do not leak into a later run of consecutive failures") {
    keepsEpochsApart(fusebox::ConsecutiveFailures{kNever}, false);
}

TEST_CASE("Late results do not leak into a later window of calls") {
    const fusebox::FailureRate policy{
        .threshold = 1.0, .minimumCalls = kNever, .window = fusebox::lastCalls(kNever)};
    keepsEpochsApart(policy, false);
    keepsEpochsApart(policy, true);
}

TEST_CASE("Late results do not leak into a later window of time") {
    const fusebox::FailureRate policy{
        .threshold = 1.0, .minimumCalls = kNever, .window = std::chrono::hours{1}};
    keepsEpochsApart(policy, false);
}
