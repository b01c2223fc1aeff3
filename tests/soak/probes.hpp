// SPDX-License-Identifier: MIT
// A breaker whose callers count their own probes between admission and report: never more at once
// than the limit.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "soak/subject.hpp"

namespace fusebox::test {

class Probes : public Subject {
public:
    Probes(Findings& findings, std::uint64_t seed)
        : findings_(findings),
          chain_(findings, "probes", kLimit),
          random_{Random{seed + 1}, Random{seed + 2}, Random{seed + 3}},
          gauges_(kGauges) {
        using namespace std::chrono_literals;
        CircuitBreakerOptions options;
        options.recoveryTimeout = 1ms;
        options.successThreshold = 3;
        options.halfOpenLimit = kLimit;
        options.probeTimeout = kForever;
        options.onStateChange = [this](const StateChanged& event) { chain_.add(event); };
        breaker_ = std::make_shared<NamedCircuitBreaker>("probes", ConsecutiveFailures{1}, options);
    }

    void use(int worker) override {
        for (int i = 0; i < 20; ++i) attempt(random_[static_cast<std::size_t>(worker)]);
    }
    void steer(Random& random) override {
        if (random.oneIn(64)) breaker_->open();
        if (random.oneIn(64)) breaker_->close();
        checkMoving(findings_, breaker_->stats(), kLimit);
    }
    void check(std::uint64_t) override {
        const CircuitBreakerStats stats = breaker_->stats();
        checkRest(findings_, stats);
        chain_.compare(stats);
        findings_.same(stats.totalCalls, calls_.get(), "probes: totalCalls");
        findings_.same(stats.totalRejected, rejected_.get(), "probes: totalRejected");
        findings_.demand(most_.get() <= kLimit, "probes: callers counted more than the limit");
        for (auto& gauge : gauges_) gauge.store(0, std::memory_order_relaxed);
        base_.store(stats.timesOpened, std::memory_order_relaxed);
    }
    [[nodiscard]] Tally tally() const override {
        return {calls_.get(), rejected_.get(), chain_.trips()};
    }
    /// The most that were seen at once.
    [[nodiscard]] std::int64_t most() const { return most_.get(); }

private:
    static constexpr int kLimit = 2;
    static constexpr std::size_t kGauges = 65536;

    /// Each opening is followed by one half-open epoch, so its number names the epoch: a permit
    /// whose caller sees the same numbers before and after its admission, and the breaker
    /// half-open, is a probe of that epoch.
    void attempt(Random& random) {
        const auto before = breaker_->stats();
        auto permit = breaker_->tryAcquire();
        if (!permit) {
            rejected_.add();
            return std::this_thread::yield();
        }
        calls_.add();
        const auto after = breaker_->stats();
        const std::uint64_t number = after.timesOpened - base_.load(std::memory_order_relaxed);
        const bool certain = before.timesOpened == after.timesOpened &&
                             before.timesClosed == after.timesClosed &&
                             after.state == CircuitState::HalfOpen && number < kGauges;
        if (certain) {
            auto& gauge = gauges_[number];
            most_.see(gauge.fetch_add(1, std::memory_order_acq_rel) + 1);
            for (auto pause = random.below(4); pause > 0; --pause) std::this_thread::yield();
            gauge.fetch_sub(1, std::memory_order_acq_rel);
        }
        switch (random.below(8)) {
            case 0: (void)permit.failure(); return;
            case 1: (void)permit.timeout(); return;
            case 2: (void)permit.ignore(); return;
            case 3: return;  // It is dropped.
            default: (void)permit.success(); return;
        }
    }

    Findings& findings_;
    Chain chain_;
    std::array<Random, kWorkers> random_;
    std::vector<std::atomic<std::int64_t>> gauges_;
    std::atomic<std::uint64_t> base_{0};
    HighWater most_;
    Count calls_;
    Count rejected_;
    std::shared_ptr<NamedCircuitBreaker> breaker_;
};

}  // namespace fusebox::test
