// SPDX-License-Identifier: MIT
// One hash table of a name index: a fixed number of slots that readers search without a lock.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "fusebox/registry/name_hash.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// Open addressing, with a bound: an entry is less than `kWindow` slots away from where its hash
/// wants it. Slots are emptied and used again; they are never "never used" again.
///
/// @tparam Entry has a `name()` that never changes.
template <class Entry>
class NameTable {
public:
    static constexpr std::size_t kWindow = 16;

    /// @param capacity a power of two.
    explicit NameTable(std::size_t capacity) : mask_(capacity - 1), slots_(new Slot[capacity]) {}

    [[nodiscard]] std::size_t capacity() const noexcept { return mask_ + 1; }

    /// The table before this one, kept for those who may still be looking at it.
    [[nodiscard]] NameTable* older() const noexcept { return older_.get(); }
    void keep(std::unique_ptr<NameTable> older) noexcept { older_ = std::move(older); }

    /// The entry of that name, protected by `hazard`; null, with `hazard` empty, if not found.
    /// @tparam Hazard a HazardSlot, or in tests what meddles at the worst moment.
    template <class Hazard>
    [[nodiscard]] FUSEBOX_APART Entry* find(std::string_view name, std::size_t hash,
                                            Hazard& hazard) const noexcept {
        const std::size_t tag = tagOf(hash);
        for (std::size_t i = 0; i < kWindow; ++i) {
            const Slot& slot = at(hash + i);
            // acquire: pairs with the release in place(); see NameIndex::isProof().
            const std::size_t found = slot.tag.load(std::memory_order_acquire);
            if (found == tag) {
                if (Entry* entry = protect(slot.entry, hazard)) {
                    if (isSameName(entry->name(), name)) [[likely]]
                        return entry;
                    // release: what we read of the entry was read before.
                    hazard.store(nullptr, std::memory_order_release);
                }
            }
            if (found == 0) break;  // Never used, so neither are those behind it for this name.
        }
        return nullptr;
    }

    // What follows is for the holder of the lock.

    /// Puts the entry into the first free slot of its window, if there is one.
    [[nodiscard]] bool place(Entry& entry, std::size_t hash) noexcept {
        for (std::size_t i = 0; i < kWindow; ++i) {
            Slot& slot = at(hash + i);
            // relaxed: only the holder of the lock writes.
            if (slot.entry.load(std::memory_order_relaxed) != nullptr) continue;
            // release: who sees the tag sees what was done to the index before.
            slot.tag.store(tagOf(hash), std::memory_order_release);
            // release: who finds the entry sees it whole.
            slot.entry.store(&entry, std::memory_order_release);
            return true;
        }
        return false;
    }

    /// Empties the slot of the entry; says whether there was one.
    bool empty(const Entry& entry, std::size_t hash) noexcept {
        for (std::size_t i = 0; i < kWindow; ++i) {
            Slot& slot = at(hash + i);
            // relaxed: only the holder of the lock writes.
            if (slot.entry.load(std::memory_order_relaxed) != &entry) continue;
            // seq_cst: before the look at the hazards; see HazardDomain.
            slot.entry.store(nullptr, std::memory_order_seq_cst);
            return true;
        }
        return false;
    }

    /// Calls `visit(entry)` for each entry.
    template <class Visit>
    void forEach(Visit&& visit) const {
        for (std::size_t i = 0; i < capacity(); ++i) {
            // relaxed: only the holder of the lock writes.
            if (Entry* entry = at(i).entry.load(std::memory_order_relaxed)) visit(*entry);
        }
    }

private:
    struct Slot {
        std::atomic<std::size_t> tag{0};  // 0: never used.
        std::atomic<Entry*> entry{nullptr};
    };

    /// The hash, made something else than 0; the position is in its low bits.
    [[nodiscard]] static std::size_t tagOf(std::size_t hash) noexcept {
        return hash | ~(~std::size_t{0} >> 1);
    }

    [[nodiscard]] Slot& at(std::size_t position) const noexcept { return slots_[position & mask_]; }

    template <class Hazard>
    [[nodiscard]] static Entry* protect(const std::atomic<Entry*>& source,
                                        Hazard& hazard) noexcept {
        // acquire: pairs with empty(); see NameIndex::isProof(). Not followed before it is safe.
        Entry* entry = source.load(std::memory_order_acquire);
        while (entry != nullptr) {
            // seq_cst, both: see HazardDomain. The load also pairs with the release in place().
            hazard.store(entry, std::memory_order_seq_cst);
            Entry* const still = source.load(std::memory_order_seq_cst);
            if (still == entry) return entry;
            hazard.store(nullptr, std::memory_order_release);
            entry = still;
        }
        return nullptr;
    }

    std::size_t mask_;
    std::unique_ptr<Slot[]> slots_;
    std::unique_ptr<NameTable> older_;
};

}  // namespace fusebox::detail
