// SPDX-License-Identifier: MIT
// At most halfOpenLimit probes of the present epoch are in flight at any instant. The callers
// themselves keep count, between their admission and their report.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "stress/load.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox::test;
using fusebox::CircuitState;

namespace {

constexpr auto kWait = 100us;

using Breaker = fusebox::CircuitBreaker<ManualClock, fusebox::ConsecutiveFailures>;

fusebox::CircuitBreakerOptions halfOpenFor(int limit, int successThreshold,
                                           std::chrono::nanoseconds probeTimeout) {
    return {.recoveryTimeout = kWait,
            .successThreshold = successThreshold,
            .halfOpenLimit = limit,
            .probeTimeout = probeTimeout,
            .measureLatency = false};
}

/// Counts who is inside, and remembers the most there were.
class Gauge {
public:
    void enter() noexcept { most_.see(inside_.fetch_add(1, std::memory_order_acq_rel) + 1); }
    void leave() noexcept { inside_.fetch_sub(1, std::memory_order_acq_rel); }
    [[nodiscard]] std::int64_t most() const noexcept { return most_.get(); }

private:
    std::atomic<std::int64_t> inside_{0};
    HighWater most_;
};

/// Callers whose probes succeed and fail on a breaker that opens, recovers and loses probes. Each
/// opening is followed by one half-open epoch, so its number names the epoch: a permit whose caller
/// sees the same numbers before and after its admission, and the breaker half-open, is a probe of
/// that epoch.
class ProbeStorm {
public:
    ProbeStorm(int limit, std::chrono::nanoseconds probeTimeout, std::uint64_t attempts)
        : breaker_("probes", fusebox::ConsecutiveFailures{1}, halfOpenFor(limit, 3, probeTimeout),
                   clock_),
          attempts_(attempts),
          gauges_(attempts * kCallers + 1) {}

    void run() {
        Background time{[&] {
            for (int i = 0; i < 16; ++i) clock_.advance(kWait / 16);
            std::this_thread::yield();
        }};
        onThreads(kCallers, [&](int i) {
            Random random{static_cast<std::uint64_t>(i) + 1};
            for (std::uint64_t n = 0; n < attempts_; ++n) attempt(random);
        });
    }

    [[nodiscard]] std::uint64_t probes() const { return probes_.get(); }
    [[nodiscard]] std::int64_t most() const {
        std::int64_t most = 0;
        for (const Gauge& gauge : gauges_) most = std::max(most, gauge.most());
        return most;
    }
    [[nodiscard]] fusebox::CircuitBreakerStats stats() const { return breaker_.stats(); }

private:
    static constexpr int kCallers = 4;

    void attempt(Random& random) {
        if (random.oneIn(512)) breaker_.open();
        if (random.oneIn(512)) breaker_.close();
        const auto before = breaker_.stats();
        auto permit = breaker_.tryAcquire();
        if (!permit) return std::this_thread::yield();
        const auto after = breaker_.stats();
        const bool certain =
            before.timesOpened == after.timesOpened && before.timesClosed == after.timesClosed &&
            after.state == CircuitState::HalfOpen && after.timesOpened < gauges_.size();
        if (certain) {
            Gauge& gauge = gauges_[after.timesOpened];
            gauge.enter();
            for (auto pause = random.below(4); pause > 0; --pause) std::this_thread::yield();
            gauge.leave();
            probes_.add();
        }
        end(permit, random.below(8));
    }

    static void end(Breaker::Permit& permit, std::uint64_t how) {
        if (how < 4) permit.success();
        if (how == 4) permit.failure();
        if (how == 5) permit.timeout();
        if (how == 6) permit.ignore();
        // 7: it is dropped.
    }

    ManualClock clock_;
    Breaker breaker_;
    std::uint64_t attempts_;
    std::vector<Gauge> gauges_;
    Count probes_;
};

}  // namespace

TEST_CASE("Probes that never end the epoch fill its slots and no more") {
    const int limit = GENERATE(1, 3);
    constexpr int kCallers = 6;
    const std::uint64_t calls = scaled(20'000);
    ManualClock clock;
    Breaker breaker{"slots", fusebox::ConsecutiveFailures{1},
                    halfOpenFor(limit, 65535, fusebox::kForever), clock};
    Gauge gauge;
    Count admitted;
    Count wrongReason;
    breaker.open();
    clock.advance(kWait);
    onThreads(kCallers, [&](int i) {
        Random random{static_cast<std::uint64_t>(i) + 1};
        for (std::uint64_t n = 0; n < calls; ++n) {
            auto permit = breaker.tryAcquire();
            if (!permit) {
                wrongReason.addIf(permit.rejection().reason !=
                                  fusebox::RejectionReason::ProbesBusy);
                continue;
            }
            gauge.enter();
            admitted.add();
            if (random.oneIn(2)) std::this_thread::yield();
            gauge.leave();
            // Few successes: so many that they would close it never come.
            if (random.oneIn(4) && n < 60'000 / kCallers) permit.success();
            if (random.oneIn(2)) permit.ignore();
        }
    });
    CHECK(gauge.most() == limit);
    CHECK(wrongReason.get() == 0);
    CHECK(admitted.get() > 0);
    const auto stats = breaker.stats();
    CHECK(stats.probesInFlight == 0);
    CHECK(stats.state == CircuitState::HalfOpen);
    CHECK(stats.totalCalls == admitted.get());
    // Every slot has been given back.
    std::vector<Breaker::Permit> probes;
    for (int i = 0; i < limit; ++i) {
        probes.push_back(breaker.tryAcquire());
        CHECK(probes.back());
    }
    CHECK_FALSE(breaker.tryAcquire());
}

TEST_CASE("Probes that decide never outnumber the limit of their epoch") {
    const int limit = GENERATE(1, 2);
    ProbeStorm storm{limit, fusebox::kForever, scaled(60'000)};
    storm.run();
    CHECK(storm.most() == limit);
    CHECK(storm.probes() > 0);
    CHECK(storm.stats().totalStale > 0);
}

TEST_CASE("Probes that get lost never outnumber the limit of their epoch") {
    ProbeStorm storm{2, kWait / 8, scaled(60'000)};
    storm.run();
    CHECK(storm.most() <= 2);
    CHECK(storm.probes() > 0);
    CHECK(storm.stats().totalStale > 0);
}
