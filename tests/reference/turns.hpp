// SPDX-License-Identifier: MIT
// Threads that take turns on one core, changing before any operation on an atomic or mutex: as if
// the operating system interrupted them there.
#pragma once

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <utility>

#include "stress/yielding_breaker.hpp"

namespace fusebox::test {

/// Runs one function on several stacks.
class Turns {
public:
    using Work = std::function<void(std::size_t)>;

    Turns(std::size_t size, Work work) : work_(std::move(work)), size_(size) {
        for (std::size_t i = 0; i < size_; ++i) stacks_[i] = std::make_unique<Stack>();
    }
    Turns(const Turns&) = delete;
    Turns& operator=(const Turns&) = delete;

    void run() {
        present_ = this;
        running_ = size_;
        for (std::size_t i = 0; i < size_; ++i) {
            ended_[i] = false;
            getcontext(&contexts_[i]);
            contexts_[i].uc_stack.ss_sp = stacks_[i]->data();
            contexts_[i].uc_stack.ss_size = stacks_[i]->size();
            contexts_[i].uc_link = &home_;
            makecontext(&contexts_[i], &Turns::enter, 0);
        }
        while (running_ > 0) {
            turn_ = another();
            swapcontext(&home_, &contexts_[turn_]);
        }
        present_ = nullptr;
    }

    /// A point at which another may go on: one time in three.
    static void interrupt() noexcept {
        if (present_ != nullptr && present_->random_() % 3 == 0) present_->pass();
    }
    /// As above, always: for who waits.
    static void wait() noexcept {
        if (present_ != nullptr) present_->pass();
    }

private:
    using Stack = std::array<char, std::size_t{128} * 1024>;
    static constexpr std::size_t kMost = 4;

    static void enter() {
        Turns& turns = *present_;
        turns.work_(turns.turn_);
        turns.ended_[turns.turn_] = true;
        --turns.running_;
    }

    void pass() noexcept {
        const std::size_t from = turn_;
        const std::size_t to = another();
        if (to == from) return;
        turn_ = to;
        swapcontext(&contexts_[from], &contexts_[to]);
    }

    [[nodiscard]] std::size_t another() noexcept {
        std::size_t next = random_() % size_;
        while (ended_[next]) next = (next + 1) % size_;
        return next;
    }

    static inline Turns* present_ = nullptr;
    Work work_;
    std::size_t size_;
    std::size_t running_ = 0;
    std::size_t turn_ = 0;
    std::array<bool, kMost> ended_{};
    std::array<ucontext_t, kMost> contexts_{};
    std::array<std::unique_ptr<Stack>, kMost> stacks_{};
    ucontext_t home_{};
    std::minstd_rand random_{1};
};

/// As a Crew.
class TurnsCrew {
public:
    TurnsCrew(std::size_t size, Turns::Work work) : turns_(size, std::move(work)) {}
    void round() { turns_.run(); }
    static void pause() noexcept { Turns::wait(); }

private:
    Turns turns_;
};

class TurnsMutex {
public:
    void lock() noexcept {
        Turns::interrupt();
        while (locked_) Turns::wait();
        locked_ = true;
    }
    [[nodiscard]] bool try_lock() noexcept {
        Turns::interrupt();
        return !std::exchange(locked_, true);
    }
    void unlock() noexcept {
        locked_ = false;
        Turns::interrupt();
    }

private:
    bool locked_ = false;
};

struct TurnsPlatform {
    static constexpr std::uint64_t kLooks = 2;
    template <class T>
    using Atomic = YieldingAtomic<T, Turns>;
    using Mutex = TurnsMutex;
};

}  // namespace fusebox::test
