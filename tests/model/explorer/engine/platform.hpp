// SPDX-License-Identifier: MIT
// Atomics, a mutex and plain data that an explorer watches, in the forms of the standard library.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>

#include "engine/execution.hpp"

namespace fusebox::model {

/// As std::atomic, as far as Fusebox uses it; every operation knows where it stands in the source.
template <class T>
class Atomic {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));

public:
    Atomic() : Atomic(T{}) {}
    Atomic(T value) : id_(execution().construct(this, bitsOf(value))) {}
    Atomic(const Atomic&) = delete;
    Atomic& operator=(const Atomic&) = delete;
    ~Atomic() { execution().destroy(ref()); }

    T load(std::memory_order order, Where where = Where::here()) const {
        return valueOf(execution().load(access(Part::Load, order, where)));
    }
    void store(T value, std::memory_order order, Where where = Where::here()) {
        execution().store(access(Part::Store, order, where), bitsOf(value));
    }
    T exchange(T value, std::memory_order order, Where where = Where::here()) {
        return change<[](T, T next) { return next; }>(value, order, where);
    }
    T fetch_add(T amount, std::memory_order order, Where where = Where::here()) {
        return change<[](T old, T by) { return static_cast<T>(old + by); }>(amount, order, where);
    }
    T fetch_and(T mask, std::memory_order order, Where where = Where::here()) {
        return change<[](T old, T with) { return static_cast<T>(old & with); }>(mask, order, where);
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                                 std::memory_order failure, Where where = Where::here()) {
        std::uint64_t bits = bitsOf(expected);
        const bool done = execution().compareExchange(
            access(Part::Success, success, where),
            orderSites().orderAt(where, Part::Failure, failure), bits, bitsOf(desired));
        expected = valueOf(bits);
        return done;
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                               std::memory_order failure, Where where = Where::here()) {
        return compare_exchange_strong(expected, desired, success, failure, where);
    }

    /// The newest value, in no order with anything.
    [[nodiscard]] T glance() const { return valueOf(execution().glance(ref())); }

private:
    [[nodiscard]] static std::uint64_t bitsOf(T value) noexcept {
        std::uint64_t bits = 0;
        std::memcpy(&bits, &value, sizeof value);
        return bits;
    }
    [[nodiscard]] static T valueOf(std::uint64_t bits) noexcept {
        T value{};
        std::memcpy(&value, &bits, sizeof value);
        return value;
    }
    [[nodiscard]] ObjectRef ref() const noexcept { return {id_, this}; }
    [[nodiscard]] Access access(Part part, std::memory_order order, Where where) const {
        return {ref(), orderSites().orderAt(where, part, order), where, &typeMark<T>};
    }
    template <auto operation>
    T change(T argument, std::memory_order order, Where where) {
        return valueOf(execution().update(
            access(Part::Update, order, where),
            [](std::uint64_t old, std::uint64_t by) {
                return bitsOf(operation(valueOf(old), valueOf(by)));
            },
            bitsOf(argument)));
    }

    std::uint32_t id_;
};

class Mutex {
public:
    Mutex() : id_(execution().construct(this, 0)) {}
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;
    ~Mutex() { execution().destroy(ref()); }

    void lock() { execution().lock(ref()); }
    [[nodiscard]] bool try_lock() { return execution().tryLock(ref()); }
    void unlock() { execution().unlock(ref()); }

private:
    [[nodiscard]] ObjectRef ref() const noexcept { return {id_, this}; }

    std::uint32_t id_;
};

/// Plain data: a violation where two threads access it in no order, and one of them writes.
template <class T>
class Plain {
public:
    explicit Plain(T value = {}) : value_(std::move(value)) { (void)write(); }

    [[nodiscard]] const T& read() const {
        require(writes_, "read");
        reads_.note(execution().thread(), execution().access()[execution().thread()]);
        return value_;
    }
    [[nodiscard]] T& write() {
        require(reads_, "write");
        require(writes_, "write");
        writes_.note(execution().thread(), execution().access()[execution().thread()]);
        return value_;
    }

private:
    /// The accesses of all threads must have happened before.
    static void require(const VectorClock& accesses, const char* what) {
        const VectorClock& known = execution().access();
        for (std::size_t t = 0; t < kThreads; ++t) {
            if (known.knows(t, accesses[t])) continue;
            execution().fail(std::string{"data race: a "} + what + " beside an access of thread " +
                             std::to_string(t));
        }
    }

    T value_;
    mutable VectorClock reads_{};
    VectorClock writes_{};
};

/// What the library takes instead of StdPlatform.
struct Platform {
    /// Two counts of four look around, so that few calls do both.
    static constexpr std::uint64_t kLooks = 2;
    template <class T>
    using Atomic = model::Atomic<T>;
    using Mutex = model::Mutex;
};

}  // namespace fusebox::model
