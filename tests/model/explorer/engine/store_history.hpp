// SPDX-License-Identifier: MIT
// The values that one atomic object has had, and which of them a thread may still read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/vector_clock.hpp"

namespace fusebox::model {

/// One value of an atomic object.
struct StoredValue {
    static constexpr Time kNever = std::numeric_limits<Time>::max();

    std::uint64_t bits = 0;
    /// What whoever acquires this value learns.
    VectorClock released{};
    /// When each thread first read or wrote it.
    std::array<Time, kThreads> seen{};

    StoredValue(std::uint64_t value, const VectorClock& known) : bits(value), released(known) {
        seen.fill(kNever);
    }
    void see(std::size_t thread, Time time) noexcept {
        if (time < seen[thread]) seen[thread] = time;
    }
    /// Whether some thread saw it in what happened before.
    [[nodiscard]] bool isKnown(const VectorClock& known) const noexcept {
        for (std::size_t t = 0; t < kThreads; ++t) {
            if (seen[t] != kNever && known.knows(t, seen[t])) return true;
        }
        return false;
    }
};

/// In modification order, which here is the order in which the stores were executed.
class StoreHistory {
public:
    void begin(std::uint64_t bits, std::size_t thread, Time time) {
        values_.clear();
        lastSequential_ = 0;
        values_.emplace_back(bits, VectorClock{});
        values_[0].see(thread, time);
    }
    StoredValue& append(std::uint64_t bits, const VectorClock& released) {
        return values_.emplace_back(bits, released);
    }

    /// Where nobody can read older values any more.
    StoredValue& replace(std::uint64_t bits, const VectorClock& released) {
        values_.clear();
        return append(bits, released);
    }

    [[nodiscard]] std::size_t size() const noexcept { return values_.size(); }
    [[nodiscard]] StoredValue& at(std::size_t index) noexcept { return values_[index]; }
    [[nodiscard]] StoredValue& newest() noexcept { return values_.back(); }
    /// Whether its construction happened before.
    [[nodiscard]] bool isConstructed(const VectorClock& known) const noexcept {
        return values_.front().isKnown(known);
    }

    /// The oldest value that coherence leaves to a reader: the newest that was read or written in
    /// what happened before. A sequentially consistent read comes after the last sequentially
    /// consistent write, too.
    [[nodiscard]] std::size_t oldestFor(const VectorClock& known, bool sequential) const noexcept {
        std::size_t index = values_.size() - 1;
        while (index > 0 && !values_[index].isKnown(known)) --index;
        return sequential && lastSequential_ > index ? lastSequential_ : index;
    }
    void noteSequential() noexcept { lastSequential_ = values_.size() - 1; }

private:
    std::vector<StoredValue> values_;
    std::size_t lastSequential_ = 0;
};

}  // namespace fusebox::model
