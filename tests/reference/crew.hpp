// SPDX-License-Identifier: MIT
// A few threads that do one round after the other, each beginning at the same moment.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace fusebox::test {

/// Waits for a number to change: a moment at once, then politely.
template <class Condition>
void await(const Condition& condition) {
    for (int spins = 0; !condition(); ++spins) {
        if (spins > 200) std::this_thread::yield();
    }
}

class Crew {
public:
    using Work = std::function<void(std::size_t)>;

    /// @param work is called with the number of the thread, once a round; 0 is the caller.
    Crew(std::size_t size, Work work) : work_(std::move(work)) {
        for (std::size_t i = 1; i < size; ++i) {
            threads_.emplace_back([this, i] { serve(i); });
        }
    }
    Crew(const Crew&) = delete;
    Crew& operator=(const Crew&) = delete;
    ~Crew() {
        ended_.store(true, std::memory_order_relaxed);
        round_.fetch_add(1, std::memory_order_release);
        for (std::thread& thread : threads_) thread.join();
    }

    /// Between two looks at what another thread does.
    static void pause() noexcept {}

    void round() {
        done_.store(0, std::memory_order_relaxed);
        // release, with the acquire of `serve`: the round is prepared.
        round_.fetch_add(1, std::memory_order_release);
        work_(0);
        await([&] { return done_.load(std::memory_order_acquire) == threads_.size(); });
    }

private:
    void serve(std::size_t number) {
        for (std::uint64_t seen = 0;; ++seen) {
            await([&] { return round_.load(std::memory_order_acquire) != seen; });
            if (ended_.load(std::memory_order_relaxed)) return;
            work_(number);
            // release, with the acquire of `round`: what this thread wrote down can be read.
            done_.fetch_add(1, std::memory_order_release);
        }
    }

    Work work_;
    std::atomic<std::uint64_t> round_{0};
    std::atomic<std::size_t> done_{0};
    std::atomic<bool> ended_{false};
    std::vector<std::thread> threads_{};
};

}  // namespace fusebox::test
