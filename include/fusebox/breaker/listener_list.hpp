// SPDX-License-Identifier: MIT
// A list of listeners that may change while it is being called.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "fusebox/breaker/listener_gate.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// Those who listen to an event, whichever that is: a list knows its members by their gates. Copied
/// on each change, so that who is calling goes on with the list it began with.
template <class Platform = StdPlatform>
class ListenerList {
public:
    using Gate = ListenerGate<Platform>;
    using Members = std::vector<std::shared_ptr<Gate>>;
    using Any = typename Platform::template Atomic<bool>;

    /// @param any is kept saying whether there are any; outlives this, or `forget` is called.
    explicit ListenerList(Any& any) : any_(&any) {}

    void add(std::shared_ptr<Gate> listener) {
        std::shared_ptr<const Members> old;  // Released after the lock.
        const std::lock_guard lock{mutex_};
        Members changed = listening();
        changed.push_back(std::move(listener));
        old = replace(std::move(changed));
    }

    /// Once; ends nothing of a user's.
    void attach(const std::shared_ptr<Gate>& listener) {
        const std::lock_guard lock{mutex_};
        Members changed = membersBut(*listener);
        changed.push_back(listener);
        // All that was in the old list is in the new one: nothing ends here.
        replace(std::move(changed));
    }

    /// The caller keeps the listener alive: ends nothing of a user's.
    void detach(const Gate& listener) noexcept {
        unlessOutOfMemory([&] {
            const std::lock_guard lock{mutex_};
            replace(membersBut(listener));
        });
    }

    /// Forgets the listeners whose gates are closed.
    void sweep() noexcept {
        unlessOutOfMemory([&] {
            std::shared_ptr<const Members> old;  // Released after the lock.
            const std::lock_guard lock{mutex_};
            old = replace(listening());
        });
    }

    [[nodiscard]] std::shared_ptr<const Members> snapshot() const {
        const std::lock_guard lock{mutex_};
        return members_;
    }

    /// The owner is going; subscriptions may stay behind.
    void forget() noexcept {
        const std::lock_guard lock{mutex_};
        any_ = nullptr;
    }

private:
    /// Those whose gates are open.
    [[nodiscard]] Members listening() const {
        Members open;
        for (const auto& member : *members_) {
            if (member->isOpen()) open.push_back(member);
        }
        return open;
    }
    [[nodiscard]] Members membersBut(const Gate& one) const {
        Members others;
        for (const auto& member : *members_) {
            if (member.get() != &one) others.push_back(member);
        }
        return others;
    }

    std::shared_ptr<const Members> replace(Members changed) {
        auto next = std::make_shared<const Members>(std::move(changed));
        // relaxed: a hint whether it is worth to look.
        if (any_) any_->store(!next->empty(), std::memory_order_relaxed);
        members_.swap(next);
        return next;
    }

    /// Without memory a closed listener stays, uncalled, until the next change.
    template <class Action>
    static void unlessOutOfMemory(Action&& action) noexcept {
#if defined(__cpp_exceptions)
        try {
            action();
        } catch (...) {
        }
#else
        action();
#endif
    }

    mutable typename Platform::Mutex mutex_;
    std::shared_ptr<const Members> members_ = std::make_shared<const Members>(Members{});
    Any* any_;
};

}  // namespace fusebox::detail
