// SPDX-License-Identifier: MIT
// Guarded awaits that go on, or are destroyed, on other threads; meant for ThreadSanitizer.

#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "breaker/conservation.hpp"
#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"
#include "support/task.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using namespace fusebox::test;

namespace {

/// Threads that resume what is given to them, or destroy it.
class Workers {
public:
    explicit Workers(int count) {
        for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
    }
    ~Workers() {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
        }
        changed_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    struct Job {
        std::coroutine_handle<> coroutine;
        bool destroy;
    };
    void give(Job job) {
        {
            const std::lock_guard lock{mutex_};
            jobs_.push_back(job);
        }
        changed_.notify_one();
    }

private:
    void work() {
        for (;;) {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
            if (jobs_.empty()) return;
            const Job job = jobs_.front();
            jobs_.pop_front();
            lock.unlock();
            job.destroy ? job.coroutine.destroy() : job.coroutine.resume();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Job> jobs_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

/// Goes on on one of the threads, often before await_suspend has returned; or is destroyed there.
struct Hop {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) const { workers.give({waiting, destroy}); }
    int await_resume() const noexcept { return 1; }

    Workers& workers;
    bool destroy = false;
};

struct Travels {
    std::atomic<int> finished{0};
    std::atomic<int> rejected{0};
};

/// Hops `hops` times through the breaker; then its frame is destroyed by another thread while it
/// waits in a guard.
Detached travel(SteadyCircuitBreaker<ConsecutiveFailures>& breaker, Workers& workers, int hops,
                Travels& travels) {
    struct AtEnd {
        ~AtEnd() { travels.finished.fetch_add(1); }
        Travels& travels;
    } const atEnd{travels};
    // A rejected call hops unguarded: elsewhere it may find a slot.
    const auto elsewhere = fallback([&travels] { return travels.rejected.fetch_add(1) * 0; });
    for (int i = 0; i < hops; ++i) {
        if (co_await breaker.guard(Hop{workers}, elsewhere) == 0) co_await Hop{workers};
    }
    for (;;) {
        (void)co_await breaker.guard(Hop{workers, true}, elsewhere);
        co_await Hop{workers};
    }
}

}  // namespace

TEST_CASE("Coroutines that hop between threads are each counted once") {
    SteadyCircuitBreaker<ConsecutiveFailures> breaker{"hops"};
    const int travellers = 32;
    const int hops = 200;
    Travels travels;
    {
        Workers workers{4};
        for (int i = 0; i < travellers; ++i) travel(breaker, workers, hops, travels);
        while (travels.finished.load() < travellers) std::this_thread::yield();
    }
    const auto stats = breaker.stats();
    CHECK(framesAlive == 0);
    CHECK(stats.totalSuccesses == static_cast<std::uint64_t>(travellers) * hops);
    CHECK(stats.totalCancelled == static_cast<std::uint64_t>(travellers));
    checkConservation(stats);
}

TEST_CASE("Half-open, probes that hop and are destroyed elsewhere leave no slot taken") {
    SteadyCircuitBreaker<ConsecutiveFailures> breaker{
        "probes", ConsecutiveFailures{1}, {.recoveryTimeout = 1ns, .successThreshold = 60'000}};
    const int travellers = 16;
    Travels travels;
    (void)breaker.tryAcquire().failure();
    {
        Workers workers{4};
        for (int i = 0; i < travellers; ++i) travel(breaker, workers, 100, travels);
        while (travels.finished.load() < travellers) std::this_thread::yield();
    }
    const auto stats = breaker.stats();
    CHECK(framesAlive == 0);
    CHECK(stats.state == CircuitState::HalfOpen);
    CHECK(stats.probesInFlight == 0);
    CHECK(stats.totalCancelled == static_cast<std::uint64_t>(travellers));
    CHECK(stats.totalFailures == 1);
    checkConservation(stats);
}
