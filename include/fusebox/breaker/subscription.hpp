// SPDX-License-Identifier: MIT
// Who listens to an event, and the subscriptions that hold them.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "fusebox/breaker/listener.hpp"
#include "fusebox/breaker/listener_gate.hpp"
#include "fusebox/breaker/listener_list.hpp"

namespace fusebox {

/// Holds a listener; destroying it unsubscribes. When that returns, the listener is not called
/// again, and no thread is inside it. It may outlive its breaker or registry.
///
/// A listener may destroy its own subscription; other threads may then still be inside. Two
/// listeners that each destroy the other's subscription on different threads wait for each
/// other for ever: so do not.
class [[nodiscard]] Subscription {
public:
    Subscription() noexcept = default;
    Subscription(std::shared_ptr<detail::ListenerGate> listener,
                 std::weak_ptr<detail::ListenerRegister> list) noexcept
        : listener_(std::move(listener)), list_(std::move(list)) {}
    Subscription(Subscription&& other) noexcept = default;
    Subscription& operator=(Subscription&& other) noexcept {
        if (this != &other) {
            unsubscribe();
            listener_ = std::move(other.listener_);
            list_ = std::move(other.list_);
        }
        return *this;
    }
    ~Subscription() { unsubscribe(); }

    /// Whether a listener is held.
    [[nodiscard]] explicit operator bool() const noexcept { return listener_ != nullptr; }

    /// What the destructor does.
    void unsubscribe() noexcept {
        const auto listener = std::exchange(listener_, nullptr);
        if (!listener) return;
        listener->close();
        if (const auto list = std::exchange(list_, {}).lock()) list->sweep();
    }

private:
    std::shared_ptr<detail::ListenerGate> listener_;
    std::weak_ptr<detail::ListenerRegister> list_;
};

namespace detail {

/// The listeners of one event, whichever that is. Nothing is allocated before the first of them
/// comes. Not a template: ten events would each compile a list of their own.
class AnyListeners {
public:
    /// @param any is kept saying whether there are any; outlives this.
    explicit AnyListeners(std::atomic<bool>& any) noexcept : any_(any) {}
    AnyListeners(const AnyListeners&) = delete;
    AnyListeners& operator=(const AnyListeners&) = delete;

    /// Adds a listener of that event that is in other lists, too, once; runs and destroys nothing
    /// of a user's.
    /// @return the list to take it out of again.
    std::shared_ptr<ListenerList> attach(const std::shared_ptr<ListenerGate>& listener) {
        auto list = madeList();
        list->attach(listener);
        return list;
    }

protected:
    ~AnyListeners() {
        if (list_) list_->forget();
    }

    [[nodiscard]] Subscription add(std::shared_ptr<ListenerGate> listener) {
        auto list = madeList();
        list->add(listener);
        return {std::move(listener), std::move(list)};
    }

    /// Null without any.
    [[nodiscard]] std::shared_ptr<const ListenerList::Members> members() const {
        const auto list = this->list();
        return list ? list->snapshot() : nullptr;
    }

private:
    [[nodiscard]] std::shared_ptr<ListenerList> list() const noexcept {
        const std::lock_guard lock{mutex_};
        return list_;
    }
    [[nodiscard]] std::shared_ptr<ListenerList> madeList() {
        const std::lock_guard lock{mutex_};
        if (!list_) list_ = std::make_shared<ListenerList>(any_);
        return list_;
    }

    mutable std::mutex mutex_;
    std::shared_ptr<ListenerList> list_;
    std::atomic<bool>& any_;
};

/// The listeners of `Event`: all members are `Listener<Event>`.
template <class Event>
class Listeners : public AnyListeners {
public:
    using AnyListeners::AnyListeners;

    [[nodiscard]] Subscription add(std::function<void(const Event&)> call) {
        return AnyListeners::add(std::make_shared<Listener<Event>>(std::move(call)));
    }

    /// Calls every listener, with no lock held; `contain` runs each one.
    template <class Contain>
    void call(const Event& event, Contain&& contain) const {
        const auto members = this->members();
        if (!members) return;
        for (const auto& member : *members) {
            contain([&] { static_cast<Listener<Event>&> (*member)(event); });
        }
    }
};

}  // namespace detail
}  // namespace fusebox
