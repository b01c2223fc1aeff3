// SPDX-License-Identifier: MIT
// A listener: what a user gave to be told of an event, behind its gate.
#pragma once

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include "fusebox/breaker/listener_gate.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

template <class Event, class Platform = StdPlatform>
class Listener final : public ListenerGate<Platform> {
public:
    explicit Listener(std::function<void(const Event&)> call) : call_(std::move(call)) {}

    void operator()(const Event& event) {
        this->enter([&] { call_(event); });
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

}  // namespace fusebox::detail
