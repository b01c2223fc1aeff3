// SPDX-License-Identifier: MIT
// The subscription of a listener, as the one who subscribed holds it.
#pragma once

#include <memory>
#include <utility>

namespace fusebox {

namespace detail {

/// A listener that is in lists; destroying it closes its gate and takes it out of them.
class Subscribed {
public:
    Subscribed() = default;
    Subscribed(const Subscribed&) = delete;
    Subscribed& operator=(const Subscribed&) = delete;
    virtual ~Subscribed() = default;
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
    explicit Subscription(std::unique_ptr<detail::Subscribed> listener) noexcept
        : listener_(std::move(listener)) {}

    /// Whether a listener is held.
    [[nodiscard]] explicit operator bool() const noexcept { return listener_ != nullptr; }

    /// What the destructor does.
    void unsubscribe() noexcept { listener_.reset(); }

private:
    std::unique_ptr<detail::Subscribed> listener_;
};

}  // namespace fusebox
