// SPDX-License-Identifier: MIT
// GuardedJob: something done at an interval, through a breaker, with retries.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/async/guarded_job_options.hpp"
#include "fusebox/async/job_attempt.hpp"
#include "fusebox/async/job_ledger.hpp"
#include "fusebox/async/job_stats.hpp"
#include "fusebox/async/paced_thread.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/short_text.hpp"
#include "fusebox/registry/process_registry.hpp"
#include "fusebox/vocabulary/detail/random_share.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/errors.hpp"

namespace fusebox {

/// Runs a function at an interval through a breaker: between `start()` and `stop()` on a thread of
/// its own, or by `attempt()` in an event loop.
///
/// A run is one attempt, and after each that fails a retry, up to `maxRetries`. Each attempt asks
/// the breaker. If it rejects the first, the run is skipped; if it rejects a retry, the run has
/// failed. The next run comes after the interval.
///
/// An attempt fails if the function throws, or if what it returns is judged a failure. One that
/// comes late without failing is a timeout to the breaker; the job is done nevertheless, so that is
/// no reason to do it again. Nothing that it throws leaves.
///
/// **Threads.** Everything may be called concurrently, but for the destructor; the function is
/// called by one thread at a time. It may call `stop()` and `stats()`, and nothing else of this.
class GuardedJob {
public:
    /// @param fn what `execute` takes, also `judgedBy(fn, classifier)`; see
    /// docs/concepts/job_function.md.
    /// @param breaker not null.
    /// @throws ConfigError if the options cannot work.
    template <class Clock, class Policy, class Fn>
    GuardedJob(std::shared_ptr<CircuitBreaker<Clock, Policy>> breaker, Fn fn,
               GuardedJobOptions options = {})
        : GuardedJob(attemptsOf(std::move(breaker), std::move(fn)), options) {}
    /// As above; the breaker must outlive this.
    template <class Clock, class Policy, class Fn>
    GuardedJob(CircuitBreaker<Clock, Policy>& breaker, Fn fn, GuardedJobOptions options = {})
        : GuardedJob(attemptsOf(&breaker, std::move(fn)), options) {}
    /// As above, through the breaker of that name in the registry of the process, made if there is
    /// none.
    template <class Fn>
    GuardedJob(std::string_view name, Fn fn, GuardedJobOptions options = {})
        : GuardedJob(circuitBreakerRegistry().getOrCreate(name), std::move(fn), options) {}
    GuardedJob(const GuardedJob&) = delete;
    GuardedJob& operator=(const GuardedJob&) = delete;
    /// As `stop()`.
    ~GuardedJob() { stop(); }

    /// Runs from now on: the first time after one interval, or at once if the options say so. Does
    /// nothing if it does so already.
    /// @throws std::system_error if there is no thread to be had.
    void start() {
        const auto wait = options_.runAtStart ? std::chrono::nanoseconds::zero() : untilNextRun();
        thread_.start(wait, [this, isFirst = true]() mutable {
            // A run that was left when the function itself stopped the thread.
            if (std::exchange(isFirst, false)) giveUp();
            return attempt();
        });
    }

    /// Ends the thread: at once if it waits for a run or a retry, else when the function returns. A
    /// run that waits for a retry is given up, and has failed. Called by the function it returns at
    /// once, and the thread ends when that returns.
    void stop() noexcept {
        if (thread_.stop()) giveUp();
    }

    /// Makes the next attempt now, on this thread: the first of a run, or a retry. Says how long to
    /// wait before the one after: until a retry, or until the next run.
    std::chrono::nanoseconds attempt() noexcept {
        const std::lock_guard attempting{attempting_};
        detail::ShortText error;
        const detail::JobAttempt ended = attempts_(error);
        const auto retries = record(ended, error);
        return retries ? untilRetry(*retries) : untilNextRun();
    }

    /// The counts, all of one instant.
    [[nodiscard]] JobStats stats() const {
        const std::lock_guard lock{mutex_};
        return ledger_.stats();
    }

    [[nodiscard]] const GuardedJobOptions& options() const noexcept { return options_; }

private:
    using Attempts = std::function<detail::JobAttempt(detail::ShortText&)>;

    GuardedJob(Attempts attempts, const GuardedJobOptions& options)
        : attempts_(std::move(attempts)), options_(options), ledger_(options.maxRetries) {
        if (const auto complaint = validate(options_)) {
            detail::raise(ConfigError{"GuardedJobOptions: " + *complaint});
        }
    }

    /// @param breaker a pointer of whatever kind; kept.
    template <class Pointer, class Fn>
    [[nodiscard]] static Attempts attemptsOf(Pointer breaker, Fn fn) {
        static_assert(detail::isJob<Fn>,
                      "fusebox::GuardedJob: the job must be callable as "
                      "fn(const fusebox::CallContext&), fn(std::stop_token) or fn(), again and "
                      "again; see docs/concepts/job_function.md");
        // Shared, since std::function copies, and what it holds may be movable only.
        return [breaker = std::move(breaker),
                shared = std::make_shared<Fn>(std::move(fn))](detail::ShortText& error) {
            return detail::attemptJob(*breaker, *shared, error);
        };
    }

    [[nodiscard]] std::optional<int> record(const detail::JobAttempt& ended,
                                            const detail::ShortText& error) {
        const std::lock_guard lock{mutex_};
        return ledger_.record(ended, error);
    }
    void giveUp() noexcept {
        const std::lock_guard lock{mutex_};
        ledger_.giveUp();
    }

    [[nodiscard]] std::chrono::nanoseconds untilNextRun() {
        const std::lock_guard lock{mutex_};
        return detail::jittered(options_.interval, options_.jitter, random_);
    }
    [[nodiscard]] std::chrono::nanoseconds untilRetry(int retries) {
        // Bounded: no wait times an infinite factor would be no number.
        const double factor = std::min(std::pow(options_.retryBackoff, retries), 1e18);
        const auto wait =
            std::min(saturatingMultiply(options_.retryDelay, factor), options_.maxRetryDelay);
        const std::lock_guard lock{mutex_};
        return detail::jittered(wait, options_.jitter, random_);
    }

    const Attempts attempts_;
    const GuardedJobOptions options_;
    std::mutex attempting_;     // Around the function.
    mutable std::mutex mutex_;  // Guards what follows, but for the thread.
    detail::JobLedger ledger_;
    detail::RandomShare random_;
    detail::PacedThread thread_;  // Last: gone first.
};

}  // namespace fusebox
