// SPDX-License-Identifier: MIT
// What the windows should count, by keeping every call.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

#include "fusebox/vocabulary/call_counts.hpp"

namespace fusebox::test {

struct NaiveCall {
    std::chrono::nanoseconds time{0};
    bool failed = false;
    bool slow = false;
};

/// Calls in order, and how many of them there are of each kind.
class NaiveCalls {
public:
    void add(const NaiveCall& call) {
        calls_.push_back(call);
        counts_.calls += 1;
        counts_.failures += call.failed;
        counts_.slow += call.slow;
    }

    void dropOldest() {
        counts_.calls -= 1;
        counts_.failures -= calls_.front().failed;
        counts_.slow -= calls_.front().slow;
        calls_.pop_front();
    }

    [[nodiscard]] bool empty() const { return calls_.empty(); }
    [[nodiscard]] std::size_t size() const { return calls_.size(); }
    [[nodiscard]] const NaiveCall& oldest() const { return calls_.front(); }
    [[nodiscard]] const std::deque<NaiveCall>& all() const { return calls_; }
    [[nodiscard]] CallCounts counts() const { return counts_; }

private:
    std::deque<NaiveCall> calls_;
    CallCounts counts_;
};

class NaiveLastCalls {
public:
    explicit NaiveLastCalls(std::uint64_t span) : span_(span) {}

    void add(const NaiveCall& call) {
        calls_.add(call);
        if (calls_.size() > span_) calls_.dropOldest();
    }

    void addSuccesses(std::uint64_t count) {
        // More than fill the window change nothing further.
        for (std::uint64_t i = 0; i < std::min(count, span_); ++i) add({});
    }

    [[nodiscard]] CallCounts counts() const { return calls_.counts(); }
    /// Oldest first.
    [[nodiscard]] const std::deque<NaiveCall>& all() const { return calls_.all(); }

private:
    std::uint64_t span_;
    NaiveCalls calls_;
};

/// Edge k lies at origin + ceil(k * T / 10); the window reaches back to the edge ten before that of
/// the slice that `now` is in. In 128 bits, so that the product fits.
class NaiveLastTime {
public:
    NaiveLastTime(std::chrono::nanoseconds span, std::chrono::nanoseconds origin)
        : span_(span.count()), origin_(origin.count()) {}

    void add(const NaiveCall& call) { calls_.add(call); }

    /// @pre `now` does not go back.
    CallCounts counts(std::chrono::nanoseconds now) {
        const Wide from = edge(sliceAt(now) - 10);
        while (!calls_.empty() && calls_.oldest().time.count() < from) calls_.dropOldest();
        return calls_.counts();
    }

    /// The beginning of the slice that is `slices` after that of `now`, at most the end of time.
    [[nodiscard]] std::chrono::nanoseconds edgeAfter(std::chrono::nanoseconds now,
                                                     int slices) const {
        const Wide at = edge(sliceAt(now) + slices);
        const Wide most = std::chrono::nanoseconds::max().count();
        return std::chrono::nanoseconds{static_cast<std::int64_t>(at < most ? at : most)};
    }

private:
    __extension__ using Wide = __int128;

    [[nodiscard]] Wide sliceAt(std::chrono::nanoseconds now) const {
        return (now.count() - origin_) * 10 / span_;
    }
    [[nodiscard]] Wide edge(Wide slice) const {
        // Rounded up, below zero too, where division rounds up by itself.
        const Wide tenths = slice * span_;
        return origin_ + (tenths > 0 ? (tenths + 9) / 10 : tenths / 10);
    }

    Wide span_;
    Wide origin_;
    NaiveCalls calls_;
};

}  // namespace fusebox::test
