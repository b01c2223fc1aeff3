// SPDX-License-Identifier: MIT
// Names to entries, for readers that take no lock and write nothing that others read.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

#include "fusebox/registry/name_table.hpp"

namespace fusebox::detail {

/// A hash table beside a map that knows better: it finds most names, and says when a name that it
/// does not find may yet be in the map.
///
/// Tables are added only while the number of entries grows, and kept until the index goes, because
/// a reader may be looking at an old one. Slots are used again, so that names that come and go
/// need no more tables. An entry that finds no place though the table is nearly empty is not
/// indexed: names with equal hashes cannot make the tables grow.
///
/// @tparam Entry has a `name()` and a `hash()` that never change.
template <class Entry>
class NameIndex {
    using Table = NameTable<Entry>;

public:
    static constexpr std::size_t kFirstCapacity = 32;

    NameIndex() : tables_(new Table{kFirstCapacity}), newest_(tables_.get()) {}
    NameIndex(const NameIndex&) = delete;
    NameIndex& operator=(const NameIndex&) = delete;

    /// What an unsuccessful search is worth.
    class Certainty {
        friend class NameIndex;
        explicit Certainty(std::uint64_t generation) noexcept : generation_(generation) {}
        std::uint64_t generation_;
    };

    /// To be asked before a search.
    [[nodiscard]] Certainty certainty() const noexcept {
        // acquire: pairs with the release in setCertain(), after the slots were filled again.
        return Certainty{certain_.load(std::memory_order_acquire)};
    }
    /// Whether a search that began with it and found nothing proves that nothing was there.
    [[nodiscard]] bool isProof(Certainty before) const noexcept {
        // relaxed: it cannot move before the loads of the search, which are acquire; and whoever
        // emptied a slot that these saw had withdrawn the certainty before.
        return before.generation_ != 0 &&
               certain_.load(std::memory_order_relaxed) == before.generation_;
    }

    /// The entry of that name, protected by `hazard`; null, with `hazard` empty, if not found.
    template <class Hazard>
    [[nodiscard]] FUSEBOX_HOT Entry* find(std::string_view name, std::size_t hash,
                                          Hazard& hazard) const noexcept {
        // acquire: pairs with the release in grow().
        return newest_.load(std::memory_order_acquire)->find(name, hash, hazard);
    }

    // What follows is for the holder of the map's lock.

    /// Makes the entry findable; without a place or memory it is only in the map.
    void add(Entry& entry) noexcept {
        if ((placed_ + 1) * 2 > tables_->capacity()) grow();
        bool placed = tables_->place(entry, entry.hash());
        // Crowded, or hashes that collide? Growing would not help these.
        if (!placed && placed_ * 4 > tables_->capacity() && grow()) {
            placed = tables_->place(entry, entry.hash());
        }
        if (placed) {
            ++placed_;
        } else {
            ++unplaced_;
            setUncertain();
        }
    }

    /// Makes the entry impossible to find, in old tables too.
    void remove(const Entry& entry) noexcept { forget(withdraw(entry)); }

    /// As `remove`, for an entry that may be put back: a search that misses it is no proof.
    /// @return whether it was in the newest table.
    [[nodiscard]] bool withdraw(const Entry& entry) noexcept {
        setUncertain();
        const bool inNewest = tables_->empty(entry, entry.hash());
        for (Table* old = tables_->older(); old != nullptr; old = old->older()) {
            old->empty(entry, entry.hash());
        }
        return inNewest;
    }
    void putBack(Entry& entry, bool wasInNewest) noexcept {
        // It finds a place: its own is free.
        if (wasInNewest) (void)tables_->place(entry, entry.hash());
        setCertain();
    }
    /// Ends what `withdraw` began.
    void forget(bool wasInNewest) noexcept {
        --(wasInNewest ? placed_ : unplaced_);
        setCertain();
    }

    /// How many slots all tables have.
    [[nodiscard]] std::size_t slots() const noexcept {
        std::size_t sum = 0;
        for (const Table* table = tables_.get(); table != nullptr; table = table->older()) {
            sum += table->capacity();
        }
        return sum;
    }

    /// In how many tables the entry can be found.
    [[nodiscard]] std::size_t countTables(const Entry& entry) const noexcept {
        std::size_t count = 0;
        for (const Table* table = tables_.get(); table != nullptr; table = table->older()) {
            table->forEach([&](const Entry& one) { count += &one == &entry; });
        }
        return count;
    }

private:
    /// Twice the slots; those who find no place there are only in the map from now on.
    bool grow() noexcept {
        const Table& old = *tables_;
        std::unique_ptr<Table> grown = tryMake(old.capacity() * 2);
        if (!grown) return false;
        old.forEach([&](Entry& entry) {
            if (grown->place(entry, entry.hash())) return;
            --placed_;
            ++unplaced_;
            setUncertain();
        });
        grown->keep(std::move(tables_));
        tables_ = std::move(grown);
        // release: who reads the pointer sees the table, and what became of the certainty.
        newest_.store(tables_.get(), std::memory_order_release);
        return true;
    }

    [[nodiscard]] static std::unique_ptr<Table> tryMake(std::size_t capacity) noexcept {
#if defined(__cpp_exceptions)
        try {
            return std::make_unique<Table>(capacity);
        } catch (const std::bad_alloc&) {
            return nullptr;
        }
#else
        return std::make_unique<Table>(capacity);
#endif
    }

    void setUncertain() noexcept {
        // relaxed: the stores to slots and tables that follow are release or stronger.
        certain_.store(0, std::memory_order_relaxed);
    }
    void setCertain() noexcept {
        if (unplaced_ > 0) return;
        // release: who trusts it sees the slots as they are now.
        certain_.store(++generation_, std::memory_order_release);
    }

    std::unique_ptr<Table> tables_;  // The newest, which has the older ones.
    std::atomic<Table*> newest_;
    std::atomic<std::uint64_t> certain_{1};  // 0, or a number that is never used again.
    std::uint64_t generation_ = 1;
    std::size_t placed_ = 0;  // In the newest table.
    std::size_t unplaced_ = 0;
};

}  // namespace fusebox::detail
