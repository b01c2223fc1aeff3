// SPDX-License-Identifier: MIT
// The breakers of a process, by name.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/registry/circuit_breaker_view.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/never_destroyed.hpp"

namespace fusebox {

namespace detail {

template <class T>
inline constexpr bool isFallback = false;
template <class F>
inline constexpr bool isFallback<Fallback<F>> = true;

/// What stands in a policy's place: neither options nor a fallback.
template <class P>
concept PolicyArgument = !isFallback<P> && !std::same_as<P, CircuitBreakerOptions>;

}  // namespace detail

/// A breaker has joined a registry.
struct BreakerAdded : Event {};
/// A breaker has left a registry; calls in flight go on.
struct BreakerRemoved : Event {};
/// A name was asked for with a policy or options that differ from its breaker's, which stay.
struct ConfigConflict : Event {
    std::string existing{};  ///< Policy and options in force, in words.
    std::string given{};     ///< What was asked for, in words.
};

/// A policy and options under a name, to create breakers from.
struct BreakerPreset {
    AnyTripPolicy policy{};
    CircuitBreakerOptions options{};
};

/// Breakers by name, of any clock and policy. A breaker made by name is a NamedCircuitBreaker;
/// others join with `add`.
///
/// **Threads.** Everything may be called concurrently; listeners run with no lock held.
class CircuitBreakerRegistry {
public:
    using Handle = std::shared_ptr<NamedCircuitBreaker>;

    CircuitBreakerRegistry() = default;
    CircuitBreakerRegistry(const CircuitBreakerRegistry&) = delete;
    CircuitBreakerRegistry& operator=(const CircuitBreakerRegistry&) = delete;

    /// A new breaker; what is not given comes from the defaults.
    /// @throws ConfigError if the name exists, or the configuration cannot work.
    Handle create(std::string_view name) { return make<AnyTripPolicy>(name, nullptr, nullptr); }
    Handle create(std::string_view name, const CircuitBreakerOptions& options) {
        return make<AnyTripPolicy>(name, nullptr, &options);
    }
    template <detail::PolicyArgument P>
    Handle create(std::string_view name, const P& policy) {
        return make(name, &policy, nullptr);
    }
    template <detail::PolicyArgument P>
    Handle create(std::string_view name, const P& policy, const CircuitBreakerOptions& options) {
        return make(name, &policy, &options);
    }

    /// The breaker of that name, made if there is none. The first configuration wins; a given one
    /// that differs is reported through `onConfigConflict`, once a name.
    /// @throws ConfigError if the configuration cannot work, or the name is of another type.
    Handle getOrCreate(std::string_view name) {
        return findOrMake<AnyTripPolicy>(name, nullptr, nullptr);
    }
    Handle getOrCreate(std::string_view name, const CircuitBreakerOptions& options) {
        return findOrMake<AnyTripPolicy>(name, nullptr, &options);
    }
    template <detail::PolicyArgument P>
    Handle getOrCreate(std::string_view name, const P& policy) {
        return findOrMake(name, &policy, nullptr);
    }
    template <detail::PolicyArgument P>
    Handle getOrCreate(std::string_view name, const P& policy,
                       const CircuitBreakerOptions& options) {
        return findOrMake(name, &policy, &options);
    }

    /// Lets a breaker of any clock and policy join under its own name.
    /// @throws ConfigError if the handle is null or the name exists.
    template <class Clock, class Policy>
    void add(std::shared_ptr<CircuitBreaker<Clock, Policy>> breaker) {
        if (!breaker) detail::raise(ConfigError{"breaker is null; allowed: a breaker"});
        std::string name{breaker->name()};
        insert(std::move(name), std::move(breaker));
    }

    /// The breaker of that name; null if there is none.
    /// @throws ConfigError if it is of another type than `Breaker`.
    template <class Breaker = NamedCircuitBreaker>
    [[nodiscard]] std::shared_ptr<Breaker> get(std::string_view name) const {
        const std::shared_lock lock{mutex_};
        const auto found = entries_.find(name);
        if (found == entries_.end()) return nullptr;
        return typed<Breaker>(name, *found->second.view);
    }

    /// What can be watched and steered under that name; null if there is nothing.
    [[nodiscard]] std::shared_ptr<CircuitBreakerView> view(std::string_view name) const {
        const std::shared_lock lock{mutex_};
        const auto found = entries_.find(name);
        return found == entries_.end() ? nullptr : found->second.view;
    }

    /// Every breaker, sorted by name.
    [[nodiscard]] std::vector<std::shared_ptr<CircuitBreakerView>> getAll() const {
        std::vector<std::shared_ptr<CircuitBreakerView>> all;
        {
            const std::shared_lock lock{mutex_};
            all.reserve(entries_.size());
            for (const auto& [name, entry] : entries_) all.push_back(entry.view);
        }
        std::ranges::sort(all, {}, [](const auto& view) { return view->name(); });
        return all;
    }

