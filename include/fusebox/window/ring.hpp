// SPDX-License-Identifier: MIT
// A queue of fixed capacity: where a policy remembers single failures.
#pragma once

#include <cstddef>
#include <vector>

namespace fusebox::detail {

/// First in, first out, within a capacity chosen at construction; allocates only then.
template <class T>
class Ring {
public:
    /// @pre `capacity >= 1`
    explicit Ring(std::size_t capacity) : slots_(capacity) {}

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] std::size_t capacity() const noexcept { return slots_.size(); }
    [[nodiscard]] bool full() const noexcept { return size_ == slots_.size(); }

    /// The `age`-th entry from the oldest, which is 0.
    /// @pre `age < size()`
    [[nodiscard]] const T& operator[](std::size_t age) const noexcept {
        const std::size_t slot = first_ + age;
        return slots_[slot < slots_.size() ? slot : slot - slots_.size()];
    }

    /// @pre `!full()`
    void push(const T& value) noexcept {
        const std::size_t slot = first_ + size_++;
        slots_[slot < slots_.size() ? slot : slot - slots_.size()] = value;
    }

    /// Forgets the oldest entry.
    /// @pre `size() > 0`
    void pop() noexcept {
        if (++first_ == slots_.size()) first_ = 0;
        --size_;
    }

    void clear() noexcept { first_ = size_ = 0; }

private:
    std::vector<T> slots_;
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace fusebox::detail
