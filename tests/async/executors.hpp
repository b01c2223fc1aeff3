// SPDX-License-Identifier: MIT
// Executors that do what a test says.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "fusebox/testing/manual_clock.hpp"

namespace fusebox::test {

/// Runs each task at once, on the calling thread.
struct InlineExecutor {
    template <class F>
    void execute(F f) {
        f();
    }
};

/// A thread for each task, joined in the end. Has `post` alone, and wants std::function.
class ThreadExecutor {
public:
    ThreadExecutor() = default;
    ThreadExecutor(const ThreadExecutor&) = delete;
    ThreadExecutor& operator=(const ThreadExecutor&) = delete;
    ~ThreadExecutor() { join(); }

    void post(std::function<void()> f) {
        const std::lock_guard lock{mutex_};
        threads_.emplace_back(std::move(f));
    }
    void join() {
        const std::lock_guard lock{mutex_};
        for (auto& thread : threads_) thread.join();
        threads_.clear();
    }

private:
    std::mutex mutex_;
    std::vector<std::thread> threads_;
};

/// Keeps tasks until the test says otherwise. Meanwhile it lets time pass.
class LaterExecutor {
public:
    LaterExecutor() = default;
    LaterExecutor(ManualClock clock, std::chrono::nanoseconds passing)
        : clock_(std::move(clock)), passing_(passing) {}

    void execute(std::function<void()> f) {
        tasks_.push_back(std::move(f));
        clock_.advance(passing_);
    }
    /// Runs what it has, and keeps it.
    void run() {
        for (auto& task : tasks_) task();
    }
    void drop() { tasks_.clear(); }
    [[nodiscard]] std::size_t size() const { return tasks_.size(); }

private:
    ManualClock clock_{};
    std::chrono::nanoseconds passing_{0};
    std::vector<std::function<void()>> tasks_;
};

/// Has no room.
struct FullExecutor {
    template <class F>
    bool tryExecute(const F&) {
        return false;
    }
};

/// Says that it took the task, and forgets it.
struct ForgetfulExecutor {
    template <class F>
    bool tryExecute(const F&) {
        return true;
    }
};

/// Cannot run anything; says so in its own way.
struct BrokenExecutor {
    template <class F>
    void execute(const F&) {
        throw std::length_error{"no executor today"};
    }
};

}  // namespace fusebox::test
