// SPDX-License-Identifier: MIT
// The entries of a registry: a map under a lock, and an index for those who only look up.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/registry/hazard_pointers.hpp"
#include "fusebox/registry/name_index.hpp"
#include "fusebox/registry/registry_entry.hpp"
#include "fusebox/registry/wide_listeners.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// Everything may be called concurrently, and runs and destroys nothing of a user's under its lock.
/// Entries that were taken out are retired: `HazardDomain::sweep` releases them.
class BreakerStore {
public:
    using EntryPtr = std::shared_ptr<RegistryEntry>;
    using EntryPtrs = std::vector<EntryPtr>;
    using Views = std::vector<std::shared_ptr<CircuitBreakerView>>;

    explicit BreakerStore(HazardDomain& domain) : domain_(domain) {}
    BreakerStore(const BreakerStore&) = delete;
    BreakerStore& operator=(const BreakerStore&) = delete;
    ~BreakerStore() {
        while (!entries_.empty()) (void)take(entries_.begin());
        domain_.sweep();
    }

    [[nodiscard]] HazardDomain& domain() const noexcept { return domain_; }

    /// The entry of that name, pinned; nothing if there is none. Takes no lock, allocates nothing
    /// and writes nothing that others read, but for the exceptions at the end.
    [[nodiscard]] FUSEBOX_APART EntryPin find(std::string_view name) const {
        return findHere(name);
    }
    /// As above, in place: for calls.
    [[nodiscard]] FUSEBOX_HOT EntryPin findHere(std::string_view name) const {
        const std::size_t hash = RegistryEntry::hashOf(name);
        if (HazardSlot* const slot = domain_.claim()) [[likely]] {
            const auto certainty = index_.certainty();
            if (RegistryEntry* const entry = index_.find(name, hash, *slot)) [[likely]] {
                // relaxed: who misses the change does not say when it came.
                if (bounded_.load(std::memory_order_relaxed)) entry->touch();
                return EntryPin{*entry, *slot, domain_};
            }
            if (index_.isProof(certainty)) return EntryPin{};
        }
        // No slot is free, or names are at large that found no place in the index.
        return findInMap(name);
    }

    /// Takes an entry in, with the listeners of all breakers, unless the name exists. Those that
    /// had to go for it are added to `evicted`.
    /// @return the entry of that name.
    [[nodiscard]] EntryPtr insert(const EntryPtr& entry, EntryPtrs& evicted) {
        // Made before anything changes: what follows it cannot fail half-way.
        Entries fresh;
        fresh.try_emplace(entry->name(), Place{entry, {}});
        Idle idle;
        idle.emplace(entry->lastUsed(), entry.get());

        const std::lock_guard lock{mutex_};
        if (const auto there = entries_.find(entry->name()); there != entries_.end()) {
            return there->second.entry;
        }
        prepareEviction(entries_.size() + 1, most_, evicted);
        wide_.attachTo(entry->view()->events());
        evict(1, evicted);
        auto place = fresh.extract(fresh.begin());
        place.mapped().idle = idle_.insert(idle.extract(idle.begin()));
        entries_.insert(std::move(place));
        index_.add(*entry);
        return entry;
    }

    /// Takes an entry out; null if there is none of that name.
    [[nodiscard]] EntryPtr remove(std::string_view name) {
        const std::lock_guard lock{mutex_};
        const auto found = entries_.find(name);
        return found == entries_.end() ? nullptr : take(found);
    }

    /// Takes every entry out.
    [[nodiscard]] EntryPtrs clear() {
        EntryPtrs all;
        const std::lock_guard lock{mutex_};
        all.reserve(entries_.size());
        while (!entries_.empty()) all.push_back(take(entries_.begin()));
        return all;
    }

    /// Sets the bound (0: none) and takes out what is beyond it and may go.
    void setMost(std::size_t most, EntryPtrs& evicted) {
        const std::lock_guard lock{mutex_};
        prepareEviction(entries_.size(), most, evicted);
        most_ = most;
        bounded_.store(most > 0, std::memory_order_relaxed);  // See find().
        evict(0, evicted);
    }

