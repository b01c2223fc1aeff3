// SPDX-License-Identifier: MIT
#include "fusebox/window/latency_histogram.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/other_thread.hpp"

using namespace std::chrono_literals;
using fusebox::detail::LatencyCounts;
using fusebox::detail::LatencyScale;
using std::chrono::nanoseconds;

namespace {

using Histogram = fusebox::detail::LatencyHistogram<>;
using Room = Histogram::Room;

/// At so many calls a bucket of 16 bits is half full.
constexpr std::uint64_t kHalfFull = 0x8000;
constexpr std::uint64_t kHour = std::chrono::nanoseconds{1h}.count();

/// Some rooms, asked for as the histogram wants it.
template <class Rooms>
auto each(const Rooms& rooms) {
    return [&rooms](auto&& action) {
        for (const auto& room : rooms) action(room);
    };
}

}  // namespace

TEST_CASE("Latency buckets are in order, without gaps, and a value is in the one it should be in") {
    std::size_t wrong = 0;
    for (std::size_t bucket = 0; bucket + 1 < LatencyScale::kBuckets; ++bucket) {
        const std::uint64_t low = LatencyScale::lowest(bucket);
        const std::uint64_t next = LatencyScale::lowest(bucket + 1);
        wrong += low >= next;
        wrong += LatencyScale::bucketOf(low) != bucket;
        wrong += LatencyScale::bucketOf(next - 1) != bucket;
        wrong += LatencyScale::bucketOf((low + next) / 2) !=
                 (low + 1 == next ? bucket + (low + next) / 2 - low : bucket);
    }
    CHECK(wrong == 0);
    CHECK(LatencyScale::bucketOf(0) == 0);
    CHECK(LatencyScale::lowest(LatencyScale::kBuckets - 1) > kHour);
    // What is longer shares the last one.
    const std::uint64_t beyond = LatencyScale::lowest(LatencyScale::kBuckets);
    for (std::uint64_t value = beyond; value != 0; value *= 2) {
        CHECK(LatencyScale::bucketOf(value) == LatencyScale::kBuckets - 1);
        CHECK(LatencyScale::bucketOf(value * 2 - 1) == LatencyScale::kBuckets - 1);
    }
}

TEST_CASE("The middle of a bucket is as far from both its ends, but for a rounding") {
    std::size_t wrong = 0;
    for (std::size_t bucket = 0; bucket < LatencyScale::kBuckets; ++bucket) {
        const auto low = static_cast<long double>(LatencyScale::lowest(bucket));
        const auto high = static_cast<long double>(LatencyScale::lowest(bucket + 1) - 1);
        const auto middle = static_cast<long double>(LatencyScale::middle(bucket).count());
        const long double harmonic = low == 0 ? 0 : 2 * low * high / (low + high);
        wrong += std::abs(middle - harmonic) > 0.5001L;
    }
    CHECK(wrong == 0);
}

TEST_CASE("The middle of a latency's bucket is within 9.4 % of it, up to an hour") {
    std::mt19937_64 random{20261121};
    double worst = 0;
    const auto check = [&](std::uint64_t value) {
        const auto middle = LatencyScale::middle(LatencyScale::bucketOf(value)).count();
        const double error = std::abs(static_cast<double>(middle) - static_cast<double>(value));
        worst = std::max(worst, error / static_cast<double>(value));
    };
    for (std::uint64_t value = 1; value < 100'000; ++value) check(value);
    for (int i = 0; i < 100'000; ++i) check(1 + (random() >> (random() % 64)) % kHour);
    check(kHour);
    CHECK(worst <= 0.094);
    CHECK(worst >= 0.080);
}

TEST_CASE("The quarters of an octave are those of the definition") {
    std::mt19937_64 random{7};
    std::size_t wrong = 0;
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t value = 32 + (random() >> (random() % 64)) % kHour;
        const double quarters = 4 * std::log2(static_cast<double>(value));
        // Too near to an edge for a double to tell.
        if (std::abs(quarters - std::round(quarters)) < 1e-9) continue;
        wrong += LatencyScale::bucketOf(value) != 32 + static_cast<std::size_t>(quarters) - 20;
    }
    CHECK(wrong == 0);
}

TEST_CASE("Percentiles of latencies are those of the sorted calls, within the scale's error") {
    Histogram histogram;
    std::array<Room, 3> rooms;
    std::mt19937_64 random{42};
    std::vector<std::int64_t> values;
    for (int i = 0; i < 20'000; ++i) {
        const auto value = static_cast<std::int64_t>((random() >> (23 + random() % 37)) + 1);
        values.push_back(value);
        histogram.record(rooms[static_cast<std::size_t>(i) % 3], std::chrono::nanoseconds{value});
    }
    std::sort(values.begin(), values.end());
    const LatencyCounts counts = histogram.counts(each(rooms));
    CHECK(counts.calls == values.size());
    const auto within = [&](std::chrono::nanoseconds seen, double quantile) {
        const auto rank =
            static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(values.size())));
        const auto exact = static_cast<double>(values[rank - 1]);
        return std::abs(static_cast<double>(seen.count()) - exact) <= 0.094 * exact;
    };
    const auto summary = counts.summary();
    CHECK(within(summary.p50, 0.50));
    CHECK(within(summary.p90, 0.90));
    CHECK(within(summary.p99, 0.99));
    CHECK(summary.max.count() == values.back());
}

