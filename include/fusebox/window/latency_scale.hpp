// SPDX-License-Identifier: MIT
// The buckets into which latencies are sorted.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fusebox::detail {

/// Four buckets an octave, each 2^(1/4) times as wide as the one before, from 32 ns to over an
/// hour; below, one a nanosecond. Longer latencies share the last bucket. The middle of a bucket is
/// within 8.7 % of its values, (2^(1/4) - 1) / (2^(1/4) + 1), which is the best for buckets of
/// equal ratio (DDSketch; Masson, Rim, Lee, VLDB 2019); in whole nanoseconds within 9.4 %.
class LatencyScale {
public:
    static constexpr std::size_t kBuckets = 180;

    /// The bucket of a value in nanoseconds.
    [[nodiscard]] static constexpr std::size_t bucketOf(std::uint64_t value) noexcept {
        if (value < kExact) return static_cast<std::size_t>(value);
        const int shift = std::countl_zero(value);
        const std::uint64_t mantissa = value << shift;
        std::size_t quarter = 0;
        for (const std::uint64_t edge : kEdges) quarter += mantissa >= edge;
        const auto octave = static_cast<std::size_t>(kTopOctave - shift);
        const std::size_t bucket = kExact + octave * 4 + quarter;
        return bucket < kBuckets ? bucket : kBuckets - 1;
    }

    /// The smallest value in a bucket, in nanoseconds.
    [[nodiscard]] static constexpr std::uint64_t lowest(std::size_t bucket) noexcept {
        if (bucket < kExact) return bucket;
        const std::size_t octave = (bucket - kExact) / 4;
        const std::size_t quarter = (bucket - kExact) % 4;
        const int shift = kTopOctave - static_cast<int>(octave);
        if (quarter == 0) return std::uint64_t{1} << (63 - shift);
        // The smallest value whose mantissa reaches the edge, which is never a whole number here.
        return (kEdges[quarter - 1] >> shift) + 1;
    }

    /// The value that stands for a bucket, in nanoseconds: as far from both its ends, relatively.
    [[nodiscard]] static constexpr std::chrono::nanoseconds middle(std::size_t bucket) noexcept {
        const auto low = static_cast<double>(lowest(bucket));
        const auto high = static_cast<double>(lowest(bucket + 1) - 1);
        if (high <= low) return std::chrono::nanoseconds{static_cast<std::int64_t>(low)};
        return std::chrono::nanoseconds{
            static_cast<std::int64_t>(2 * low * high / (low + high) + 0.5)};
    }

private:
    /// Values below have a bucket each.
    static constexpr std::size_t kExact = 32;
    /// Leading zeros of the first octave, 32 to 63.
    static constexpr int kTopOctave = 58;
    // 2^63 times 2^(1/4), 2^(1/2) and 2^(3/4), rounded up.
    static constexpr std::array<std::uint64_t, 3> kEdges{0x9837f0518db8a970, 0xb504f333f9de6485,
                                                         0xd744fccad69d6af5};
};

}  // namespace fusebox::detail
