// SPDX-License-Identifier: MIT
// One reader of server-sent events, on a thread of cpp-httplib's.
//
// needs: httplib
// needs: nlohmann_json
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "fusebox/adapters/detail/breaker_figures.hpp"
#include "fusebox/adapters/detail/event_broadcast.hpp"
#include "fusebox/exposition/json.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"

namespace fusebox::detail {

/// How often a reader gets what is no event.
struct EventReaderPace {
    std::chrono::nanoseconds heartbeat;
    std::chrono::nanoseconds snapshots;  ///< 0: only the first.
    /// Also soon after an event; empty: never.
    std::optional<std::chrono::nanoseconds> figures;
};

/// Takes from a request how often its reader wants figures; says whether it is well-formed.
[[nodiscard]] inline bool readFiguresPace(const httplib::Request& request, EventReaderPace& pace) {
    if (!request.has_param("figuresMs")) return true;
    const std::string text = request.get_param_value("figuresMs");
    int milliseconds = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, milliseconds);
    if (error != std::errc{} || stop != end) return false;
    if (milliseconds < 100 || milliseconds > 60'000) return false;
    pace.figures = std::chrono::milliseconds{milliseconds};
    return true;
}

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
        if (areFiguresDue(Clock::now(), !messages.empty()) && !writeFigures(sink)) return false;
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
        const auto all = registry_.getAllStats();
        nlohmann::ordered_json data = nlohmann::ordered_json::object();
        data["circuitBreakers"] = all;
        hasSnapshot_ = true;
        lastSnapshot_ = Clock::now();
        if (pace_.figures) figures_.told(all);
        return write(sink, serverSentEvent("SNAPSHOT", data));
    }

    [[nodiscard]] bool areFiguresDue(Clock::time_point now, bool haveEvents) noexcept {
        constexpr std::chrono::milliseconds kSoon{200};
        if (!pace_.figures) return false;
        eventsSinceFigures_ = eventsSinceFigures_ || haveEvents;
        const auto wait = eventsSinceFigures_
                              ? std::min<std::chrono::nanoseconds>(kSoon, *pace_.figures)
                              : *pace_.figures;
        return now - lastFigures_ >= wait;
    }
    [[nodiscard]] bool writeFigures(httplib::DataSink& sink) {
        eventsSinceFigures_ = false;
        lastFigures_ = Clock::now();
        return write(sink, serverSentEvent("FIGURES", figures_.tell(registry_.getAllStats())));
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
    BreakerFigures figures_{};
    bool eventsSinceFigures_ = false;
    Clock::time_point lastFigures_{};
};

}  // namespace fusebox::detail