    /// Sorted by name.
    [[nodiscard]] Views views() const {
        Views all;
        const std::lock_guard lock{mutex_};
        all.reserve(entries_.size());
        for (const auto& [name, place] : entries_) all.push_back(place.entry->view());
        return all;
    }

    [[nodiscard]] std::size_t size() const {
        const std::lock_guard lock{mutex_};
        return entries_.size();
    }

    /// Gives a listener to every breaker, present and later.
    void listen(const std::shared_ptr<WideListener>& listener) {
        const std::lock_guard lock{mutex_};
        wide_.add(listener);
        for (const auto& [name, place] : entries_) {
            listener->attachTo(place.entry->view()->events());
        }
    }

private:
    /// By the time of the last look-up, as of when it was last put in order.
    using Idle = std::multimap<std::chrono::nanoseconds, RegistryEntry*>;
    struct Place {
        EntryPtr entry;
        Idle::iterator idle;
    };
    using Entries = std::map<std::string_view, Place>;  // The names are the entries' own.

    [[nodiscard]] FUSEBOX_COLD EntryPin findInMap(std::string_view name) const {
        const std::lock_guard lock{mutex_};
        const auto found = entries_.find(name);
        if (found == entries_.end()) return EntryPin{};
        found->second.entry->touch();
        return EntryPin{found->second.entry};
    }

    [[nodiscard]] EntryPtr take(Entries::iterator place) noexcept {
        index_.remove(*place->second.entry);
        return takeUnfindable(place);
    }
    [[nodiscard]] EntryPtr takeUnfindable(Entries::iterator place) noexcept {
        EntryPtr entry = std::move(place->second.entry);
        idle_.erase(place->second.idle);
        entries_.erase(place);
        wide_.detachFrom(entry->view()->events());
        domain_.retire(entry);
        return entry;
    }

    /// To be done before `evict`, so that none is gone and not told of.
    static void prepareEviction(std::size_t wanted, std::size_t most, EntryPtrs& evicted) {
        if (most > 0 && wanted > most) evicted.reserve(wanted - most);
    }
    /// Takes out the longest idle entries that may go, until there is room for so many more.
    void evict(std::size_t more, EntryPtrs& evicted) noexcept {
        if (most_ == 0) return;
        auto next = idle_.begin();
        while (next != idle_.end() && entries_.size() + more > most_) {
            const auto place = entries_.find(next->second->name());
            if (next->first != next->second->lastUsed()) {
                next = putInOrder(next, place);
                continue;
            }
            ++next;
            if (withdrawIdle(*place)) evicted.push_back(takeUnfindable(place));
        }
    }

    /// Moves an entry to where its last look-up belongs; returns what is next to be looked at.
    Idle::iterator putInOrder(Idle::iterator old, Entries::iterator place) noexcept {
        auto next = std::next(old);
        auto node = idle_.extract(old);
        node.key() = node.mapped()->lastUsed();
        const auto moved = place->second.idle = idle_.insert(std::move(node));
        return next == idle_.end() || moved->first < next->first ? moved : next;
    }

    /// Makes an entry impossible to find if nobody uses it and nothing is lost with it.
    [[nodiscard]] bool withdrawIdle(const Entries::value_type& place) noexcept {
        RegistryEntry& entry = *place.second.entry;
        const auto mayGo = [&] {
            const CircuitBreakerView& view = *entry.view();
            return !entry.isHeld() && view.mode() == ControlMode::Automatic &&
                   view.state() == CircuitState::Closed;
        };
        if (!mayGo()) return false;
        const bool wasInNewest = index_.withdraw(entry);
        // From here on nobody gets hold of it: what holds now will hold.
        const bool unused = place.second.entry.use_count() == 1 && !domain_.isProtected(&entry);
        if (unused && mayGo()) {
            index_.forget(wasInNewest);
            return true;
        }
        index_.putBack(entry, wasInNewest);
        return false;
    }

    // Read by every call by name, and hardly ever written.
    alignas(kCacheLine) HazardDomain& domain_;
    NameIndex<RegistryEntry> index_;
    std::atomic<bool> bounded_{false};

    alignas(kCacheLine) mutable std::mutex mutex_;
    Entries entries_;
    Idle idle_;
    WideListeners wide_;
    std::size_t most_ = 0;
};

}  // namespace fusebox::detail
