// SPDX-License-Identifier: MIT
// A value that is replaced at every step of its reading, and read at every step of its replacing.
#include "fusebox/vocabulary/detail/latched.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <numeric>
#include <utility>

#include "support/catch.hpp"

using fusebox::detail::Latched;

namespace {

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

private:
    std::atomic<T> value_;
};

struct SteppedPlatform {
    template <class T>
    using Atomic = SteppedAtomic<T>;
    using Mutex = std::mutex;
};

using Value = std::array<std::uint64_t, 6>;

Value valueOf(std::uint64_t n) {
    Value value;
    std::iota(value.begin(), value.end(), 100 * n);
    return value;
}

}  // namespace

TEST_CASE("A value that is replaced while it is read is read whole") {
    const int replacements = GENERATE(1, 2, 3, 4);
    for (int step = 0;; ++step) {
        Latched<Value, SteppedPlatform> latched{valueOf(0)};
        OtherThread::actBeforeStep(step, [&] {
            for (int n = 1; n <= replacements; ++n) latched.store(valueOf(std::uint64_t(n)));
        });
        const Value value = latched.load();
        if (!OtherThread::acted()) break;
        CHECK(value == valueOf(value[0] / 100));
        CHECK(latched.load() == valueOf(std::uint64_t(replacements)));
    }
}

TEST_CASE("Who reads a value while it is replaced gets the one before, and does not wait") {
    for (int step = 0;; ++step) {
        Latched<Value, SteppedPlatform> latched{valueOf(0)};
        latched.store(valueOf(1));
        Value value = valueOf(9);
        OtherThread::actBeforeStep(step, [&] { value = latched.load(); });
        latched.store(valueOf(2));
        if (!OtherThread::acted()) break;
        CHECK(value == valueOf(1));
        CHECK(latched.load() == valueOf(2));
    }
}
