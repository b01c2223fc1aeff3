// SPDX-License-Identifier: MIT
// One health check with the thread that runs it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "fusebox/health/health_check.hpp"
#include "fusebox/health/health_report.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox::detail {

/// Runs a check, at most once at a time, each run on a thread of its own.
class CheckRunner {
public:
    using Clock = std::chrono::steady_clock;

    /// A run to wait for.
    struct Ticket {
        std::uint64_t run = 0;
        Clock::time_point begin{};
    };

    explicit CheckRunner(HealthCheck check) : job_(std::make_shared<Job>(std::move(check))) {}
    CheckRunner(const CheckRunner&) = delete;
    CheckRunner& operator=(const CheckRunner&) = delete;
    ~CheckRunner() { finish(kForever); }

    [[nodiscard]] const HealthCheck& check() const noexcept { return job_->check; }

    /// Starts a run, unless one is under way or the last result may be used again.
    [[nodiscard]] Ticket begin() {
        const std::lock_guard control{control_};
        const auto [ticket, isNew] = job_->take();
        if (!isNew) return ticket;
        // The run before has ended, all but the last instructions of its thread.
        if (thread_.joinable()) thread_.join();
        start();
        return ticket;
    }

    /// What became of the run; waits for it no longer than the check may take.
    [[nodiscard]] CheckReport wait(const Ticket& ticket) { return job_->await(ticket); }

    void requestStop() noexcept {
        job_->stop.store(true, std::memory_order_relaxed);  // A flag alone: it publishes nothing.
    }

    /// Waits for the thread; if it takes too long, leaves it to itself. To be called last.
    void finish(std::chrono::nanoseconds timeout) noexcept {
        const std::lock_guard control{control_};
        if (!thread_.joinable()) return;
        if (job_->endsWithin(timeout)) {
            thread_.join();
        } else {
            thread_.detach();
        }
    }

private:
    /// What runner and thread share: a thread that is left to itself keeps it.
    struct Job {
        explicit Job(HealthCheck what) : check(std::move(what)) {}

        [[nodiscard]] std::pair<Ticket, bool> take() {
            const std::lock_guard lock{mutex};
            const Clock::time_point now = Clock::now();
            const bool fresh = ended > 0 && !last.timedOut && now < endTime + check.cacheTime;
            if (started > ended || fresh) return {{started, beginTime}, false};
            ++started;
            beginTime = now;
            return {{started, beginTime}, true};
        }

        [[nodiscard]] CheckReport await(const Ticket& ticket) {
            std::unique_lock lock{mutex};
            const auto isOver = [&] { return ended >= ticket.run; };
            if (hasEnded.wait_until(lock, ticket.begin + check.timeout, isOver)) return last;
            const auto elapsed = Clock::now() - ticket.begin;
            return lateReport(elapsed, "still runs after " + toText(rounded(elapsed)));
        }

        void run() noexcept {
            const HealthCheckContext context{beginTime + check.timeout, stop};
            end(probe(context));
        }

        void end(HealthCheckResult result) noexcept {
            const std::lock_guard lock{mutex};
            endTime = Clock::now();
            const auto elapsed = endTime - beginTime;
            last = elapsed <= check.timeout
                       ? reportOf(std::move(result), elapsed)
                       : lateReport(elapsed, "took " + toText(rounded(elapsed)));
            ended = started;
            hasEnded.notify_all();
        }

        [[nodiscard]] HealthCheckResult probe(const HealthCheckContext& context) noexcept {
#if defined(__cpp_exceptions)
            try {
                return check.check(context);
            } catch (const std::exception& error) {
                return HealthCheckResult::unhealthy(error.what());
            } catch (...) {
                return HealthCheckResult::unhealthy("threw something that is no std::exception");
            }
#else
            return check.check(context);
#endif
        }

        [[nodiscard]] CheckReport reportOf(HealthCheckResult result,
                                           std::chrono::nanoseconds elapsed) const {
            constexpr std::size_t kLongest = 1024;
            if (result.message.size() > kLongest) result.message.resize(kLongest);
            return {check.name, result.status, std::move(result.message),       check.critical,
                    false,      elapsed,       std::chrono::system_clock::now()};
        }
        [[nodiscard]] CheckReport lateReport(std::chrono::nanoseconds elapsed,
                                             const std::string& what) const {
            CheckReport report =
                reportOf(HealthCheckResult::unhealthy("timed out: " + what +
                                                      "; allowed: " + toText(check.timeout)),
                         elapsed);
            report.timedOut = true;
            return report;
        }
        [[nodiscard]] static std::chrono::nanoseconds rounded(std::chrono::nanoseconds elapsed) {
            return std::chrono::round<std::chrono::milliseconds>(elapsed);
        }

        [[nodiscard]] bool endsWithin(std::chrono::nanoseconds timeout) {
            std::unique_lock lock{mutex};
            const auto idle = [&] { return started == ended; };
            // Far ends of time overflow where a wait adds them to now.
            if (timeout >= std::chrono::hours{24 * 365}) {
                hasEnded.wait(lock, idle);
                return true;
            }
            return hasEnded.wait_for(lock, timeout, idle);
        }

        const HealthCheck check;
        std::atomic<bool> stop{false};
        std::mutex mutex;  // Guards what follows, but for beginTime during a run.
        std::condition_variable hasEnded;
        std::uint64_t started = 0;
        std::uint64_t ended = 0;
        Clock::time_point beginTime{};
        Clock::time_point endTime{};
        CheckReport last{};
    };

    void start() {
        const auto run = [job = job_] { job->run(); };
#if defined(__cpp_exceptions)
        try {
            thread_ = std::thread{run};
        } catch (const std::system_error& error) {
            job_->end(HealthCheckResult::unhealthy(std::string{"could not run: "} + error.what()));
        }
#else
        thread_ = std::thread{run};
#endif
    }

    const std::shared_ptr<Job> job_;
    std::mutex control_;  // Guards thread_.
    std::thread thread_;
};

}  // namespace fusebox::detail
