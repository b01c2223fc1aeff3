// SPDX-License-Identifier: MIT
// A breaker with a deadline of two milliseconds, whose calls run here or in a pool and are
// sometimes late. Which of them are is the clock's affair; none may be lost or counted twice.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <future>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/async/execute_async.hpp"
#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/thread_pool.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "soak/subject.hpp"
#include "stress/caller.hpp"

namespace fusebox::test {

class LateCalls : public Subject {
public:
    LateCalls(Findings& findings, CircuitBreakerRegistry& registry, ThreadPool& pool,
              std::string name, const AnyTripPolicy& policy, bool detectsOverdue,
              std::uint64_t seed)
        : findings_(findings),
          registry_(registry),
          pool_(pool),
          chain_(findings, name, kProbes),
          overdue_(detectsOverdue) {
        using namespace std::chrono_literals;
        CircuitBreakerOptions options;
        options.recoveryTimeout = 1ms;
        options.recoveryJitter = 0.3;
        options.successThreshold = 1;
        options.halfOpenLimit = kProbes;
        options.probeTimeout = 4ms;
        options.requestTimeout = kDeadline;
        options.trackInFlight = true;
        options.detectOverdue = detectsOverdue;
        options.classifyError = [](const std::exception_ptr& error) { return judge(error); };
        options.onStateChange = [this](const StateChanged& event) { chain_.add(event); };
        breaker_ = registry.create(name, policy, options);
        listen();
        for (std::uint64_t i = 0; i < kWorkers; ++i) workers_[i].random = Random{seed * 37 + i};
    }

    void use(int worker) override {
        Worker& w = workers_[static_cast<std::size_t>(worker)];
        for (int i = 0; i < 10; ++i) call(w);
    }

    void letGo(int worker) override {
        Worker& w = workers_[static_cast<std::size_t>(worker)];
        for (auto& future : w.futures) count(w, [&] { (void)future.get(); });
        w.futures.clear();
    }

    void steer(Random& random) override {
        if (random.oneIn(16)) breaker_->open();
        if (random.oneIn(16)) breaker_->close();
        checkMoving(findings_, breaker_->stats(), kProbes);
    }

    void check(std::uint64_t) override {
        const CircuitBreakerStats stats = breaker_->stats();
        const std::string& name = stats.name;
        Worker all;
        for (const Worker& w : workers_) all.add(w);
        checkRest(findings_, stats);
        findings_.same(stats.totalCalls, all.calls(), name + ": totalCalls");
        findings_.same(stats.totalRejected, all.rejected, name + ": totalRejected");
        // An overdue call is a timeout before anyone knows how it ends.
        if (!overdue_) {
            findings_.same(stats.totalIgnored, all.ignored, name + ": totalIgnored");
            findings_.same(stats.totalCancelled, all.dropped, name + ": totalCancelled");
        }
        findings_.demand(stats.totalIgnored <= all.ignored && stats.totalSuccesses <= all.values &&
                             stats.totalFailures <= all.failures,
                         name + ": more calls ended well than their callers saw");
        findings_.same(stats.totalSuccesses, told_[0].get(), name + ": CallSucceeded");
        findings_.same(stats.totalFailures, told_[1].get(), name + ": CallFailed");
        findings_.same(stats.totalTimeouts, told_[2].get(), name + ": CallTimedOut");
        findings_.same(stats.totalIgnored, told_[3].get(), name + ": CallIgnored");
        findings_.same(stats.totalRejected + all.full, told_[4].get(), name + ": CallRejected");
        chain_.compare(stats);
    }

    [[nodiscard]] Tally tally() const override {
        Worker all;
        for (const Worker& w : workers_) all.add(w);
        return {all.calls(), all.rejected, chain_.trips()};
    }

private:
    static constexpr int kProbes = 2;
    static constexpr std::chrono::milliseconds kDeadline{2};

    struct Neutral {};

    /// One thread, and what became of its calls.
    struct Worker {
        Random random{0};
        std::vector<std::future<int>> futures{};
        std::uint64_t values = 0, failures = 0, timeouts = 0, ignored = 0, dropped = 0, full = 0,
                      rejected = 0;

