// SPDX-License-Identifier: MIT
// Hazard pointers (Michael 2004): reading what may be removed, without writing what others read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "fusebox/vocabulary/never_destroyed.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// Something that readers may still protect when it is removed. To be the first base of what it is:
/// both have one address.
class Retirable {
public:
    virtual ~Retirable() = default;

    /// Whether it was retired. A hint: who just ends its protection may miss it.
    [[nodiscard]] bool retired() const noexcept {
        // relaxed: who misses it leaves the sweeping to the next who changes a registry.
        return retired_.load(std::memory_order_relaxed);
    }

private:
    friend class HazardDomain;

    std::atomic<bool> retired_{false};
    std::shared_ptr<Retirable> next_;
};

/// The address that one thread protects. Null: free.
using HazardSlot = std::atomic<const void*>;

/// Who protects what, and what waits for that to end.
///
/// A reader puts an address into a slot and then looks whether it can still be found: both seq_cst.
/// A remover makes it impossible to find and then looks at all slots: both seq_cst. So one of them
/// sees the other.
class HazardDomain {
public:
    static constexpr std::size_t kSlots = 6;

    HazardDomain() = default;
    HazardDomain(const HazardDomain&) = delete;
    HazardDomain& operator=(const HazardDomain&) = delete;
    /// @pre no thread that has ever claimed a slot is left.
    ~HazardDomain() {
        while (records_) delete std::exchange(records_, records_->next);
    }

    /// A free slot of this thread, for this thread to fill; whatever thread may empty it, once.
    /// Null if its slots are all in use, if it is ending, or works with another domain: then the
    /// caller must do without.
    [[nodiscard]] FUSEBOX_HOT HazardSlot* claim() noexcept {
        if (mine.domain != this) [[unlikely]] {
            if (!acquireRecord()) return nullptr;
        }
        for (HazardSlot& slot : mine.record->slots) {
            // acquire: another thread may have emptied it; what it did comes before what we do.
            if (slot.load(std::memory_order_acquire) == nullptr) return &slot;
        }
        return nullptr;
    }

    /// Whether a thread protects it. Only lasting once it can no longer be found.
    [[nodiscard]] bool isProtected(const void* address) const noexcept {
        const std::lock_guard lock{mutex_};
        return isInASlot(address);
    }

    /// Keeps it until a `sweep` finds that nobody protects it. Releases nothing.
    /// @pre it can no longer be found.
    void retire(std::shared_ptr<Retirable> object) noexcept {
        object->retired_.store(true, std::memory_order_relaxed);  // see retired()
        const std::lock_guard lock{mutex_};
        object->next_ = std::move(waiting_);
        waiting_ = std::move(object);
        // relaxed: see sweep().
        isWaiting_.store(true, std::memory_order_relaxed);
    }

    /// Releases what was retired and is not protected any more, with no lock held.
    void sweep() noexcept {
        // relaxed: a hint; who misses it leaves it to the next.
        if (!isWaiting_.load(std::memory_order_relaxed)) return;
        std::shared_ptr<Retirable> free;
        {
            const std::lock_guard lock{mutex_};
            std::shared_ptr<Retirable> all = std::move(waiting_);
            while (all) {
                std::shared_ptr<Retirable> rest = std::move(all->next_);
                auto& list = isInASlot(all.get()) ? waiting_ : free;
                all->next_ = std::move(list);
                list = std::move(all);
                all = std::move(rest);
            }
            isWaiting_.store(waiting_ != nullptr, std::memory_order_relaxed);
        }
        // One by one: their destructors would otherwise nest.
        while (free) free = std::move(free->next_);
    }

private:
    /// The slots of one thread, on a line of their own. Given back when the thread ends, and used
    /// again, but never freed: a remover may be looking at it.
    struct alignas(kCacheLine) Record {
        std::array<HazardSlot, kSlots> slots{};
        bool taken = true;  // Under the mutex.
        Record* next = nullptr;
    };

    /// The record of this thread. Trivial, so that it works until the thread's last instruction.
    struct Mine {
        HazardDomain* domain;
        Record* record;
        bool ended;
    };
    static inline constinit thread_local Mine mine{nullptr, nullptr, false};

    /// Gives the record back when the thread ends.
    struct AtThreadExit {
        AtThreadExit() = default;
        AtThreadExit(const AtThreadExit&) = delete;
        AtThreadExit& operator=(const AtThreadExit&) = delete;
        ~AtThreadExit() {
            mine.ended = true;
            HazardDomain* const domain = std::exchange(mine.domain, nullptr);
            const std::lock_guard lock{domain->mutex_};
            mine.record->taken = false;
        }
    };

    FUSEBOX_COLD bool acquireRecord() noexcept {
        if (mine.domain != nullptr || mine.ended) return false;
        const std::lock_guard lock{mutex_};
        Record* record = records_;
        while (record && record->taken) record = record->next;
        if (!record) {
            record = new (std::nothrow) Record;
            if (!record) return false;
            record->next = std::exchange(records_, record);
        }
        record->taken = true;
        mine.domain = this;
        mine.record = record;
        static thread_local AtThreadExit atThreadExit;
        return true;
    }

    /// Under the mutex.
    [[nodiscard]] bool isInASlot(const void* address) const noexcept {
        for (const Record* record = records_; record; record = record->next) {
            for (const HazardSlot& slot : record->slots) {
                // seq_cst: see above; and acquire, so that what the protector did is done.
                if (slot.load(std::memory_order_seq_cst) == address) return true;
            }
        }
        return false;
    }

    mutable std::mutex mutex_;
    Record* records_ = nullptr;
    std::shared_ptr<Retirable> waiting_;
    std::atomic<bool> isWaiting_{false};
};

/// The domain of the process. Never destroyed, as the registry of the process.
template <int version>
[[nodiscard]] FUSEBOX_PROCESS_WIDE HazardDomain& processHazardDomain() {
    static NeverDestroyed<HazardDomain> domain;
    return domain.get();
}

}  // namespace fusebox::detail
