// SPDX-License-Identifier: MIT
// A breaker whose callers know exactly how each call counts: by permit, judged, thrown, dropped.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "soak/subject.hpp"
#include "stress/caller.hpp"

namespace fusebox::test {

/// What the breakers of counted calls have in common.
[[nodiscard]] inline CircuitBreakerOptions countedOptions(bool losesProbes) {
    using namespace std::chrono_literals;
    CircuitBreakerOptions options;
    options.recoveryTimeout = 1ms;
    options.recoveryBackoff = 1.5;
    options.maxRecoveryTimeout = 6ms;
    options.recoveryJitter = 0.5;
    options.successThreshold = 2;
    options.halfOpenLimit = 3;
    options.probeTimeout = losesProbes ? std::chrono::nanoseconds{2ms} : kForever;
    options.requestTimeout = Habits::kDeadline;
    options.trackInFlight = true;
    options.classifyError = judgeThrown;
    return options;
}

template <class Breaker>
class CountedCalls : public Subject {
public:
    /// @param make gives the breaker with these options, whoever owns it.
    template <class Make>
    CountedCalls(Findings& findings, std::string name, bool losesProbes, bool tellsSlow,
                 std::uint64_t seed, Make make)
        : findings_(findings),
          options_(countedOptions(losesProbes)),
          chain_(findings, name, options_.halfOpenLimit) {
        CircuitBreakerOptions options = options_;
        options.onStateChange = [this](const StateChanged& event) { chain_.add(event); };
        breaker_ = make(name, options);
        callers_.reserve(kWorkers);
        for (std::uint64_t i = 0; i < kWorkers; ++i) {
            callers_.emplace_back(*breaker_, Habits{.tellsSlow = tellsSlow}, seed * 31 + i);
        }
    }

    void use(int worker) override {
        auto& caller = callers_[static_cast<std::size_t>(worker)];
        caller.run(ended(caller.books()) + 200);
    }

    void steer(Random& random) override {
        using enum ControlMode;
        switch (random.below(24)) {
            case 0: return breaker_->open();
            case 1: return breaker_->open(std::chrono::milliseconds{1 + random.below(4)});
            case 2: return breaker_->close();
            case 3:
                // Workers cannot end while nobody is admitted.
                breaker_->setMode(ForcedOpen);
                std::this_thread::yield();
                return breaker_->setMode(Automatic);
            case 4: return breaker_->setMode(std::array{Shadow, ForcedClosed}[random.below(2)]);
            case 5:
            case 6: return breaker_->setMode(Automatic);
            case 7: return reconfigure(random);
            case 8: return listen(random);
            default: return checkMoving(findings_, breaker_->stats(), options_.halfOpenLimit);
        }
    }

    void calm() override { breaker_->setMode(ControlMode::Automatic); }

    void check(std::uint64_t slice) override {
        Books books = extra_;
        for (const auto& caller : callers_) books.add(caller.books());
        compare(breaker_->stats(), books);
        checkSlots();
        if (slice % 4 == 3) restart();
    }

    [[nodiscard]] Tally tally() const override {
        Tally tally;
        for (const auto& caller : callers_) {
            tally.calls += caller.books().calls();
            tally.rejected += caller.books().rejected;
        }
        tally.trips = chain_.trips();
        return tally;
    }

private:
    /// As `Caller` counts them for `run`.
    [[nodiscard]] static std::uint64_t ended(const Books& books) {
        return books.calls() - books.cancelled;
    }

    void reconfigure(Random& random) {
        CircuitBreakerOptions options = breaker_->options();
        options.recoveryTimeout = std::chrono::microseconds{500 + random.below(1000)};
        options.successThreshold = 1 + static_cast<int>(random.below(3));
        breaker_->reconfigure(options);
    }

