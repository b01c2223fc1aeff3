// SPDX-License-Identifier: MIT
// MetricsPublisher: hands snapshots of a registry to a sink, at an interval.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>

#include "fusebox/async/paced_thread.hpp"
#include "fusebox/exposition/metrics_sink.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/detail/random_share.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// How often a MetricsPublisher publishes.
struct MetricsPublisherOptions {
    /// From one snapshot to the next (> 0, at most a year).
    std::chrono::nanoseconds interval = std::chrono::minutes{1};
    /// 0..1: each wait is drawn from [interval x (1 - jitter), interval x (1 + jitter)], so that a
    /// fleet does not publish in step.
    double jitter = 0.1;
    /// Whether `stop()` of a running publisher publishes a last snapshot.
    bool publishOnStop = false;
};

/// What is wrong with the options: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const MetricsPublisherOptions& options) {
    return detail::firstOf(detail::requirePace("interval", options.interval),
                           detail::requireShare("jitter", options.jitter));
}

/// Hands snapshots of a registry to a sink: by `publish()`, and between `start()` and `stop()` on a
/// thread of its own.
///
/// A sink that throws loses that snapshot: it is counted in `errors()`, and the next one comes as
/// usual. **Threads.** Everything may be called concurrently; the sink is called by one thread at a
/// time. The sink may call `stop()`, `errors()` and `published()`. The registry must outlive this.
///
/// @tparam Sink see docs/concepts/metrics_sink.md.
template <class Sink>
class MetricsPublisher {
    static_assert(MetricsSink<Sink>,
                  "fusebox::MetricsPublisher<Sink>: Sink must be movable and have a void "
                  "publish(const MetricsSnapshot&); see docs/concepts/metrics_sink.md");

public:
    /// No thread is made before `start()`.
    /// @throws ConfigError if the options cannot work.
    MetricsPublisher(const CircuitBreakerRegistry& registry, Sink sink,
                     MetricsPublisherOptions options = {})
        : registry_(registry), sink_(std::move(sink)), options_(options) {
        if (const auto complaint = validate(options_)) {
            detail::raise(ConfigError{"MetricsPublisherOptions: " + *complaint});
        }
    }
    MetricsPublisher(const MetricsPublisher&) = delete;
    MetricsPublisher& operator=(const MetricsPublisher&) = delete;
    /// As `stop()`.
    ~MetricsPublisher() { stop(); }

    /// Publishes from now on, the first time after one interval; does nothing if it does so
    /// already.
    /// @throws std::system_error if there is no thread to be had.
    void start() {
        thread_.start(drawWait(), [this] {
            (void)publish();
            return drawWait();
        });
    }

    /// Ends the thread: at once if it waits, else when the sink returns. Then, if it was running
    /// and the options say so, publishes a last snapshot, on this thread. Does nothing if it does
    /// not run. Called by the sink it returns at once, and the thread ends when the sink returns.
    void stop() noexcept {
        if (thread_.stop() && options_.publishOnStop) (void)publish();
    }

    /// Publishes a snapshot now, on this thread; says whether the sink took it.
    bool publish() noexcept {
        const std::lock_guard lock{publishing_};
#if defined(__cpp_exceptions)
        try {
            sink_.publish(metricsSnapshot(registry_));
        } catch (...) {
            errors_.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
#else
        sink_.publish(metricsSnapshot(registry_));
#endif
        published_.fetch_add(1, std::memory_order_relaxed);
        return true;
    }

    /// How many snapshots the sink took.
    [[nodiscard]] std::uint64_t published() const noexcept {
        return published_.load(std::memory_order_relaxed);  // A count orders nothing.
    }
    /// How many it did not, because it threw.
    [[nodiscard]] std::uint64_t errors() const noexcept {
        return errors_.load(std::memory_order_relaxed);  // As above.
    }
    /// For what the sink knows of itself; it must not be used while another thread publishes.
    [[nodiscard]] const Sink& sink() const noexcept {
        return sink_;
    }

private:
    [[nodiscard]] std::chrono::nanoseconds drawWait() {
        const std::lock_guard lock{drawing_};
        return detail::jittered(options_.interval, options_.jitter, random_);
    }

    const CircuitBreakerRegistry& registry_;
    Sink sink_;
    const MetricsPublisherOptions options_;
    std::atomic<std::uint64_t> published_{0};
    std::atomic<std::uint64_t> errors_{0};

    std::mutex publishing_;  // Around the sink.
    std::mutex drawing_;     // Guards random_.
    detail::RandomShare random_;
    detail::PacedThread thread_;  // Last: gone first.
};

}  // namespace fusebox
