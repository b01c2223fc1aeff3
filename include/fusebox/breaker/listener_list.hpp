// SPDX-License-Identifier: MIT
// A list of listeners that may change while it is being called.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "fusebox/breaker/listener_gate.hpp"

namespace fusebox::detail {

/// A list of listeners, as a subscription knows it.
class ListenerRegister {
public:
    virtual ~ListenerRegister() = default;
    /// Forgets the listeners whose gates are closed.
    virtual void sweep() noexcept = 0;
};

/// Those who listen to an event, whichever that is: a list knows its members by their gates. Copied
/// on each change, so that who is calling goes on with the list it began with.
class ListenerList final : public ListenerRegister {
public:
    using Members = std::vector<std::shared_ptr<ListenerGate>>;

    explicit ListenerList(std::atomic<bool>& any) noexcept : any_(&any) {}

    void add(std::shared_ptr<ListenerGate> listener) {
        std::shared_ptr<const Members> old;  // Released after the lock.
        const std::lock_guard lock{mutex_};
        auto changed = listening();
        changed->push_back(std::move(listener));
        old = replace(std::move(changed));
    }

    /// Once; ends nothing of a user's.
    void attach(const std::shared_ptr<ListenerGate>& listener) {
        const std::lock_guard lock{mutex_};
        for (const auto& member : *members_) {
            if (member == listener) return;
        }
        auto changed = std::make_shared<Members>(*members_);
        changed->push_back(listener);
        // All that was in the old list is in the new one: nothing ends here.
        replace(std::move(changed));
    }

    /// The caller keeps the listener alive: ends nothing of a user's.
    void detach(const ListenerGate& listener) noexcept {
        unlessOutOfMemory([&] {
            const std::lock_guard lock{mutex_};
            auto changed = std::make_shared<Members>(*members_);
            std::erase_if(*changed, [&](const auto& one) { return one.get() == &listener; });
            replace(std::move(changed));
        });
    }

    void sweep() noexcept override {
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
    /// A copy of those whose gates are open.
    [[nodiscard]] std::shared_ptr<Members> listening() const {
        auto open = std::make_shared<Members>(*members_);
        std::erase_if(*open, [](const auto& member) { return !member->isOpen(); });
        return open;
    }

    std::shared_ptr<const Members> replace(std::shared_ptr<const Members> changed) noexcept {
        auto old = std::exchange(members_, std::move(changed));
        // relaxed: a hint whether it is worth to look.
        if (any_) any_->store(!members_->empty(), std::memory_order_relaxed);
        return old;
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

    mutable std::mutex mutex_;
    std::shared_ptr<const Members> members_ = std::make_shared<Members>();
    std::atomic<bool>* any_;
};

}  // namespace fusebox::detail