    /// Someone comes, or someone goes.
    void listen(Random& random) {
        if (subscriptions_.size() >= 4) {
            subscriptions_.erase(subscriptions_.begin() +
                                 static_cast<std::ptrdiff_t>(random.below(4)));
            return;
        }
        auto& heard = heard_;
        switch (random.below(4)) {
            case 0:
                subscriptions_.push_back(
                    breaker_->template on<CallFailed>([&heard] { heard.add(); }));
                return;
            case 1:
                subscriptions_.push_back(
                    breaker_->template on<CallSucceeded>([&heard] { heard.add(); }));
                return;
            case 2:
                subscriptions_.push_back(breaker_->template on<CallRejected>(
                    [&heard](const CallRejected&) { heard.add(); }));
                return;
            default:
                subscriptions_.push_back(breaker_->template on<ModeChanged>([&heard] {
                    heard.add();
                    throw 1;
                }));
        }
    }

    void compare(const CircuitBreakerStats& stats, const Books& books) {
        const std::string& name = stats.name;
        checkRest(findings_, stats);
        findings_.same(stats.totalCalls, books.calls() - before_.calls(), name + ": totalCalls");
        const std::pair<Outcome, std::uint64_t> totals[] = {
            {Outcome::Success, stats.totalSuccesses},
            {Outcome::Failure, stats.totalFailures},
            {Outcome::Timeout, stats.totalTimeouts},
            {Outcome::Ignored, stats.totalIgnored}};
        for (const auto& [outcome, total] : totals) {
            findings_.same(total, books.of(outcome) - before_.of(outcome),
                           name + ": total of " + std::string{toString(outcome)});
        }
        findings_.same(stats.totalCancelled, books.cancelled - before_.cancelled,
                       name + ": totalCancelled");
        findings_.same(stats.totalRejected, books.rejected - before_.rejected,
                       name + ": totalRejected");
        findings_.same(stats.totalSlow, books.slow - before_.slow, name + ": totalSlow");
        const std::uint64_t stale = books.stale - before_.stale;
        findings_.demand(
            stats.totalStale >= stale && stats.totalStale <= stale + books.unseen - before_.unseen,
            name + ": totalStale is not what callers were told");
        findings_.same(0, books.wrong, name + ": callers got what they should not");
        chain_.compare(stats);
    }

    /// No slot is lost: all of them can be had, and no more.
    void checkSlots() {
        breaker_->close();
        breaker_->open(std::chrono::nanoseconds{1});
        while (breaker_->state() == CircuitState::Open) {
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        std::vector<typename Breaker::Permit> probes;
        for (int i = 0; i <= options_.halfOpenLimit; ++i) probes.push_back(breaker_->tryAcquire());
        const auto admitted = std::count_if(probes.begin(), probes.end(),
                                            [](const auto& probe) { return bool{probe}; });
        // A probe that this thread was kept from reporting for too long is lost, and gives way.
        findings_.demand(admitted == options_.halfOpenLimit || options_.probeTimeout != kForever,
                         "a slot of a probe is lost, or one too many is there");
        for (auto& probe : probes) {
            if (!probe) {
                ++extra_.rejected;
                continue;
            }
            if (probe.ignore() == ReportResult::Stale) ++extra_.stale;
            ++extra_.ended[static_cast<std::size_t>(Outcome::Ignored)];
        }
        breaker_->close();
    }

    /// Begins anew, as a new breaker would.
    void restart() {
        breaker_->reset();
        const CircuitBreakerStats stats = breaker_->stats();
        findings_.same(stats.totalCalls + stats.totalRejected + stats.timesOpened, 0,
                       stats.name + ": totals after reset()");
        chain_.restart();
        before_ = extra_;
        for (const auto& caller : callers_) before_.add(caller.books());
    }

    Findings& findings_;
    CircuitBreakerOptions options_;
    Chain chain_;
    Count heard_;
    std::shared_ptr<Breaker> breaker_;
    std::vector<Caller<Breaker>> callers_;
    Books extra_{};   ///< Calls of the one who checks.
    Books before_{};  ///< As it stood at the last reset.
    std::vector<Subscription> subscriptions_;
};

}  // namespace fusebox::test
