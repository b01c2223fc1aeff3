// SPDX-License-Identifier: MIT
// What an executor gets to run.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

namespace fusebox::detail {

/// A piece of work that is either run, once, or dropped.
class ExecutorTask {
public:
    ExecutorTask() = default;
    ExecutorTask(const ExecutorTask&) = delete;
    ExecutorTask& operator=(const ExecutorTask&) = delete;

    virtual void run() noexcept = 0;
    /// Nobody is left who could run it.
    virtual void dropped() noexcept = 0;

protected:
    ~ExecutorTask() = default;

private:
    friend class TaskHandle;

    std::atomic<int> handles_{0};
    std::atomic<bool> started_{false};
};

/// What an executor sees of a task: small, copyable, called as `task()`. The first call of any copy
/// runs the task; if the last copy is destroyed before that, the task is dropped. So it does not
/// matter how an executor refuses or forgets its work.
class TaskHandle {
public:
    explicit TaskHandle(std::shared_ptr<ExecutorTask> task) noexcept : task_(std::move(task)) {
        hold();
    }
    TaskHandle(const TaskHandle& other) noexcept : task_(other.task_) { hold(); }
    TaskHandle(TaskHandle&& other) noexcept : task_(std::move(other.task_)) {}
    TaskHandle& operator=(TaskHandle other) noexcept {
        task_.swap(other.task_);
        return *this;
    }
    ~TaskHandle() {
        // release, and acquire by the last: it sees whether another one has started the task.
        if (task_ && task_->handles_.fetch_sub(1, std::memory_order_acq_rel) == 1 &&
            !task_->started_.load(std::memory_order_relaxed)) {
            task_->dropped();
        }
    }

    void operator()() const noexcept {
        // relaxed: that there is one first is decided by the flag alone.
        if (task_ && !task_->started_.exchange(true, std::memory_order_relaxed)) task_->run();
    }

private:
    void hold() noexcept {
        // relaxed: whoever copies a handle keeps the count above zero.
        if (task_) task_->handles_.fetch_add(1, std::memory_order_relaxed);
    }

    std::shared_ptr<ExecutorTask> task_;
};

}  // namespace fusebox::detail
