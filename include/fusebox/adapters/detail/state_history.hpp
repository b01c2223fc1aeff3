// SPDX-License-Identifier: MIT
// The states of a registry's breakers over the last hour.
//
// needs: nlohmann_json
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/exposition/json_values.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/registry/registry_events.hpp"
#include "fusebox/vocabulary/iso_time.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// How a breaker was from a time on, as its `state()` and `mode()` say.
struct PastState {
    std::chrono::system_clock::time_point since{};
    CircuitState state = CircuitState::Closed;
    ControlMode mode = ControlMode::Automatic;
    std::optional<TransitionReason> reason{};  ///< Of a change of state.
};

/// The past of one breaker: the first entry is how it was at the beginning.
class PastStates {
public:
    using Time = std::chrono::system_clock::time_point;
    static constexpr std::size_t kMost = 256;
    static constexpr std::chrono::hours kHorizon{1};

    PastStates(Time since, CircuitState state, ControlMode mode) : cycle_(state), mode_(mode) {
        entries_.push_back({since, state, mode, std::nullopt});
    }

    void changed(Time time, CircuitState to, TransitionReason reason) {
        cycle_ = to;
        push(time, reason);
    }
    void changed(Time time, ControlMode to) {
        mode_ = to;
        push(time, std::nullopt);
    }
    /// The last hour's, and the one before that: how the hour began.
    void forgetBefore(Time now) {
        while (entries_.size() > 1 && entries_[1].since < now - kHorizon) entries_.pop_front();
    }
    [[nodiscard]] const std::deque<PastState>& entries() const noexcept { return entries_; }

private:
    void push(Time time, std::optional<TransitionReason> reason) {
        forgetBefore(time);
        if (entries_.size() == kMost) entries_.pop_front();
        entries_.push_back({time, visible(), mode_, reason});
    }
    [[nodiscard]] CircuitState visible() const noexcept {
        if (mode_ == ControlMode::ForcedOpen) return CircuitState::Open;
        return mode_ == ControlMode::ForcedClosed ? CircuitState::Closed : cycle_;
    }

    CircuitState cycle_;
    ControlMode mode_;
    std::deque<PastState> entries_;
};

/// Keeps, from its construction on, the last changes of each breaker of a registry: those of an
/// hour, at most 256 a breaker. Everything may be called concurrently.
class StateHistory {
public:
    explicit StateHistory(CircuitBreakerRegistry& registry)
        : registry_(registry), since_(std::chrono::system_clock::now()) {
        keep(registry.on<StateChanged>([this](const StateChanged& event) {
            const PastStates before{event.time, event.from, event.snapshot.mode};
            const std::lock_guard lock{mutex_};
            past_.try_emplace(std::string{event.breaker}, before)
                .first->second.changed(event.time, event.to, event.reason);
        }));
        keep(registry.on<ModeChanged>([this](const ModeChanged& event) {
            const PastStates before{event.time, CircuitState::Closed, event.from};
            const std::lock_guard lock{mutex_};
            past_.try_emplace(std::string{event.breaker}, before)
                .first->second.changed(event.time, event.to);
        }));
        keep(registry.onAdded(
            [this](const BreakerAdded& event) { meet(event.breaker, event.time); }));
        keep(registry.onRemoved([this](const BreakerRemoved& event) {
            const std::lock_guard lock{mutex_};
            const auto found = past_.find(event.breaker);
            if (found != past_.end()) past_.erase(found);
        }));
        for (const auto& view : registry.getAll()) meet(view->name(), since_);
    }
    StateHistory(const StateHistory&) = delete;
    StateHistory& operator=(const StateHistory&) = delete;

    /// `{"time", "since", "circuitBreakers": [{"name", "changes": [{"time", "state", "mode",
    /// "reason"}]}]}`: the first of the changes is how it began, its reason is null.
    [[nodiscard]] nlohmann::ordered_json json() {
        const auto now = std::chrono::system_clock::now();
        auto all = nlohmann::ordered_json::object();
        all["time"] = isoTime(now);
        all["since"] = isoTime(std::max(since_, now - PastStates::kHorizon));
        all["circuitBreakers"] = nlohmann::ordered_json::array();
        for (auto& [name, past] : copy(now)) {
            auto one = nlohmann::ordered_json::object();
            one["name"] = name;
            one["changes"] = nlohmann::ordered_json::array();
            for (const PastState& entry : past.entries()) one["changes"].push_back(jsonOf(entry));
            all["circuitBreakers"].push_back(std::move(one));
        }
        return all;
    }

private:
    using Time = PastStates::Time;
    using Past = std::map<std::string, PastStates, std::less<>>;

    [[nodiscard]] static nlohmann::ordered_json jsonOf(const PastState& entry) {
        auto json = nlohmann::ordered_json::object();
        json["time"] = isoTime(entry.since);
        json["state"] = entry.state;
        json["mode"] = entry.mode;
        json["reason"] = jsonOptional<nlohmann::ordered_json>(entry.reason);
        return json;
    }

    void keep(Subscription subscription) { subscriptions_.push_back(std::move(subscription)); }

    void meet(std::string_view name, Time since) {
        const auto view = registry_.view(name);
        if (!view) return;
        const std::lock_guard lock{mutex_};
        past_.try_emplace(std::string{name}, since, view->state(), view->mode());
    }

    /// Without those of breakers that are gone, of which a late event may have come.
    [[nodiscard]] Past copy(Time now) {
        std::set<std::string_view, std::less<>> present;
        const auto views = registry_.getAll();
        for (const auto& view : views) present.insert(view->name());
        const std::lock_guard lock{mutex_};
        std::erase_if(past_, [&](const auto& one) { return !present.contains(one.first); });
        for (auto& one : past_) one.second.forgetBefore(now);
        return past_;
    }

    CircuitBreakerRegistry& registry_;
    const Time since_;
    std::mutex mutex_;  // Guards past_.
    Past past_;
    std::vector<Subscription> subscriptions_;  // Last: gone first.
};

}  // namespace fusebox::detail
