// SPDX-License-Identifier: MIT
// Events of a registry for many readers, each with a queue that is bounded.
//
// needs: nlohmann_json
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "fusebox/exposition/json.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/registry/event_words.hpp"
#include "fusebox/registry/registry_events.hpp"

namespace fusebox::detail {

/// A message of a stream of server-sent events: one line of JSON has no line end that could break
/// it. https://html.spec.whatwg.org/multipage/server-sent-events.html
[[nodiscard]] inline std::string serverSentEvent(std::string_view kind,
                                                 const nlohmann::ordered_json& data) {
    std::string text{"event: "};
    text.append(kind).append("\ndata: ").append(jsonText(data)).append("\n\n");
    return text;
}

/// What waits for one reader. Once it was full it stays lost: what comes later would not follow on
/// what came before.
class EventQueue {
public:
    using Message = std::shared_ptr<const std::string>;

    explicit EventQueue(std::size_t capacity) : capacity_(capacity) {}

    /// Never waits for the reader.
    void push(Message message) {
        std::vector<Message> dropped;  // Released after the lock.
        const std::lock_guard lock{mutex_};
        if (lost_) return;
        if (waiting_.size() < capacity_) {
            waiting_.push_back(std::move(message));
        } else {
            lost_ = true;
            dropped.swap(waiting_);
        }
        hasNews_.notify_one();
    }

    /// What waits, oldest first; waits that long for something. Says whether nothing was lost.
    [[nodiscard]] bool take(std::chrono::nanoseconds patience, std::vector<Message>& taken) {
        std::unique_lock lock{mutex_};
        hasNews_.wait_for(lock, patience, [&] { return lost_ || !waiting_.empty(); });
        taken = std::exchange(waiting_, {});
        return !lost_;
    }

private:
    const std::size_t capacity_;
    std::mutex mutex_;  // Guards what follows; never held while anyone reads or writes a socket.
    std::condition_variable hasNews_;
    std::vector<Message> waiting_;
    bool lost_ = false;
};

/// Gives the events of a registry that are not those of calls to readers that come and go.
class EventBroadcast {
public:
    EventBroadcast(CircuitBreakerRegistry& registry, std::size_t maxReaders,
                   std::size_t queueLength)
        : maxReaders_(maxReaders), queueLength_(queueLength) {
        listenTo<StateChanged, ModeChanged, WasReset, Reconfigured>(registry);
        keep(registry.onAdded([this](const BreakerAdded& event) { tell(event); }));
        keep(registry.onRemoved([this](const BreakerRemoved& event) { tell(event); }));
    }
    EventBroadcast(const EventBroadcast&) = delete;
    EventBroadcast& operator=(const EventBroadcast&) = delete;

    /// A queue that gets every event from now on, until `leave`; null if there are too many.
    [[nodiscard]] std::shared_ptr<EventQueue> join() {
        auto queue = std::make_shared<EventQueue>(queueLength_);
        const std::lock_guard lock{mutex_};
        if (queues_.size() >= maxReaders_) return nullptr;
        queues_.push_back(queue);
        return queue;
    }
    void leave(const std::shared_ptr<EventQueue>& queue) noexcept {
        const std::lock_guard lock{mutex_};
        std::erase(queues_, queue);
    }

private:
    template <class... Events>
    void listenTo(CircuitBreakerRegistry& registry) {
        (keep(registry.on<Events>([this](const Events& event) { tell(event); })), ...);
    }
    void keep(Subscription subscription) { subscriptions_.push_back(std::move(subscription)); }

    template <class E>
    void tell(const E& event) {
        // Under the lock even to see that there is nobody: whoever joins and then reads the
        // breakers' states must find there what is not told here.
        const auto queues = readers();
        if (queues.empty()) return;
        const auto message = std::make_shared<const std::string>(
            serverSentEvent(toString(kindOf<E>), nlohmann::ordered_json(event)));
        for (const auto& queue : queues) queue->push(message);
    }
    [[nodiscard]] std::vector<std::shared_ptr<EventQueue>> readers() const {
        const std::lock_guard lock{mutex_};
        return queues_;
    }

    const std::size_t maxReaders_;
    const std::size_t queueLength_;
    mutable std::mutex mutex_;  // Guards queues_.
    std::vector<std::shared_ptr<EventQueue>> queues_;
    std::vector<Subscription> subscriptions_;  // Last: gone first.
};

}  // namespace fusebox::detail
