// SPDX-License-Identifier: MIT
// ThreadPool: a few threads and a queue that has an end.
#pragma once

#include <concepts>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "fusebox/async/job.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// An executor for calls that cannot be interrupted: its size is the number of calls that may hang,
/// and its queue the number that may wait for them. It is not meant for short work in great number:
/// all threads share one lock.
///
/// What a task throws ends the process, as in a std::thread; calls through a breaker throw nothing.
/// **Threads.** Everything may be called concurrently, but for the destructor. **Cost.** A task is
/// kept without an allocation if it is no larger than three pointers and moves without throwing;
/// the queue allocates now and then. **Fork.** The child has no such threads: there it must neither
/// be used nor destroyed.
class ThreadPool {
public:
    /// Starts all threads.
    /// @param threads 1 to 1024. @param queueLimit how many tasks may wait beside those that run:
    /// 0 to 1,000,000.
    /// @throws ConfigError naming the field, its value and what is allowed; std::system_error if a
    /// thread cannot be started.
    ThreadPool(int threads, int queueLimit) : ThreadPool(Limits{threads, queueLimit}) {
        for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    /// Takes no more tasks, drops those that wait, and waits for those that run. A call through a
    /// breaker that is dropped ends as cancelled, and its caller gets CallDroppedError.
    /// @pre no task of this pool calls it.
    ~ThreadPool() {
        drop();
        for (auto& thread : threads_) thread.join();
    }

    /// Runs `f` on one of the threads, unless all are busy and the queue is full: then `f` is not
    /// called, and destroyed; says which. Does not wait.
    template <class F>
        requires std::invocable<std::decay_t<F>>
    [[nodiscard]] bool tryExecute(F&& f) {
        // Made before the lock: it may allocate. Destroyed after it: it may do anything.
        detail::Job job{std::forward<F>(f)};
        const std::lock_guard lock{mutex_};
        if (stopping_ || unfinished_ >= capacity_) return false;
        accept(std::move(job));
        return true;
    }

    /// As above, but waits for room.
    /// @pre not called by a task of this pool, which may wait for itself.
    template <class F>
        requires std::invocable<std::decay_t<F>>
    void execute(F&& f) {
        detail::Job job{std::forward<F>(f)};
        std::unique_lock lock{mutex_};
        room_.wait(lock, [this] { return unfinished_ < capacity_; });
        accept(std::move(job));
    }

    /// How many threads there are.
    [[nodiscard]] int threads() const noexcept { return limits_.threads; }
    /// How many tasks may wait.
    [[nodiscard]] int queueLimit() const noexcept { return limits_.queueLimit; }
    /// How many tasks run or wait.
    [[nodiscard]] std::size_t unfinished() const noexcept {
        const std::lock_guard lock{mutex_};
        return unfinished_;
    }

private:
    struct Limits {
        int threads;
        int queueLimit;
    };

    // Apart, so that a pool of which not every thread could be started ends those that were.
    explicit ThreadPool(Limits limits) : limits_(checked(limits)) {
        threads_.reserve(static_cast<std::size_t>(limits.threads));
    }

    [[nodiscard]] static Limits checked(Limits limits) {
        const auto complaint =
            detail::firstOf(detail::requireCount("threads", limits.threads, 1, 1024),
                            detail::requireCount("queueLimit", limits.queueLimit, 0, 1'000'000));
        if (complaint) detail::raise(ConfigError{"thread pool: " + *complaint});
        return limits;
    }

    /// Under the lock. If there is no memory `job` stays with the caller.
    void accept(detail::Job&& job) {
        queue_.push_back(std::move(job));
        ++unfinished_;
        changed_.notify_one();
    }

    void work() noexcept {
        while (std::optional<detail::Job> job = next()) {
            (*job)();
            // Destroyed before it counts as finished.
            job.reset();
            finished();
        }
    }

    [[nodiscard]] std::optional<detail::Job> next() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
        if (stopping_) return std::nullopt;
        std::optional<detail::Job> job{std::move(queue_.front())};
        queue_.pop_front();
        return job;
    }

    void finished() noexcept {
        const std::lock_guard lock{mutex_};
        --unfinished_;
        room_.notify_one();
    }

    void drop() noexcept {
        std::deque<detail::Job> dropped;
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
            dropped.swap(queue_);
            changed_.notify_all();
        }
        // What is left of them, the callers who wait, is told as `dropped` goes.
    }

    const Limits limits_;
    const std::size_t capacity_ =
        static_cast<std::size_t>(limits_.threads) + static_cast<std::size_t>(limits_.queueLimit);
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::condition_variable room_;
    std::deque<detail::Job> queue_;
    std::size_t unfinished_ = 0;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace fusebox
