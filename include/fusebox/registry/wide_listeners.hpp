// SPDX-License-Identifier: MIT
// Listeners to the events of every breaker of a registry.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "fusebox/breaker/event_hub.hpp"
#include "fusebox/breaker/listener_gate.hpp"
#include "fusebox/breaker/listener_list.hpp"
#include "fusebox/breaker/listeners.hpp"

namespace fusebox::detail {

/// A listener that is in the lists of many breakers, as the registry knows it. Runs and destroys
/// nothing of a user's while a lock is held.
class WideListener {
public:
    using Gate = ListenerGate<>;
    /// Finds the listeners of its event; allocates.
    using Finder = AnyListeners<>& (*)(EventHub<>&);

    WideListener(std::shared_ptr<Gate> listener, Finder listenersOf)
        : listener_(std::move(listener)), listenersOf_(listenersOf) {}

    /// Whether its subscription is gone.
    [[nodiscard]] bool ended() const noexcept {
        const std::lock_guard lock{mutex_};
        return listener_ == nullptr;
    }

    void attachTo(EventHub<>& hub) {
        const std::lock_guard lock{mutex_};
        // Once the subscription has begun to sweep, nobody would sweep this list.
        if (!listener_) return;
        std::weak_ptr<ListenerList<>>& list = lists_[&hub];  // Stays empty if the next line fails.
        list = listenersOf_(hub).attach(listener_);
    }

    void detachFrom(EventHub<>& hub) noexcept {
        const std::lock_guard lock{mutex_};
        const auto found = lists_.find(&hub);
        if (found == lists_.end()) return;
        if (const auto list = found->second.lock()) list->detach(*listener_);
        lists_.erase(found);
    }

    /// The subscription is gone: takes the listener, whose gate is closed, out of every list.
    void sweep() noexcept {
        std::shared_ptr<Gate> listener;  // Released after the lock.
        Lists lists;
        {
            const std::lock_guard lock{mutex_};
            listener = std::exchange(listener_, nullptr);
            lists.swap(lists_);
        }
        for (const auto& [hub, weak] : lists) {
            if (const auto list = weak.lock()) list->sweep();
        }
    }

private:
    using Lists = std::map<const EventHub<>*, std::weak_ptr<ListenerList<>>>;

    mutable std::mutex mutex_;
    std::shared_ptr<Gate> listener_;
    Finder listenersOf_;
    Lists lists_;
};

/// The listeners that a registry gives to its breakers. To be used under the registry's lock.
class WideListeners {
public:
    void add(std::shared_ptr<WideListener> listener) {
        // What is left of those that have ended holds nothing of a user's.
        std::erase_if(all_, [](const auto& one) { return one->ended(); });
        all_.push_back(std::move(listener));
    }
    /// To all of them, or to none if it throws.
    void attachTo(EventHub<>& hub) {
        struct Undo {
            WideListeners* listeners;  // Null: all went well.
            EventHub<>& hub;
            ~Undo() {
                if (listeners) listeners->detachFrom(hub);
            }
        } undo{this, hub};
        for (const auto& listener : all_) listener->attachTo(hub);
        undo.listeners = nullptr;
    }
    void detachFrom(EventHub<>& hub) noexcept {
        for (const auto& listener : all_) listener->detachFrom(hub);
    }

private:
    std::vector<std::shared_ptr<WideListener>> all_;
};

}  // namespace fusebox::detail
