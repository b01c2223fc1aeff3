// SPDX-License-Identifier: MIT
// Exactly the last N calls, remembered by the positions of those that failed or were slow.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/window/ring.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox {

/// Counts the last N calls. Only failures and slow calls need recording: every other position is a
/// fast success. Allocates 4 N bytes at construction, nothing later.
class LastCallsWindow {
public:
    /// @param calls N, held to 1 .. `Window::kMaxCalls`.
    explicit LastCallsWindow(int calls)
        : span_(static_cast<std::uint32_t>(std::clamp(calls, 1, Window::kMaxCalls))),
          marks_(span_) {}

    /// Forgets everything: the next position is 1.
    void enter() noexcept {
        marks_.clear();
        failures_ = slow_ = 0;
        last_ = 0;
    }

    /// Takes over what a window of another length knows; false, and unchanged, if that is too
    /// little: calls that this window still holds have left the other.
    bool adopt(const LastCallsWindow& other) noexcept {
        if (span_ > other.span_ && other.last_ > other.span_) return false;
        enter();
        last_ = other.last_;
        for (std::size_t i = 0; i < other.marks_.size(); ++i) {
            if (hasLeft(other.marks_[i], last_)) continue;
            marks_.push(other.marks_[i]);
            failures_ += isFailed(other.marks_[i]);
            slow_ += isSlow(other.marks_[i]);
        }
        return true;
    }

    /// Records the call at `position`; constant time on average over the calls.
    /// @pre `position` is above that of every earlier record.
    void record(std::uint64_t position, bool failed, bool slow) noexcept {
        if (position - last_ >= span_) enter();
        last_ = position;
        // Summed up here and stored once: compilers add to both members at once where they can, and
        // would then wait for the stores of the one and the other before.
        std::uint32_t failures = failures_;
        std::uint32_t slowCalls = slow_;
        while (!marks_.empty() && hasLeft(marks_[0], position)) {
            failures -= isFailed(marks_[0]);
            slowCalls -= isSlow(marks_[0]);
            marks_.pop();
        }
        if (failed || slow) {
            marks_.push(markOf(position, failed, slow));
            failures += failed;
            slowCalls += slow;
        }
        failures_ = failures;
        slow_ = slowCalls;
    }

    /// The window as of the call at `position`; linear in the failures that left since the last
    /// record.
    /// @pre `position` is not below that of any record.
    [[nodiscard]] CallCounts counts(std::uint64_t position) const noexcept {
        CallCounts counts{std::min<std::uint64_t>(position, span_), 0, 0};
        if (position - last_ >= span_) return counts;
        counts.failures = failures_;
        counts.slow = slow_;
        // Nothing has left since: what a policy asks at each record.
        if (position == last_) return counts;
        for (std::size_t i = 0; i < marks_.size() && hasLeft(marks_[i], position); ++i) {
            counts.failures -= isFailed(marks_[i]);
            counts.slow -= isSlow(marks_[i]);
        }
        return counts;
    }

private:
    // A mark is a position modulo 2^30 and two flags. That suffices because `last_` is exact: marks
    // are younger than N at `last_`, and after a gap of N or more none is looked at, so that the
    // age of a mark is always below 2 N, far below 2^30.
    using Mark = std::uint32_t;
    static_assert(Window::kMaxCalls < (1 << 29));

    [[nodiscard]] static constexpr Mark markOf(std::uint64_t position, bool failed,
                                               bool slow) noexcept {
        return static_cast<Mark>(position << 2) | Mark{failed} << 1 | Mark{slow};
    }
    [[nodiscard]] static constexpr Mark isFailed(Mark mark) noexcept { return mark >> 1 & 1; }
    [[nodiscard]] static constexpr Mark isSlow(Mark mark) noexcept { return mark & 1; }

    [[nodiscard]] bool hasLeft(Mark mark, std::uint64_t position) const noexcept {
        return (static_cast<Mark>(position << 2) - (mark & ~Mark{3})) >> 2 >= span_;
    }

    std::uint32_t span_;
    detail::Ring<Mark> marks_;
    std::uint32_t failures_ = 0;
    std::uint32_t slow_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace fusebox
