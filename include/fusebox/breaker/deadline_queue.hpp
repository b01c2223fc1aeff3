// SPDX-License-Identifier: MIT
// Deadlines in order, kept in the callers' own memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>

namespace fusebox::detail {

/// One deadline that is waited for: a part of whatever waits for it. It must not be destroyed while
/// it is queued.
class Deadline {
public:
    using Lock = std::unique_lock<std::mutex>;
    /// Called once when it is over, with the timer's lock held and the deadline out of the queue.
    /// Takes what it needs, unlocks, acts, and does not look at the deadline again: as soon as the
    /// lock is free, that may be gone.
    using Action = void (*)(Deadline&, Lock&) noexcept;

    explicit constexpr Deadline(Action action) noexcept : action_(action) {}
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    [[nodiscard]] std::chrono::nanoseconds time() const noexcept { return time_; }
    void act(Lock& lock) noexcept { action_(*this, lock); }

protected:
    ~Deadline() = default;

private:
    friend class DeadlineQueue;
    friend class DeadlineTimer;

    Action action_;
    std::chrono::nanoseconds time_{0};
    /// In which process it was queued, by the number of forks that led there.
    std::uint64_t forks_ = 0;
    bool queued_ = false;
    Deadline* child_ = nullptr;
    // Of a child; of the root, and of one that is not queued, they mean nothing.
    Deadline* next_ = nullptr;
    /// The sibling before it; of a first child the parent.
    Deadline* previous_ = nullptr;
};

/// A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986). **Cost.** Adding: constant. Removing:
/// amortised logarithmic; constant for one that was added behind an earlier one and has none behind
/// it, as a call that ends in time mostly has. No allocation.
class DeadlineQueue {
public:
    /// The earliest; null if there is none.
    [[nodiscard]] Deadline* first() const noexcept { return root_; }

    /// @pre it is not queued.
    void add(Deadline& deadline, std::chrono::nanoseconds time) noexcept {
        deadline.time_ = time;
        deadline.queued_ = true;
        root_ = root_ ? meld(root_, &deadline) : &deadline;
    }

    /// Does nothing if it is not queued.
    void remove(Deadline& deadline) noexcept {
        if (!deadline.queued_) return;
        Deadline* const orphans = meldAll(std::exchange(deadline.child_, nullptr));
        if (&deadline == root_) {
            root_ = orphans;
        } else {
            cutOff(deadline);
            if (orphans) root_ = meld(root_, orphans);
        }
        deadline.queued_ = false;
    }

    /// Forgets all of them, without looking at any.
    void forget() noexcept { root_ = nullptr; }

private:
    /// Makes the later one the first child of the earlier. Neither is a child of any.
    static Deadline* meld(Deadline* a, Deadline* b) noexcept {
        if (b->time_ < a->time_) std::swap(a, b);
        b->next_ = a->child_;
        if (b->next_) b->next_->previous_ = b;
        b->previous_ = a;
        a->child_ = b;
        return a;
    }

    /// Melds siblings: in pairs from the left, the pairs from the right. That order keeps it fast.
    static Deadline* meldAll(Deadline* first) noexcept {
        Deadline* pairs = nullptr;
        while (first) {
            Deadline* const left = first;
            Deadline* const right = left->next_;
            first = right ? right->next_ : nullptr;
            Deadline* const pair = right ? meld(left, right) : left;
            pair->next_ = std::exchange(pairs, pair);
        }
        Deadline* melded = nullptr;
        while (pairs) {
            Deadline* const pair = pairs;
            pairs = std::exchange(pair->next_, nullptr);
            melded = melded ? meld(melded, pair) : pair;
        }
        return melded;
    }

    static void cutOff(Deadline& deadline) noexcept {
        Deadline* const before = deadline.previous_;
        (before->child_ == &deadline ? before->child_ : before->next_) = deadline.next_;
        if (deadline.next_) deadline.next_->previous_ = before;
    }

    Deadline* root_ = nullptr;
};

}  // namespace fusebox::detail
