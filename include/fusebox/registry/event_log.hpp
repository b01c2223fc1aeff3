// SPDX-License-Identifier: MIT
// The last events of all breakers of a registry, in memory.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/registry/event_words.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// An event as an EventLog keeps it.
struct LoggedEvent {
    std::uint64_t sequence = 0;  ///< 1 for the first that the log received; no gaps.
    EventKind kind = EventKind::StateChanged;
    std::string breaker{};
    std::chrono::system_clock::time_point time{};
    std::string text{};  ///< The details in one line.
};

/// Keeps the last events of every breaker of a registry, from its construction to its destruction:
/// without an object nothing is subscribed and nothing is kept.
///
/// **Threads.** Everything may be called concurrently. It may outlive its registry.
/// **Cost.** Each event logged is put into words and takes the log's mutex.
class EventLog {
public:
    /// Everything but CallSucceeded: calls that went well would soon be all that is left.
    static constexpr std::initializer_list<EventKind> kAllButSuccesses{
        EventKind::StateChanged, EventKind::ModeChanged,    EventKind::WasReset,
        EventKind::Reconfigured, EventKind::CallFailed,     EventKind::CallTimedOut,
        EventKind::CallRejected, EventKind::CallIgnored,    EventKind::SlowCall,
        EventKind::BreakerAdded, EventKind::BreakerRemoved, EventKind::ConfigConflict};

    /// @param capacity how many events to keep (>= 1).
    /// @throws ConfigError if it is 0.
    // A template, so that listeners of 13 events are compiled by those only who make a log.
    template <std::same_as<CircuitBreakerRegistry> Registry>
    EventLog(Registry& registry, std::size_t capacity,
             std::initializer_list<EventKind> kinds = kAllButSuccesses)
        : capacity_(capacity) {
        if (capacity == 0)
            detail::raise(ConfigError{detail::complain("capacity", "0", "1 to any")});
        const auto wants = [&](EventKind kind) { return std::ranges::count(kinds, kind) > 0; };
        listenTo<StateChanged, ModeChanged, WasReset, Reconfigured, CallSucceeded, CallFailed,
                 CallTimedOut, CallRejected, CallIgnored, SlowCall>(registry, wants);
        if (wants(EventKind::BreakerAdded)) {
            keep(registry.onAdded([this](const BreakerAdded& event) { log(event); }));
        }
        if (wants(EventKind::BreakerRemoved)) {
            keep(registry.onRemoved([this](const BreakerRemoved& event) { log(event); }));
        }
        if (wants(EventKind::ConfigConflict)) {
            keep(registry.onConfigConflict([this](const ConfigConflict& event) { log(event); }));
        }
    }
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    /// What is kept, oldest first.
    [[nodiscard]] std::vector<LoggedEvent> events() const {
        const std::lock_guard lock{mutex_};
        std::vector<LoggedEvent> all;
        all.reserve(ring_.size());
        for (std::size_t i = 0; i < ring_.size(); ++i) {
            all.push_back(ring_[(oldest_ + i) % ring_.size()]);
        }
        return all;
    }

    /// Forgets what is kept; the sequence goes on.
    void clear() noexcept {
        const std::lock_guard lock{mutex_};
        ring_.clear();
        oldest_ = 0;
    }

    [[nodiscard]] std::size_t capacity() const noexcept { return capacity_; }

private:
    template <class... Events, class Wants>
    void listenTo(CircuitBreakerRegistry& registry, const Wants& wants) {
        const auto listen = [&](auto subscribe, EventKind kind) {
            if (wants(kind)) keep(subscribe());
        };
        (listen([&] { return registry.on<Events>([this](const Events& event) { log(event); }); },
                detail::kindOf<Events>),
         ...);
    }
    void keep(Subscription subscription) { subscriptions_.push_back(std::move(subscription)); }

    template <class E>
    void log(const E& event) {
        LoggedEvent logged{.kind = detail::kindOf<E>,
                           .breaker = std::string{event.breaker},
                           .time = event.time,
                           .text = detail::inWords(event)};
        const std::lock_guard lock{mutex_};
        logged.sequence = last_ + 1;
        if (ring_.size() < capacity_) {
            ring_.push_back(std::move(logged));
        } else {
            std::swap(ring_[oldest_], logged);  // The old one is released after the lock.
            oldest_ = (oldest_ + 1) % capacity_;
        }
        ++last_;
    }

    const std::size_t capacity_;
    mutable std::mutex mutex_;
    std::vector<LoggedEvent> ring_;
    std::size_t oldest_ = 0;
    std::uint64_t last_ = 0;
    std::vector<Subscription> subscriptions_;  // Last: gone first.
};

}  // namespace fusebox
