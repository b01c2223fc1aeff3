// SPDX-License-Identifier: MIT
// Exactly the last N calls, two bits each: whether they failed, whether they were slow.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "fusebox/vocabulary/call_counts.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/window/window.hpp"

namespace fusebox {

/// Counts the last N calls. Only failures and slow calls need recording: every other position is a
/// fast success. Allocates N / 4 bytes at construction, nothing later.
class LastCallsWindow {
public:
    /// @param calls N, held to 1 .. `Window::kMaxCalls`.
    explicit LastCallsWindow(int calls)
        : span_(static_cast<std::uint32_t>(std::clamp(calls, 1, Window::kMaxCalls))),
          marks_((span_ + kBits - 1) / kBits) {}

    /// Forgets everything: the next position is 1.
    void enter() noexcept {
        if (failures_ + slow_ > 0) std::fill(marks_.begin(), marks_.end(), Marks{});
        failures_ = slow_ = 0;
        last_ = 0;
    }

    /// Takes over what a window of another length knows; false, and unchanged, if that is too
    /// little: calls that this window still holds have left the other. Linear in the shorter.
    bool adopt(const LastCallsWindow& other) noexcept {
        if (span_ > other.span_ && other.last_ > other.span_) return false;
        enter();
        last_ = other.last_;
        const std::uint32_t shorter = std::min(span_, other.span_);
        std::uint32_t from = other.slot_ + other.span_ - shorter;
        for (std::uint32_t i = 0; i < shorter; ++i) {
            from = from + 1 < other.span_ ? from + 1 : from + 1 - other.span_;
            const Marks& marks = other.marks_[from / kBits];
            push({marks.failed >> from % kBits & 1, marks.slow >> from % kBits & 1});
        }
        return true;
    }

    /// Records the call at `position`; constant time on average over the calls.
    /// @pre `position` is above that of every earlier record.
    void record(std::uint64_t position, bool failed, bool slow) noexcept {
        const std::uint64_t passed = position - last_;
        if (passed >= span_) {
            enter();
        } else if (passed > 1) {
            pass(static_cast<std::uint32_t>(passed) - 1);
        }
        last_ = position;
        push({failed, slow});
    }

    /// The window as of the call at `position`; reads two bits of each call since the last record.
    /// @pre `position` is not below that of any record.
    [[nodiscard]] CallCounts counts(std::uint64_t position) const noexcept {
        const std::uint64_t passed = position - last_;
        // What a policy asks at each record.
        if (passed == 0) return {std::min<std::uint64_t>(position, span_), failures_, slow_};
        return countsLater(position, passed);
    }

private:
    /// Of as many calls as a word has bits.
    struct Marks {
        std::uint64_t failed = 0;
        std::uint64_t slow = 0;
    };
    static constexpr std::uint32_t kBits = std::numeric_limits<std::uint64_t>::digits;

    [[nodiscard]] static std::uint32_t count(std::uint64_t bits) noexcept {
        return static_cast<std::uint32_t>(std::popcount(bits));
    }

    /// The calls go round the slots: the next one takes that of the call that leaves.
    void push(Marks call) noexcept {
        slot_ = slot_ + 1 < span_ ? slot_ + 1 : 0;
        const std::uint32_t bit = slot_ % kBits;
        Marks& marks = marks_[slot_ / kBits];
        const Marks left{marks.failed >> bit & 1, marks.slow >> bit & 1};
        const Marks changed{left.failed ^ call.failed, left.slow ^ call.slow};
        // Most calls end as those around them do.
        if ((changed.failed | changed.slow) == 0) return;
        marks.failed ^= changed.failed << bit;
        marks.slow ^= changed.slow << bit;
        failures_ += static_cast<std::uint32_t>(call.failed - left.failed);
        slow_ += static_cast<std::uint32_t>(call.slow - left.slow);
    }

    [[nodiscard]] FUSEBOX_APART CallCounts countsLater(std::uint64_t position,
                                                       std::uint64_t passed) const noexcept {
        CallCounts counts{std::min<std::uint64_t>(position, span_), 0, 0};
        if (passed >= span_) return counts;
        counts.failures = failures_;
        counts.slow = slow_;
        next(static_cast<std::uint32_t>(passed), [&](std::size_t at, std::uint64_t mask) {
            counts.failures -= count(marks_[at].failed & mask);
            counts.slow -= count(marks_[at].slow & mask);
        });
        return counts;
    }

    /// As many fast successes as `calls`.
    /// @pre `calls < N`
    FUSEBOX_APART void pass(std::uint32_t calls) noexcept {
        if (failures_ + slow_ > 0) {
            next(calls, [this](std::size_t at, std::uint64_t mask) {
                failures_ -= count(marks_[at].failed & mask);
                slow_ -= count(marks_[at].slow & mask);
                marks_[at].failed &= ~mask;
                marks_[at].slow &= ~mask;
            });
        }
        slot_ += calls;
        if (slot_ >= span_) slot_ -= span_;
    }

    /// Calls `action(word, mask)` with the slots of the next so many calls.
    template <class Action>
    void next(std::uint32_t calls, Action action) const noexcept {
        for (std::uint32_t slot = slot_ + 1; calls > 0;) {
            if (slot >= span_) slot = 0;
            const std::uint32_t bit = slot % kBits;
            const std::uint32_t taken = std::min({calls, kBits - bit, span_ - slot});
            action(slot / kBits, ~std::uint64_t{0} >> (kBits - taken) << bit);
            slot += taken;
            calls -= taken;
        }
    }

    std::uint32_t span_;
    std::uint32_t slot_ = 0;  ///< Of the last call that was recorded.
    std::vector<Marks> marks_;
    std::uint32_t failures_ = 0;
    std::uint32_t slow_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace fusebox
