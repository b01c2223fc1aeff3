// SPDX-License-Identifier: MIT
// Who listens to a breaker or a registry, event by event.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/listeners.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The listeners to several kinds of events. Where nobody ever listened they take a byte for each
/// kind, and a pointer.
template <class Platform, class... Events>
class AudienceOf {
public:
    AudienceOf() = default;
    AudienceOf(const AudienceOf&) = delete;
    AudienceOf& operator=(const AudienceOf&) = delete;
    // relaxed: who destroys it has the last say over it already.
    ~AudienceOf() { delete listeners_.load(std::memory_order_relaxed); }

    /// One load. A listener that another thread is just adding may be missed.
    template <class E>
    [[nodiscard]] FUSEBOX_HOT bool wants() const noexcept {
        // relaxed: it only says whether it is worth to look.
        return wanted_[indexOf<E>()].load(std::memory_order_relaxed);
    }

    /// The listeners to one kind of event. Allocates, once for all kinds.
    template <class E>
    [[nodiscard]] Listeners<E, Platform>& of() {
        return made();
    }

    /// Calls every listener to such an event, with no lock held; `contain` runs each one.
    template <class E, class Contain>
    void call(const E& event, Contain&& contain) const {
        const Listeners<E, Platform>* const listeners = listeners_.load(std::memory_order_acquire);
        if (listeners) listeners->call(event, std::forward<Contain>(contain));
    }

private:
    using Wanted = std::array<typename Platform::template Atomic<bool>, sizeof...(Events)>;

    /// A tuple would take longer to compile.
    struct All : Listeners<Events, Platform>... {
        explicit All(Wanted& wanted) noexcept
            : Listeners<Events, Platform>(wanted[indexOf<Events>()])... {}
    };

    template <class E>
    [[nodiscard]] static constexpr std::size_t indexOf() noexcept {
        constexpr bool kIs[]{std::is_same_v<E, Events>...};
        std::size_t index = 0;
        while (!kIs[index]) ++index;
        return index;
    }

    [[nodiscard]] All& made() {
        if (All* const there = listeners_.load(std::memory_order_acquire)) return *there;
        auto mine = std::make_unique<All>(wanted_);
        All* others = nullptr;
        // release, with the acquires: who finds the listeners finds them made.
        if (!listeners_.compare_exchange_strong(others, mine.get(), std::memory_order_release,
                                                std::memory_order_acquire))
            return *others;
        return *mine.release();
    }

    Wanted wanted_{};
    typename Platform::template Atomic<All*> listeners_{nullptr};
};

/// Those who listen to one breaker.
template <class Platform = StdPlatform>
using Audience =
    AudienceOf<Platform, StateChanged, ModeChanged, WasReset, Reconfigured, CallSucceeded,
               CallFailed, CallTimedOut, CallRejected, CallIgnored, SlowCall>;

}  // namespace fusebox::detail
