// SPDX-License-Identifier: MIT
// HealthCheckManager: says how a service is.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "fusebox/health/check_runner.hpp"
#include "fusebox/health/health_check.hpp"
#include "fusebox/health/health_report.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// What a HealthCheckManager is made of.
struct HealthCheckOptions {
    std::string serviceName{};
    std::string version{};
    std::vector<HealthCheck> checks{};
    /// Whose breakers are part of the report, and degrade it while they keep calls away; may be
    /// null. Must outlive the manager.
    const CircuitBreakerRegistry* registry = nullptr;
    /// How long the destructor waits for checks that still run (>= 0). By default until they end.
    std::chrono::nanoseconds shutdownTimeout = kForever;
};

/// Runs health checks and puts what they find into reports.
///
/// Each run has a thread of its own, so that checks run beside each other and a report takes as
/// long as the slowest of them, at most its `timeout`. A check that hangs is reported as timed out
/// and not started again before it ends. Reports that are asked for at the same time share a run.
///
/// **Threads.** Everything may be called concurrently, also while checks run.
class HealthCheckManager {
public:
    /// @throws ConfigError if a check cannot work, two have one name, or `shutdownTimeout` is below
    /// 0.
    explicit HealthCheckManager(HealthCheckOptions options) : options_(std::move(options)) {
        if (options_.shutdownTimeout < std::chrono::nanoseconds::zero()) {
            detail::raise(ConfigError{"HealthCheckOptions: " +
                                      detail::complain("shutdownTimeout",
                                                       detail::toText(options_.shutdownTimeout),
                                                       "a duration from 0")});
        }
        for (HealthCheck& check : options_.checks) registerCheck(std::move(check));
        options_.checks.clear();
    }
    HealthCheckManager(const HealthCheckManager&) = delete;
    HealthCheckManager& operator=(const HealthCheckManager&) = delete;

    /// Tells running checks to stop (`HealthCheckContext::stopRequested`) and waits until they end,
    /// for `shutdownTimeout` altogether. One that still runs then is left to itself: it goes on to
    /// use what it captured. Must not be called by a check.
    ~HealthCheckManager() {
        for (const auto& runner : runners_) runner->requestStop();
        const auto begin = std::chrono::steady_clock::now();
        for (const auto& runner : runners_) {
            const auto past = std::chrono::steady_clock::now() - begin;
            const bool forever = options_.shutdownTimeout == kForever;
            runner->finish(forever ? kForever
                                   : std::max(options_.shutdownTimeout - past,
                                              std::chrono::nanoseconds::zero()));
        }
    }

    /// Adds a check, to be part of the reports from now on.
    /// @throws ConfigError if it cannot work, or there is one of that name.
    void registerCheck(HealthCheck check) {
        if (const auto complaint = validate(check)) {
            detail::raise(ConfigError{"HealthCheck \"" + check.name + "\": " + *complaint});
        }
        const std::lock_guard lock{mutex_};
        const auto same = [&](const auto& runner) { return runner->check().name == check.name; };
        if (std::ranges::any_of(runners_, same)) {
            detail::raise(ConfigError{"HealthCheck: name is \"" + check.name +
                                      "\"; allowed: one that no other check has"});
        }
        runners_.push_back(std::make_shared<detail::CheckRunner>(std::move(check)));
    }

    /// How the service is: every check, and the breakers of the registry.
    [[nodiscard]] HealthReport executeHealthChecks() {
        return report([](const HealthCheck&) { return true; });
    }

    /// Whether it shall get traffic: the critical checks, and the breakers, which cannot make it
    /// unhealthy.
    [[nodiscard]] HealthReport readiness() {
        return report([](const HealthCheck& check) { return check.critical; });
    }

    /// That it lives: always healthy, and runs nothing. Whoever restarts processes for what is
    /// outside of them makes an outage worse.
    [[nodiscard]] HealthReport liveness() const {
        HealthReport alive;
        alive.service = options_.serviceName;
        alive.version = options_.version;
        alive.time = std::chrono::system_clock::now();
        return alive;
    }

private:
    template <class Wants>
    [[nodiscard]] HealthReport report(const Wants& wants) {
        const std::vector<std::shared_ptr<detail::CheckRunner>> chosen = runnersOf(wants);
        std::vector<detail::CheckRunner::Ticket> tickets;
        tickets.reserve(chosen.size());
        for (const auto& runner : chosen) tickets.push_back(runner->begin());
        HealthReport all = liveness();
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            all.checks.push_back(chosen[i]->wait(tickets[i]));
        }
        if (options_.registry) all.circuitBreakers = options_.registry->getAllStats();
        all.time = std::chrono::system_clock::now();
        all.status = overallStatus(all);
        return all;
    }

    template <class Wants>
    [[nodiscard]] std::vector<std::shared_ptr<detail::CheckRunner>> runnersOf(const Wants& wants) {
        std::vector<std::shared_ptr<detail::CheckRunner>> chosen;
        const std::lock_guard lock{mutex_};
        std::ranges::copy_if(runners_, std::back_inserter(chosen),
                             [&](const auto& runner) { return wants(runner->check()); });
        return chosen;
    }

    HealthCheckOptions options_;
    std::mutex mutex_;  // Guards runners_.
    std::vector<std::shared_ptr<detail::CheckRunner>> runners_;
};

}  // namespace fusebox
