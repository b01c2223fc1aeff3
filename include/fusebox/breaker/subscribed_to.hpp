// SPDX-License-Identifier: MIT
// What the subscription of a listener holds.
#pragma once

#include <memory>
#include <utility>

#include "fusebox/breaker/subscription.hpp"

namespace fusebox::detail {

/// A listener in a list, or in many. `List::sweep()` forgets the listeners whose gates are closed.
template <class List>
class SubscribedTo final : public Subscribed {
public:
    using Gate = typename List::Gate;

    SubscribedTo(std::shared_ptr<Gate> listener, std::weak_ptr<List> list) noexcept
        : listener_(std::move(listener)), list_(std::move(list)) {}
    ~SubscribedTo() override {
        listener_->close();
        if (const auto list = list_.lock()) list->sweep();
    }

private:
    std::shared_ptr<Gate> listener_;  // The last to go: no lock is held then.
    std::weak_ptr<List> list_;
};

/// The subscription of a listener that is in that list, or will be.
template <class List>
[[nodiscard]] Subscription subscriptionOf(std::shared_ptr<typename List::Gate> listener,
                                          const std::shared_ptr<List>& list) {
    return Subscription{std::make_unique<SubscribedTo<List>>(std::move(listener), list)};
}

}  // namespace fusebox::detail
