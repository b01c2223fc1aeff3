// SPDX-License-Identifier: MIT
// The subscription of a listener, as the one who subscribed holds it.
#pragma once

#include <concepts>
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
    template <std::derived_from<detail::Subscribed> Listener>
    explicit Subscription(std::unique_ptr<Listener> listener) noexcept
        : listener_(listener.release()) {}
    Subscription(Subscription&& other) noexcept
        : listener_(std::exchange(other.listener_, nullptr)) {}
    Subscription& operator=(Subscription&& other) noexcept {
        Subscription taken{std::move(other)};
        std::swap(listener_, taken.listener_);
        return *this;
    }
    ~Subscription() { unsubscribe(); }

    /// Whether a listener is held.
    [[nodiscard]] explicit operator bool() const noexcept { return listener_ != nullptr; }

    /// What the destructor does.
    void unsubscribe() noexcept { delete std::exchange(listener_, nullptr); }

private:
    // Owned; no unique_ptr, for the reason at StateCallback.
    detail::Subscribed* listener_ = nullptr;
};

}  // namespace fusebox