        void add(const Worker& other) {
            values += other.values;
            failures += other.failures;
            timeouts += other.timeouts;
            ignored += other.ignored;
            dropped += other.dropped;
            full += other.full;
            rejected += other.rejected;
        }
        [[nodiscard]] std::uint64_t calls() const {
            return values + failures + timeouts + ignored + dropped;
        }
    };

    [[nodiscard]] static Outcome judge(const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const Neutral&) {
            return Outcome::Ignored;
        } catch (...) {
            return Outcome::Failure;
        }
    }

    /// Counts a call by what its caller sees.
    template <class Call>
    static void count(Worker& w, Call&& call) {
        try {
            std::forward<Call>(call)();
            ++w.values;
        } catch (const CallTimeoutError&) {
            ++w.timeouts;
        } catch (const QueueFullError&) {
            ++w.dropped;
            ++w.full;
        } catch (const CircuitOpenError&) {
            ++w.rejected;
            std::this_thread::yield();
        } catch (const Neutral&) {
            ++w.ignored;
        } catch (const std::runtime_error&) {
            ++w.failures;
        }
    }

    /// What a call does: mostly nothing; sometimes it takes about as long as its deadline.
    static int work(std::uint64_t dice) {
        Random random{dice};
        if (random.oneIn(50)) {
            const auto length = kDeadline * static_cast<int>(random.below(20)) / 10;
            std::this_thread::sleep_for(length);
        }
        const bool sick = dice / 64 % 4 == 3;
        const std::uint64_t how = random.below(100);
        if (how < (sick ? 60U : 5U)) throw std::runtime_error{"failed"};
        if (how < (sick ? 65U : 8U)) throw Neutral{};
        return 1;
    }

    [[nodiscard]] static auto job(std::uint64_t dice) {
        return [dice, owned = std::make_unique<int>(1)] { return work(dice) * *owned; };
    }

    void call(Worker& w) {
        // Sick and healthy by turns, as real time passes.
        const auto now = std::chrono::steady_clock::now().time_since_epoch();
        const auto turn = static_cast<std::uint64_t>(now / std::chrono::milliseconds{40}) % 4;
        const std::uint64_t dice = (w.random() / 256 * 256) + turn * 64 + w.random.below(64);
        switch (w.random.below(32)) {
            case 0:
            case 1: return count(w, [&] { (void)breaker_->executeOn(pool_, job(dice)); });
            case 2:
            case 3:
                if (w.futures.size() == 4) letGo(static_cast<int>(&w - workers_.data()));
                w.futures.push_back(breaker_->executeAsync(pool_, job(dice)));
                return;
            case 4: return waitForStop(w);
            case 5: return drop(w);
            case 6:
            case 7:
                return count(w, [&] {
                    (void)withCircuitBreaker(registry_, breaker_->name(),
                                             [&] { return work(dice); });
                });
            default: return count(w, [&] { (void)breaker_->execute([&] { return work(dice); }); });
        }
    }

    /// A call that obeys its token, or ends before that.
    void waitForStop(Worker& w) {
        const bool patient = w.random.oneIn(8);
        count(w, [&] {
            (void)breaker_->execute([&](const std::stop_token& token) {
                while (patient && !token.stop_requested()) {
                    std::this_thread::sleep_for(std::chrono::microseconds{200});
                }
                return 1;
            });
        });
    }

    void drop(Worker& w) {
        if (const auto permit = breaker_->tryAcquire()) {
            ++w.dropped;
        } else {
            ++w.rejected;
        }
    }

    void listen() {
        const auto add = [](Count& heard) { return [&heard] { heard.add(); }; };
        subscriptions_.push_back(breaker_->on<CallSucceeded>(add(told_[0])));
        subscriptions_.push_back(breaker_->on<CallFailed>(add(told_[1])));
        subscriptions_.push_back(breaker_->on<CallTimedOut>(add(told_[2])));
        subscriptions_.push_back(breaker_->on<CallIgnored>(add(told_[3])));
        subscriptions_.push_back(breaker_->on<CallRejected>(add(told_[4])));
    }

    Findings& findings_;
    CircuitBreakerRegistry& registry_;
    ThreadPool& pool_;
    Chain chain_;
    const bool overdue_;
    std::array<Count, 5> told_{};
    std::shared_ptr<NamedCircuitBreaker> breaker_;
    std::array<Worker, kWorkers> workers_{};
    std::vector<Subscription> subscriptions_;
};

}  // namespace fusebox::test
