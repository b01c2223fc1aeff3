// SPDX-License-Identifier: MIT
// One reader of server-sent events, on a thread of cpp-httplib's.
//
// needs: httplib
// needs: nlohmann_json
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "fusebox/adapters/detail/event_broadcast.hpp"
#include "fusebox/exposition/json.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"

namespace fusebox::detail {

/// How often a reader gets what is no event.
struct EventReaderPace {
    std::chrono::nanoseconds heartbeat;
    std::chrono::nanoseconds snapshots;  ///< 0: only the first.
};

/// Writes a snapshot of all breakers and then events, until the connection ends.
class EventReader {
public:
    using Clock = std::chrono::steady_clock;

    /// Null if there are too many.
    [[nodiscard]] static std::shared_ptr<EventReader> join(
        std::shared_ptr<EventBroadcast> broadcast, const CircuitBreakerRegistry& registry,
        EventReaderPace pace) {
        auto queue = broadcast->join();
        if (!queue) return nullptr;
        return std::make_shared<EventReader>(std::move(broadcast), std::move(queue), registry,
                                             pace);
    }

    EventReader(std::shared_ptr<EventBroadcast> broadcast, std::shared_ptr<EventQueue> queue,
                const CircuitBreakerRegistry& registry, EventReaderPace pace)
        : broadcast_(std::move(broadcast)),
          queue_(std::move(queue)),
          registry_(registry),
          pace_(pace) {}
    EventReader(const EventReader&) = delete;
    EventReader& operator=(const EventReader&) = delete;
    ~EventReader() { broadcast_->leave(queue_); }

    /// Writes what there is, or waits a moment for it: the server looks between two calls whether
    /// it is being stopped. False ends the connection: the reader is gone, or it fell behind.
    [[nodiscard]] bool serve(httplib::DataSink& sink) {
        constexpr std::chrono::milliseconds kMoment{100};
        if (isSnapshotDue(Clock::now()) && !writeSnapshot(sink)) return false;
        std::vector<EventQueue::Message> messages;
        if (!queue_->take(kMoment, messages)) return false;
        for (const auto& message : messages) {
            if (!write(sink, *message)) return false;
        }
        if (Clock::now() - lastWrite_ >= pace_.heartbeat) return write(sink, ": alive\n\n");
        return sink.is_writable();
    }

private:
    [[nodiscard]] bool isSnapshotDue(Clock::time_point now) const noexcept {
        if (!hasSnapshot_) return true;
        const bool repeats = pace_.snapshots > std::chrono::nanoseconds::zero();
        return repeats && now - lastSnapshot_ >= pace_.snapshots;
    }

    [[nodiscard]] bool writeSnapshot(httplib::DataSink& sink) {
        nlohmann::ordered_json data = nlohmann::ordered_json::object();
        data["circuitBreakers"] = registry_.getAllStats();
        hasSnapshot_ = true;
        lastSnapshot_ = Clock::now();
        return write(sink, serverSentEvent("SNAPSHOT", data));
    }

    [[nodiscard]] bool write(httplib::DataSink& sink, std::string_view text) {
        lastWrite_ = Clock::now();
        // Some versions say in one place that it failed, some in another.
        return sink.write(text.data(), text.size());
    }

    const std::shared_ptr<EventBroadcast> broadcast_;
    const std::shared_ptr<EventQueue> queue_;
    const CircuitBreakerRegistry& registry_;
    const EventReaderPace pace_;
    bool hasSnapshot_ = false;
    Clock::time_point lastSnapshot_{};
    Clock::time_point lastWrite_{};
};

}  // namespace fusebox::detail
