// SPDX-License-Identifier: MIT
// What a call cannot do without, and nothing else: the physical floors.
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/subjects.hpp"
#include "support/work.hpp"

namespace bench::floors {

// The names by which cases refer to their floors.
inline const std::string kPlain = "plain";
inline const std::string kPermit = "permit";
inline const std::string kThrow = "throw";
inline const std::string kName = "name";
inline const std::string kNameAndCall = "name+call";
[[nodiscard]] inline std::string twoReadings(const std::string& clock) {
    return "latency " + clock;
}
[[nodiscard]] inline std::string oneReading(const std::string& clock) {
    return "now " + clock;
}
[[nodiscard]] inline std::string coarseReading(const std::string& clock) {
    return "coarse " + clock;
}
[[nodiscard]] inline std::string rejection(const std::string& clock) {
    return "rejected " + clock;
}

/// The floor of a success.
[[nodiscard]] inline std::string ofSuccess(Senses senses, Measuring measuring,
                                           const std::string& clock) {
    if (measuring == Measuring::Latency || measuring == Measuring::Overdue) {
        return twoReadings(clock);
    }
    return senses == Senses::TimeSlices ? coarseReading(clock) : kPlain;
}

/// The floor of a success by permit, which must know when it is destroyed by an exception.
[[nodiscard]] inline std::string ofPermit(Measuring measuring, const std::string& clock) {
    return kPermit + (measuring == Measuring::Latency ? ' ' + twoReadings(clock) : "");
}

/// The floor of a failure that is returned.
[[nodiscard]] inline std::string ofFailure(Senses senses, Measuring measuring,
                                           const std::string& clock) {
    if (measuring == Measuring::Latency) return twoReadings(clock);
    return senses == Senses::Nothing ? kPlain : oneReading(clock);
}

/// Everything of a breaker that all read and nobody writes while it stays in its state.
struct alignas(64) SharedLine {
    std::atomic<std::uint64_t> word{0};
    std::atomic<std::int64_t> deadline{0};
};
inline SharedLine closedLine{};
inline SharedLine openLine{1, INT64_MAX};

/// A counter that only its thread writes.
struct alignas(64) OwnLine {
    std::atomic<std::uint64_t> count{0};
};
inline constinit thread_local OwnLine ownLine{};

/// One acquire load and its test.
[[nodiscard]] inline bool admitted(const SharedLine& line) noexcept {
    return line.word.load(std::memory_order_acquire) == 0;
}
/// One increment of the own line.
inline void count() noexcept {
    ownLine.count.fetch_add(1, std::memory_order_relaxed);
}

/// The call between the two; `around(call)` may read clocks.
template <class Around>
inline void guarded(Around around) {
    if (!admitted(closedLine)) return;
    around([] { benchmark::DoNotOptimize(work()); });
    count();
}

inline void plain() {
    guarded([](auto call) { call(); });
}

/// How many exceptions are unwinding when a permit is acquired.
inline void countUnwinding() {
    benchmark::DoNotOptimize(std::uncaught_exceptions());
}

inline void permit() {
    countUnwinding();
    plain();
}

template <class Clock>
void latency(const Clock& clock) {
    guarded([&](auto call) {
        const auto start = clock.now();
        call();
        benchmark::DoNotOptimize(clock.now() - start);
    });
}

template <class Clock>
void permitWithLatency(const Clock& clock) {
    countUnwinding();
    latency(clock);
}

template <class Clock>
void now(const Clock& clock) {
    guarded([&](auto call) {
        call();
        benchmark::DoNotOptimize(clock.now());
    });
}

/// The clock's cheaper twin, where it has one.
template <class Clock>
[[nodiscard]] auto coarseNow(const Clock& clock) {
    return fusebox::detail::CompleteClockTraits<Clock>::coarseNow(clock);
}

template <class Clock>
void coarse(const Clock& clock) {
    guarded([&](auto call) {
        call();
        benchmark::DoNotOptimize(coarseNow(clock));
    });
}

/// An open breaker's refusal: load, coarse reading, comparison, count.
template <class Clock>
void rejected(const Clock& clock) {
    if (admitted(openLine)) return;
    const auto now = coarseNow(clock).time_since_epoch().count();
    if (now < openLine.deadline.load(std::memory_order_acquire)) count();
}

/// An exception's way from the call to its caller.
inline void thrown() {
    try {
        benchmark::DoNotOptimize(throwingWork());
    } catch (const std::runtime_error& error) {
        benchmark::DoNotOptimize(&error);
    }
}

inline void hash(std::string_view name) {
    benchmark::DoNotOptimize(std::hash<std::string_view>{}(name));
}

}  // namespace bench::floors
