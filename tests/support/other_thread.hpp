// SPDX-License-Identifier: MIT
// Another thread that comes by at a chosen step of this one: what may happen between two threads,
// made certain.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::test {

/// What another thread does before one of the atomic steps of this one.
class OtherThread {
public:
    /// Lets it act before the step that comes after so many others.
    static void actBeforeStep(int step, std::function<void()> action) {
        stepsLeft = step;
        pending = std::move(action);
    }
    /// Whether it came to that; if not, it does not any more.
    [[nodiscard]] static bool acted() { return !std::exchange(pending, nullptr); }
    static void step() {
        if (pending && stepsLeft-- == 0) std::exchange(pending, nullptr)();
    }

private:
    static inline int stepsLeft = 0;
    static inline std::function<void()> pending{};
};

template <class T>
class SteppedAtomic {
public:
    SteppedAtomic(T value = {}) : value_(value) {}  // NOLINT(google-explicit-constructor)
    [[nodiscard]] T load(std::memory_order order) const {
        OtherThread::step();
        return value_.load(order);
    }
    void store(T value, std::memory_order order) {
        OtherThread::step();
        value_.store(value, order);
    }
    T fetch_add(T value, std::memory_order order) {  // NOLINT(readability-identifier-naming)
        OtherThread::step();
        return value_.fetch_add(value, order);
    }
    // NOLINTNEXTLINE(readability-identifier-naming)
    bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                                 std::memory_order failure) {
        OtherThread::step();
        return value_.compare_exchange_strong(expected, desired, success, failure);
    }
    // NOLINTNEXTLINE(readability-identifier-naming)
    bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) {
        return compare_exchange_strong(expected, desired, success, failure);
    }

private:
    std::atomic<T> value_;
};

struct SteppedPlatform {
    template <class T>
    using Atomic = SteppedAtomic<T>;
    using Mutex = std::mutex;
};

/// A mutex before which something happens, once, as if another thread had come first.
class HookedMutex {
public:
    static inline std::function<void()> before{};
    static inline bool isTaken = false;
    static inline int waits = 0;

    static void reset() {
        before = nullptr;
        isTaken = false;
        waits = 0;
    }

    void lock() {
        happen();
        ++waits;
    }
    [[nodiscard]] bool try_lock() {  // NOLINT(readability-identifier-naming): the standard's
        happen();
        return !isTaken;
    }
    void unlock() {}

private:
    static void happen() {
        if (const auto hook = std::exchange(before, nullptr)) hook();
    }
};

struct HookedPlatform : StdPlatform {
    using Mutex = HookedMutex;
};

}  // namespace fusebox::test
