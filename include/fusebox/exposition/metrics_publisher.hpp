// SPDX-License-Identifier: MIT
// MetricsPublisher: hands snapshots of a registry to a sink, at an interval.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "fusebox/exposition/metrics_sink.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/duration.hpp"
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
    constexpr std::chrono::hours kMost{24 * 366};
    if (options.interval <= std::chrono::nanoseconds::zero() || options.interval > kMost) {
        return detail::complain("interval", detail::toText(options.interval),
                                "a duration above 0 and at most " + detail::toText(kMost));
    }
    // False for NaN.
    if (!(options.jitter >= 0.0 && options.jitter <= 1.0)) {
        return detail::complain("jitter", detail::toText(options.jitter), "a number from 0 to 1");
    }
    return std::nullopt;
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
        const std::lock_guard control{control_};
        if (thread_.joinable()) {
            if (!stopping()) return;
            thread_.join();
        }
        setStopping(false);
        thread_ = std::thread{[this] { run(); }};
    }

    /// Ends the thread: at once if it waits, else when the sink returns. Then, if it was running
    /// and the options say so, publishes a last snapshot, on this thread. Does nothing if it does
    /// not run. Called by the sink it returns at once, and the thread ends when the sink returns.
    void stop() noexcept {
        // acquire, with the release in `run`; a thread always sees what it wrote itself.
        if (worker_.load(std::memory_order_acquire) == std::this_thread::get_id()) {
            setStopping(true);
            return;
        }
        // One `start` or `stop` at a time, or a `start` could undo this before the thread sees it.
        const std::lock_guard control{control_};
        if (!thread_.joinable()) return;
        setStopping(true);
        wakeUp_.notify_all();
        thread_.join();
        if (options_.publishOnStop) (void)publish();
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
    void run() noexcept {
        // release, both, with the acquire in `stop`: only this thread may find its own name there.
        worker_.store(std::this_thread::get_id(), std::memory_order_release);
        // Not std::random_device, which may throw: processes that start together have other times.
        const auto time = std::chrono::steady_clock::now().time_since_epoch().count();
        std::mt19937_64 random{static_cast<std::uint64_t>(time)};
        while (waitFor(drawWait(random))) (void)publish();
        worker_.store(std::thread::id{}, std::memory_order_release);
    }

    [[nodiscard]] std::chrono::nanoseconds drawWait(std::mt19937_64& random) const {
        std::uniform_real_distribution<double> factor{1.0 - options_.jitter, 1.0 + options_.jitter};
        return saturatingMultiply(options_.interval, factor(random));
    }

    /// False if it shall stop.
    [[nodiscard]] bool waitFor(std::chrono::nanoseconds wait) {
        std::unique_lock lock{mutex_};
        return !wakeUp_.wait_for(lock, wait, [&] { return stopping_; });
    }

    [[nodiscard]] bool stopping() {
        const std::lock_guard lock{mutex_};
        return stopping_;
    }
    void setStopping(bool value) noexcept {
        const std::lock_guard lock{mutex_};
        stopping_ = value;
    }

    const CircuitBreakerRegistry& registry_;
    Sink sink_;
    const MetricsPublisherOptions options_;
    std::atomic<std::uint64_t> published_{0};
    std::atomic<std::uint64_t> errors_{0};

    std::mutex control_;  // Of start and stop; guards thread_.
    std::thread thread_;
    std::atomic<std::thread::id> worker_{};
    std::mutex publishing_;  // Around the sink.
    std::mutex mutex_;       // Guards stopping_.
    std::condition_variable wakeUp_;
    bool stopping_ = false;
};

}  // namespace fusebox