    /// The stats of every breaker, sorted by name.
    [[nodiscard]] std::vector<CircuitBreakerStats> getAllStats() const {
        std::vector<CircuitBreakerStats> all;
        for (const auto& view : getAll()) all.push_back(view->stats());
        return all;
    }

    /// Forgets a breaker; says whether it was there.
    bool remove(std::string_view name) {
        std::shared_ptr<CircuitBreakerView> removed;
        {
            const std::unique_lock lock{mutex_};
            const auto found = entries_.find(name);
            if (found == entries_.end()) return false;
            removed = std::move(found->second.view);
            entries_.erase(found);
        }
        tell(onRemoved_, BreakerRemoved{{removed->name()}});
        return true;
    }

    /// Resets a breaker; says whether it was there.
    bool reset(std::string_view name) {
        const auto found = view(name);
        if (found) found->reset();
        return found != nullptr;
    }
    void resetAll() {
        for (const auto& view : getAll()) view->reset();
    }

    /// Forgets every breaker.
    void clear() {
        Entries removed;
        {
            const std::unique_lock lock{mutex_};
            removed.swap(entries_);
        }
        for (const auto& [name, entry] : removed) tell(onRemoved_, BreakerRemoved{{name}});
    }

    /// The policy and options of breakers that are created without.
    /// @throws ConfigError if they cannot work.
    void setDefaults(AnyTripPolicy policy, CircuitBreakerOptions options = {}) {
        BreakerPreset defaults = checked("defaults", {std::move(policy), std::move(options)});
        const std::unique_lock lock{mutex_};
        std::swap(defaults_, defaults);  // The old ones are released after the lock.
    }

    /// Keeps a policy and options under a name; the last definition wins.
    /// @throws ConfigError if they cannot work.
    void definePreset(std::string_view name, AnyTripPolicy policy,
                      CircuitBreakerOptions options = {}) {
        BreakerPreset preset = checked(name, {std::move(policy), std::move(options)});
        const std::unique_lock lock{mutex_};
        std::swap(presets_[std::string{name}], preset);  // The old one is released after the lock.
    }

    /// A preset by value: change single fields, then create with it.
    /// @throws ConfigError if there is none of that name.
    [[nodiscard]] BreakerPreset preset(std::string_view name) const {
        const std::shared_lock lock{mutex_};
        const auto found = presets_.find(name);
        if (found == presets_.end()) {
            detail::raise(ConfigError{detail::complain("preset", '"' + std::string{name} + '"',
                                                       "a name given to definePreset()")});
        }
        return found->second;
    }

