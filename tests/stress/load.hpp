// SPDX-License-Identifier: MIT
// How much the stress tests do, and the threads that do it. Workers count and record; the main
// thread asserts.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "support/sanitized.hpp"

namespace fusebox::test {

/// The calls of the greatest storm in a full run.
inline constexpr std::uint64_t kFullCalls = 10'400'000;

/// `kFullCalls`, or less in a build that a sanitizer slows down, or FUSEBOX_STRESS_CALLS.
[[nodiscard]] inline std::uint64_t stressCalls() {
    static const std::uint64_t calls = [] {
        const char* wanted = std::getenv("FUSEBOX_STRESS_CALLS");
        const std::uint64_t given = wanted ? std::strtoull(wanted, nullptr, 10) : 0;
        return given > 0 ? given : kSanitized ? kFullCalls / 4 : kFullCalls;
    }();
    return calls;
}

/// A number of calls or rounds that is `full` in a full run.
[[nodiscard]] inline std::uint64_t scaled(std::uint64_t full) {
    const double share = static_cast<double>(stressCalls()) / static_cast<double>(kFullCalls);
    return std::max<std::uint64_t>(20,
                                   static_cast<std::uint64_t>(static_cast<double>(full) * share));
}

/// SplitMix64 (Steele, Lea, Flood 2014): the generators of the standard library would take most of
/// an unoptimised run.
class Random {
public:
    explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U) {}

    std::uint64_t operator()() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t n) noexcept { return (*this)() % n; }
    bool oneIn(std::uint64_t n) noexcept { return below(n) == 0; }

private:
    std::uint64_t state_;
};

/// Lets `count` threads go at the same instant, again and again.
class StartLine {
public:
    explicit StartLine(int count) : count_(count) {}

    void wait() noexcept {
        const unsigned round = round_.load(std::memory_order_acquire);
        if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == count_) {
            arrived_.store(0, std::memory_order_relaxed);
            round_.store(round + 1, std::memory_order_release);
            return;
        }
        // Spins, because threads that sleep do not wake together; yields, because there may be more
        // of them than cores.
        for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
            if (spins % 64 == 63) std::this_thread::yield();
        }
    }

private:
    const int count_;
    std::atomic<int> arrived_{0};
    std::atomic<unsigned> round_{0};
};

/// Runs `work(0)` to `work(count - 1)` on a thread each, let go together; returns when all are
/// done.
template <class Work>
void onThreads(int count, Work work) {
    StartLine start{count};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            start.wait();
            work(i);
        });
    }
    for (auto& thread : threads) thread.join();
}

/// Rounds of one collision each: the main thread calls `prepare()`, then `act(0)` to
/// `act(threads - 1)` run at the same instant, then the main thread asks `check()`.
/// @return the rounds in which it answered false.
template <class Prepare, class Act, class Check>
[[nodiscard]] std::uint64_t failedRounds(std::uint64_t rounds, int threads, Prepare prepare,
                                         Act act, Check check) {
    StartLine line{threads + 1};
    std::uint64_t failed = 0;
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
        workers.emplace_back([&, i] {
            for (std::uint64_t round = 0; round < rounds; ++round) {
                line.wait();
                act(i);
                line.wait();
            }
        });
    }
    for (std::uint64_t round = 0; round < rounds; ++round) {
        prepare();
        line.wait();
        line.wait();
        if (!check()) ++failed;
    }
    for (auto& worker : workers) worker.join();
    return failed;
}

/// A thread that repeats a step until it is destroyed.
class Background {
public:
    explicit Background(std::function<void()> step)
        : step_(std::move(step)), thread_([this] {
              while (!stop_.load(std::memory_order_acquire)) step_();
          }) {}
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;
    ~Background() {
        stop_.store(true, std::memory_order_release);
        thread_.join();
    }

private:
    std::atomic<bool> stop_{false};
    std::function<void()> step_;
    std::thread thread_;
};

/// A count that many threads raise and the main thread reads at the end.
class Count {
public:
    void add(std::uint64_t amount = 1) noexcept {
        count_.fetch_add(amount, std::memory_order_relaxed);
    }
    void addIf(bool condition) noexcept {
        if (condition) add();
    }
    [[nodiscard]] std::uint64_t get() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> count_{0};
};

/// The largest number that threads have seen.
class HighWater {
public:
    void see(std::int64_t level) noexcept {
        std::int64_t seen = mark_.load(std::memory_order_relaxed);
        while (level > seen && !mark_.compare_exchange_weak(seen, level, std::memory_order_relaxed,
                                                            std::memory_order_relaxed)) {
        }
    }
    [[nodiscard]] std::int64_t get() const noexcept {
        return mark_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::int64_t> mark_{0};
};

}  // namespace fusebox::test