TEST_CASE("Without calls all latencies are zero, and a negative one counts as zero") {
    Histogram histogram;
    std::array<Room, 1> rooms;
    CHECK(histogram.counts(each(rooms)).summary() == fusebox::LatencySummary{});
    CHECK(histogram.record(rooms[0], -5ns));
    CHECK(histogram.counts(each(rooms)).calls == 1);
    CHECK(histogram.counts(each(rooms)).summary() == fusebox::LatencySummary{});
}

TEST_CASE("A bucket holds more calls than its 16 bits, in each room") {
    Histogram histogram;
    std::array<Room, 2> rooms;
    constexpr std::uint64_t kCalls = 200'000;
    for (std::uint64_t i = 0; i < kCalls; ++i) {
        histogram.record(rooms[i % 2], i % 4 == 3 ? 1ms : 10us);
    }
    const LatencyCounts counts = histogram.counts(each(rooms));
    CHECK(counts.calls == kCalls);
    CHECK(counts.buckets[LatencyScale::bucketOf(10'000)] == kCalls / 4 * 3);
    CHECK(counts.buckets[LatencyScale::bucketOf(1'000'000)] == kCalls / 4);

    histogram.clear(each(rooms));
    CHECK(histogram.counts(each(rooms)).calls == 0);
    CHECK(histogram.counts(each(rooms)).longest == 0);
    histogram.record(rooms[0], 1us);
    CHECK(histogram.counts(each(rooms)).calls == 1);
}

TEST_CASE("Latencies beyond the scale are in its last bucket, and the longest is known exactly") {
    Histogram histogram;
    std::array<Room, 1> rooms;
    histogram.record(rooms[0], 10h);
    const auto summary = histogram.counts(each(rooms)).summary();
    CHECK(summary.p50 == LatencyScale::middle(LatencyScale::kBuckets - 1));
    CHECK(summary.max == 10h);
}

TEST_CASE("Counts of latencies add up, bucket by bucket") {
    LatencyCounts one;
    LatencyCounts other;
    for (std::size_t b = 0; b < LatencyScale::kBuckets; ++b) {
        one.buckets[b] = b + 1;
        other.buckets[b] = 1000 * (b + 1);
    }
    one.calls = 5;
    one.longest = 70;
    other.calls = 60;
    other.longest = 8;
    LatencyCounts sum = one;
    sum += other;
    std::size_t wrong = 0;
    for (std::size_t b = 0; b < LatencyScale::kBuckets; ++b)
        wrong += sum.buckets[b] != 1001 * (b + 1);
    CHECK(wrong == 0);
    CHECK(sum.calls == 65);
    CHECK(sum.longest == 70);
    other += one;
    CHECK(other.longest == 70);
}

TEST_CASE("The longest latency is that of whichever thread comes first or last") {
    using Stepped = fusebox::detail::LatencyHistogram<fusebox::test::SteppedPlatform>;
    using fusebox::test::OtherThread;
    const auto others = GENERATE(3us, 9us);
    for (int step = 0;; ++step) {
        CAPTURE(step);
        Stepped histogram;
        std::array<Stepped::Room, 1> rooms;
        OtherThread::actBeforeStep(step, [&] { histogram.record(rooms[0], others); });
        histogram.record(rooms[0], 5us);
        if (!OtherThread::acted()) break;
        const LatencyCounts counts = histogram.counts(each(rooms));
        CHECK(counts.calls == 2);
        CHECK(counts.longest ==
              static_cast<std::uint64_t>(std::max(5'000ns, nanoseconds{others}).count()));
    }
}

TEST_CASE("A half full bucket is carried over by who finds it so, and once by who comes together") {
    using Hooked = fusebox::detail::LatencyHistogram<fusebox::test::HookedPlatform>;
    using fusebox::test::HookedMutex;
    HookedMutex::reset();
    Hooked histogram;
    std::array<Hooked::Room, 1> rooms;
    std::uint64_t calls = 0;
    const auto record = [&](std::uint64_t until) {
        while (calls < until) {
            ++calls;
            histogram.record(rooms[0], 5us);
        }
    };
    const auto known = [&] { return histogram.counts(each(rooms)).calls; };

    record(kHalfFull);
    // It is the next that carries; another comes first.
    HookedMutex::before = [&] { record(kHalfFull + 2); };
    record(kHalfFull + 1);
    CHECK(known() == kHalfFull + 2);

    HookedMutex::reset();
    HookedMutex::isTaken = true;
    record(kHalfFull + 0xf000);
    CHECK(HookedMutex::waits == 0);
    record(kHalfFull + 0xf000 + 1);
    CHECK(HookedMutex::waits == 1);
    CHECK(known() == calls);

    // Who forgets all calls waits until those that are being carried over have arrived.
    HookedMutex::reset();
    HookedMutex::before = [&] { record(calls + kHalfFull); };
    histogram.clear(each(rooms));
    CHECK(known() == 0);
}

namespace {

/// Atomics with steps, and a mutex that lets one thread play two.
struct SteppedAndHooked : fusebox::test::SteppedPlatform {
    using Mutex = fusebox::test::HookedMutex;
};

}  // namespace

TEST_CASE("A call that comes while its bucket is carried over is counted once") {
    using Stepped = fusebox::detail::LatencyHistogram<SteppedAndHooked>;
    using fusebox::test::OtherThread;
    fusebox::test::HookedMutex::reset();
    for (int step = 0;; ++step) {
        CAPTURE(step);
        Stepped histogram;
        std::array<Stepped::Room, 1> rooms;
        for (std::uint64_t i = 0; i < kHalfFull; ++i) histogram.record(rooms[0], 5us);
        OtherThread::actBeforeStep(step, [&] { histogram.record(rooms[0], 5us); });
        histogram.record(rooms[0], 5us);
        if (!OtherThread::acted()) break;
        CHECK(histogram.counts(each(rooms)).calls == kHalfFull + 2);
    }
}

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

TEST_CASE("Without memory for its buckets a call is not counted") {
    Histogram histogram;
    std::array<Room, 1> rooms;
    using fusebox::test::allocations;
    allocations().outOfMemory = true;
    const bool recorded = histogram.record(rooms[0], 5us);
    allocations().outOfMemory = false;
    CHECK_FALSE(recorded);
    CHECK(histogram.counts(each(rooms)).calls == 0);
    CHECK(histogram.record(rooms[0], 5us));
    CHECK(histogram.counts(each(rooms)).calls == 1);
}

TEST_CASE(
    "Without memory to carry counts over they stay where they are, as long as there is room") {
    Histogram histogram;
    std::array<Room, 1> rooms;
    using fusebox::test::allocations;
    constexpr std::uint64_t kAll = 2 * kHalfFull - 2;
    histogram.record(rooms[0], 5us);
    allocations().outOfMemory = true;
    for (std::uint64_t i = 1; i < kAll; ++i) histogram.record(rooms[0], 5us);
    allocations().outOfMemory = false;
    CHECK(histogram.counts(each(rooms)).calls == kAll);
    histogram.record(rooms[0], 5us);
    CHECK(histogram.counts(each(rooms)).calls == kAll + 1);
}

TEST_CASE("A histogram gives back all its memory") {
    std::size_t held = 1;
    fusebox::test::allocations().heldBytes = 0;
    (void)fusebox::test::allocationsIn([&] {
        {
            Histogram histogram;
            std::array<Room, 1> rooms;
            for (std::uint64_t i = 0; i < kHalfFull + 2; ++i) histogram.record(rooms[0], 5us);
        }
        held = fusebox::test::allocations().heldBytes;
    });
    CHECK(held == 0);
}

#endif

TEST_CASE("While counts are carried over, a reader misses no call and sees none twice") {
    Histogram histogram;
    std::array<Room, 2> rooms;
    constexpr std::uint64_t kEach = 300'000;
    const auto call = [&](Room& room) {
        for (std::uint64_t i = 0; i < kEach; ++i) histogram.record(room, 5us);
    };
    std::uint64_t backwards = 0;
    std::uint64_t tooMany = 0;
    {
        std::vector<std::jthread> callers;
        callers.emplace_back([&] { call(rooms[0]); });
        callers.emplace_back([&] { call(rooms[1]); });
        callers.emplace_back([&] { call(rooms[0]); });
        std::uint64_t last = 0;
        while (last < 3 * kEach) {
            const std::uint64_t now = histogram.counts(each(rooms)).calls;
            backwards += now < last;
            tooMany += now > 3 * kEach;
            last = now;
        }
    }
    CHECK(backwards == 0);
    CHECK(tooMany == 0);
    CHECK(histogram.counts(each(rooms)).calls == 3 * kEach);
}

TEST_CASE("Percentiles of counts that do not hold every call are the longest") {
    LatencyCounts counts;
    counts.buckets[7] = 1;
    counts.calls = 3;
    counts.longest = 9;
    const fusebox::LatencySummary summary = counts.summary();
    CHECK(summary.p50 == 9ns);
    CHECK(summary.p99 == 9ns);
    CHECK(summary.max == 9ns);
}
