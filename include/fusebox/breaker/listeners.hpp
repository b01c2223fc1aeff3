// SPDX-License-Identifier: MIT
// Who listens to an event.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "fusebox/breaker/listener.hpp"
#include "fusebox/breaker/listener_list.hpp"
#include "fusebox/breaker/subscribed_to.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The listeners of one event, whichever that is. Nothing is allocated before the first of them
/// comes. Knows nothing of the event: ten events would each compile a list of their own.
template <class Platform = StdPlatform>
class AnyListeners {
public:
    using List = ListenerList<Platform>;

    /// @param any is kept saying whether there are any; outlives this.
    explicit AnyListeners(typename List::Any& any) noexcept : any_(any) {}
    AnyListeners(const AnyListeners&) = delete;
    AnyListeners& operator=(const AnyListeners&) = delete;

    /// Adds a listener of that event that is in other lists, too, once; runs and destroys nothing
    /// of a user's.
    /// @return the list to take it out of again.
    std::shared_ptr<List> attach(const std::shared_ptr<typename List::Gate>& listener) {
        auto list = madeList();
        list->attach(listener);
        return list;
    }

protected:
    ~AnyListeners() {
        if (list_) list_->forget();
    }

    [[nodiscard]] Subscription add(const std::shared_ptr<typename List::Gate>& listener) {
        auto list = madeList();
        // Before it is in the list: it allocates.
        Subscription subscription = subscriptionOf(listener, list);
        list->add(listener);
        return subscription;
    }

    /// Null without any.
    [[nodiscard]] std::shared_ptr<const typename List::Members> members() const {
        const auto list = this->list();
        return list ? list->snapshot() : nullptr;
    }

private:
    [[nodiscard]] std::shared_ptr<List> list() const noexcept {
        const std::lock_guard lock{mutex_};
        return list_;
    }
    [[nodiscard]] std::shared_ptr<List> madeList() {
        const std::lock_guard lock{mutex_};
        if (!list_) list_ = std::make_shared<List>(any_);
        return list_;
    }

    mutable typename Platform::Mutex mutex_;
    std::shared_ptr<List> list_;
    typename List::Any& any_;
};

/// The listeners of `Event`: all members are `Listener<Event>`.
template <class Event, class Platform = StdPlatform>
class Listeners : public AnyListeners<Platform> {
public:
    using AnyListeners<Platform>::AnyListeners;

    [[nodiscard]] Subscription add(std::function<void(const Event&)> call) {
        return AnyListeners<Platform>::add(
            std::make_shared<Listener<Event, Platform>>(std::move(call)));
    }

    /// Calls every listener, with no lock held; `contain` runs each one.
    template <class Contain>
    void call(const Event& event, Contain&& contain) const {
        const auto members = this->members();
        if (!members) return;
        for (const auto& member : *members) {
            contain([&] { static_cast<Listener<Event, Platform>&> (*member)(event); });
        }
    }
};

}  // namespace fusebox::detail
