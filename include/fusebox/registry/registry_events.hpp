// SPDX-License-Identifier: MIT
// What a registry tells its listeners.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "fusebox/breaker/audience.hpp"
#include "fusebox/breaker/events.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox {

/// Why a breaker has left its registry.
enum class RemovalReason : std::uint8_t {
    Removed,  ///< `remove()`.
    Cleared,  ///< `clear()`.
    Evicted,  ///< The registry was full; see `setMaxBreakers()`.
};

/// "REMOVED", "CLEARED" or "EVICTED".
[[nodiscard]] constexpr std::string_view toString(RemovalReason reason) noexcept {
    switch (reason) {
        case RemovalReason::Removed: return "REMOVED";
        case RemovalReason::Cleared: return "CLEARED";
        case RemovalReason::Evicted: return "EVICTED";
    }
    return "UNKNOWN";
}

/// A breaker has joined a registry.
struct BreakerAdded : Event {};

/// A breaker has left a registry; calls in flight go on.
struct BreakerRemoved : Event {
    RemovalReason reason = RemovalReason::Removed;
};

/// A name was asked for with a policy or options that differ from those its breaker was registered
/// with, which stay.
struct ConfigConflict : Event {
    std::string existing{};  ///< Policy and options of the registration, in words.
    std::string given{};     ///< What was asked for, in words.
};

namespace detail {

/// Those who listen to a registry itself.
using RegistryAudience = AudienceOf<StdPlatform, BreakerAdded, BreakerRemoved, ConfigConflict>;

/// Tells the listeners of a registry; what they throw is contained.
template <class E>
void tellAll(const RegistryAudience& audience, E event) noexcept {
    if (!audience.wants<E>()) return;
    event.time = std::chrono::system_clock::now();
    const auto contained = [](auto&& action) {
#if defined(__cpp_exceptions)
        try {
            action();
        } catch (...) {  // A listener's own trouble.
        }
#else
        action();
#endif
    };
    contained([&] { audience.call(event, contained); });
}

}  // namespace detail
}  // namespace fusebox