    /// Called as `listener(const BreakerAdded&)` or `listener()`; what it throws is contained.
    template <detail::ListensTo<BreakerAdded> Listener>
    [[nodiscard]] Subscription onAdded(Listener listener) {
        return onAdded_.add(detail::listenerOf<BreakerAdded>(std::move(listener)));
    }
    template <detail::ListensTo<BreakerRemoved> Listener>
    [[nodiscard]] Subscription onRemoved(Listener listener) {
        return onRemoved_.add(detail::listenerOf<BreakerRemoved>(std::move(listener)));
    }
    template <detail::ListensTo<ConfigConflict> Listener>
    [[nodiscard]] Subscription onConfigConflict(Listener listener) {
        return onConfigConflict_.add(detail::listenerOf<ConfigConflict>(std::move(listener)));
    }

private:
    /// Looks names up without making a std::string of them.
    struct NameHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view name) const noexcept {
            return std::hash<std::string_view>{}(name);
        }
    };
    template <class T>
    using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

    struct Entry {
        std::shared_ptr<detail::TypedView> view;
        std::shared_ptr<std::atomic<bool>> conflictReported =
            std::make_shared<std::atomic<bool>>(false);
    };
    using Entries = ByName<Entry>;

    template <class Breaker>
    [[nodiscard]] static std::shared_ptr<Breaker> typed(std::string_view name,
                                                        const detail::TypedView& view) {
        if (view.type() != detail::typeTag<Breaker>()) {
            detail::raise(ConfigError{"circuit breaker \"" + std::string{name} +
                                      "\": its type is not the one asked for; allowed: "
                                      "the clock and policy that it was added with"});
        }
        return std::static_pointer_cast<Breaker>(view.breaker());
    }

    [[nodiscard]] static BreakerPreset checked(std::string_view name, BreakerPreset preset) {
        if (const auto complaint =
                detail::firstOf(validate(preset.policy), validate(preset.options))) {
            detail::raise(ConfigError{"\"" + std::string{name} + "\": " + *complaint});
        }
        return preset;
    }

    template <class P>
    static constexpr void requireBuiltIn() {
        static_assert(BuiltInPolicy<P>,
                      "fusebox: a breaker made by name holds a built-in policy, or anyOf/allOf of "
                      "them; make one with a policy of your own and let it join with add()");
    }

    /// A breaker that is in no registry yet; what is not given comes from the defaults.
    template <class P>
    [[nodiscard]] Handle build(std::string_view name, const P* policy,
                               const CircuitBreakerOptions* options) const {
        BreakerPreset config;
        {
            const std::shared_lock lock{mutex_};
            config = defaults_;
        }
        if (policy) config.policy = *policy;
        if (options) config.options = *options;
        return std::make_shared<NamedCircuitBreaker>(std::string{name}, std::move(config.policy),
                                                     std::move(config.options));
    }

    template <class P>
    Handle make(std::string_view name, const P* policy, const CircuitBreakerOptions* options) {
        requireBuiltIn<P>();
        Handle breaker = build(name, policy, options);
        insert(std::string{name}, breaker);
        return breaker;
    }

    template <class Breaker>
    void insert(std::string name, std::shared_ptr<Breaker> breaker) {
        if (!tryInsert(name, std::move(breaker))) {
            detail::raise(ConfigError{"circuit breaker \"" + name +
                                      "\": name is already registered; allowed: a new name"});
        }
    }

    template <class Breaker>
    bool tryInsert(const std::string& name, std::shared_ptr<Breaker> breaker) {
        // Refused, it is released after the lock: it may hold callbacks whose end uses the
        // registry.
        const auto view = std::make_shared<detail::BreakerView<Breaker>>(std::move(breaker));
        {
            const std::unique_lock lock{mutex_};
            if (!entries_.try_emplace(name, Entry{view}).second) return false;
        }
        tell(onAdded_, BreakerAdded{{name}});
        return true;
    }

    template <class P>
    Handle findOrMake(std::string_view name, const P* policy,
                      const CircuitBreakerOptions* options) {
        requireBuiltIn<P>();
        for (;;) {
            if (Handle found = find(name, policy, options)) return found;
            Handle breaker = build(name, policy, options);
            // Another thread may have been faster: then its breaker is the one.
            if (tryInsert(std::string{name}, breaker)) return breaker;
        }
    }

    template <class P>
    Handle find(std::string_view name, const P* policy, const CircuitBreakerOptions* options) {
        Handle breaker;
        std::shared_ptr<std::atomic<bool>> reported;
        {
            const std::shared_lock lock{mutex_};
            const auto found = entries_.find(name);
            if (found == entries_.end()) return nullptr;
            breaker = typed<NamedCircuitBreaker>(name, *found->second.view);
            if (!conflicts(*breaker, policy, options)) return breaker;
            reported = found->second.conflictReported;
        }
        // relaxed: only one of them may win.
        if (onConfigConflict_.any() && !reported->exchange(true, std::memory_order_relaxed)) {
            const CircuitBreakerStats stats = breaker->stats();
            const std::string given = policy ? toString(*policy) : stats.policy;
            tell(onConfigConflict_,
                 ConfigConflict{{breaker->name()},
                                stats.policy + "; " + stats.options,
                                given + "; " + (options ? toString(*options) : stats.options)});
        }
        return breaker;
    }

    template <class P>
    [[nodiscard]] static bool conflicts(const NamedCircuitBreaker& breaker, const P* policy,
                                        const CircuitBreakerOptions* options) {
        return (policy && !breaker.hasPolicy(*policy)) ||
               (options && !breaker.hasOptions(*options));
    }

    template <class E>
    static void tell(const detail::Listeners<E>& listeners, E event) noexcept {
        if (!listeners.any()) return;
        event.time = std::chrono::system_clock::now();
        listeners.call(event, [](auto&& one) {
#if defined(__cpp_exceptions)
            try {
                one();
            } catch (...) {  // A listener's own trouble.
            }
#else
            one();
#endif
        });
    }

    mutable std::shared_mutex mutex_;
    Entries entries_;
    ByName<BreakerPreset> presets_;
    BreakerPreset defaults_;
    detail::Listeners<BreakerAdded> onAdded_;
    detail::Listeners<BreakerRemoved> onRemoved_;
    detail::Listeners<ConfigConflict> onConfigConflict_;
};

/// The registry of the process. Never destroyed, so that it works from static initialisers, at exit
/// and in threads that outlive `main`.
[[nodiscard]] inline CircuitBreakerRegistry& circuitBreakerRegistry() {
    static detail::NeverDestroyed<CircuitBreakerRegistry> registry;
    return registry.get();
}

/// `circuitBreakerRegistry().getOrCreate(...)`.
inline std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(std::string_view name) {
    return circuitBreakerRegistry().getOrCreate(name);
}
inline std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(
    std::string_view name, const CircuitBreakerOptions& options) {
    return circuitBreakerRegistry().getOrCreate(name, options);
}
template <detail::PolicyArgument P>
std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(std::string_view name, const P& policy) {
    return circuitBreakerRegistry().getOrCreate(name, policy);
}
template <detail::PolicyArgument P>
std::shared_ptr<NamedCircuitBreaker> createCircuitBreaker(std::string_view name, const P& policy,
                                                          const CircuitBreakerOptions& options) {
    return circuitBreakerRegistry().getOrCreate(name, policy, options);
}

}  // namespace fusebox
