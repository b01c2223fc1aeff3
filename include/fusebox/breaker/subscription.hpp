// SPDX-License-Identifier: MIT
// Listeners and the subscriptions that hold them.
#pragma once

#include <atomic>
#include <concepts>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "fusebox/breaker/inside.hpp"

namespace fusebox {

namespace detail {

/// The gate of one listener: who may still enter, and who is inside.
class ListenerGate {
public:
    virtual ~ListenerGate() = default;

    /// Lets nobody in any more, and waits until the threads inside have left. A listener that
    /// closes its own gate does not wait: others inside may be waiting for what it holds.
    void close() noexcept {
        std::unique_lock lock{mutex_};
        open_ = false;
        if (Inside<ListenerGate>::isThisThread(*this)) return;
        left_.wait(lock, [&] { return inside_ == 0; });
    }

    [[nodiscard]] bool isOpen() const noexcept {
        const std::lock_guard lock{mutex_};
        return open_;
    }

protected:
    /// Runs `visit` if the gate is open.
    template <class Visit>
    void enter(Visit&& visit) {
        {
            const std::lock_guard lock{mutex_};
            if (!open_) return;
            ++inside_;
        }
        const Visitor visitor{*this};
        std::forward<Visit>(visit)();
    }

private:
    /// A visit; leaves the gate also when the listener throws.
    class Visitor {
    public:
        explicit Visitor(ListenerGate& gate) noexcept : gate_(gate), inside_(gate) {}
        Visitor(const Visitor&) = delete;
        Visitor& operator=(const Visitor&) = delete;
        ~Visitor() {
            // Notified under the lock: who waits may destroy the gate as soon as it is released.
            const std::lock_guard lock{gate_.mutex_};
            --gate_.inside_;
            gate_.left_.notify_all();
        }

    private:
        ListenerGate& gate_;
        Inside<ListenerGate> inside_;
    };

    mutable std::mutex mutex_;
    std::condition_variable left_;
    int inside_ = 0;
    bool open_ = true;
};

template <class Event>
class Listener final : public ListenerGate {
public:
    explicit Listener(std::function<void(const Event&)> call) : call_(std::move(call)) {}

    void operator()(const Event& event) {
        enter([&] { call_(event); });
    }

private:
    std::function<void(const Event&)> call_;
};

/// What can listen to an event: `f(const Event&)` or `f()`; it may be move-only.
template <class F, class Event>
concept ListensTo = std::invocable<F&, const Event&> || std::invocable<F&>;

template <class Event, ListensTo<Event> F>
[[nodiscard]] std::function<void(const Event&)> listenerOf(F f) {
    if constexpr (!std::copy_constructible<F>) {
        return listenerOf<Event>([held = std::make_shared<F>(std::move(f))](const Event& event) {
            if constexpr (std::invocable<F&, const Event&>) {
                (*held)(event);
            } else {
                (*held)();
            }
        });
    } else if constexpr (std::invocable<F&, const Event&>) {
        return f;
    } else {
        return [f = std::move(f)](const Event&) mutable { f(); };
    }
}

/// A list of listeners, as a subscription knows it.
class ListenerRegister {
public:
    virtual ~ListenerRegister() = default;
    /// Forgets the listeners whose gates are closed.
    virtual void sweep() noexcept = 0;
};

}  // namespace detail

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

/// The listeners of one event. Nothing is allocated before the first of them comes.
template <class Event>
class Listeners {
public:
    Listeners() = default;
    Listeners(const Listeners&) = delete;
    Listeners& operator=(const Listeners&) = delete;
    ~Listeners() {
        if (list_) list_->forget();
    }

    /// One load. A listener that another thread is just adding may be missed.
    [[nodiscard]] bool any() const noexcept {
        // relaxed: it only says whether it is worth to take the lock.
        return any_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] Subscription add(std::function<void(const Event&)> call) {
        auto listener = std::make_shared<Listener<Event>>(std::move(call));
        const std::lock_guard lock{mutex_};
        if (!list_) list_ = std::make_shared<List>(any_);
        list_->add(listener);
        return {std::move(listener), list_};
    }

    /// Calls every listener, with no lock held; `contain` runs each one.
    template <class Contain>
    void call(const Event& event, Contain&& contain) const {
        std::shared_ptr<List> list;
        {
            const std::lock_guard lock{mutex_};
            list = list_;
        }
        if (!list) return;
        const auto members = list->snapshot();
        for (const auto& listener : *members) contain([&] { (*listener)(event); });
    }

private:
    using Members = std::vector<std::shared_ptr<Listener<Event>>>;

    /// Copied on each change, so that who is calling goes on with the list it began with.
    class List final : public ListenerRegister {
    public:
        explicit List(std::atomic<bool>& any) noexcept : any_(&any) {}

        void add(std::shared_ptr<Listener<Event>> listener) {
            change([&](Members& members) { members.push_back(std::move(listener)); });
        }

        void sweep() noexcept override {
#if defined(__cpp_exceptions)
            try {
                change([](Members&){});
            } catch (...) {
                // Without memory the closed listener stays, uncalled, until the next change.
            }
#else
            change([](Members&) {});
#endif
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
        /// Replaces the members by those that still listen, changed.
        template <class Change>
        void change(Change&& change) {
            std::shared_ptr<const Members> old;  // Released after the lock.
            const std::lock_guard lock{mutex_};
            auto changed = std::make_shared<Members>(*members_);
            std::erase_if(*changed, [](const auto& member) { return !member->isOpen(); });
            change(*changed);
            old = std::exchange(members_, std::move(changed));
            if (any_) any_->store(!members_->empty(), std::memory_order_relaxed);
        }

        mutable std::mutex mutex_;
        std::shared_ptr<const Members> members_ = std::make_shared<Members>();
        std::atomic<bool>* any_;
    };

    mutable std::mutex mutex_;
    std::shared_ptr<List> list_;
    std::atomic<bool> any_{false};
};

}  // namespace detail
}  // namespace fusebox
