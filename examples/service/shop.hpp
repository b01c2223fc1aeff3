// SPDX-License-Identifier: MIT
// What the service does: three dependencies, a breaker for each, and the jobs.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fusebox/fusebox.hpp>

#include "dependency.hpp"

namespace shop {

/// How the breakers are set; shorter in tests.
struct Times {
    std::chrono::milliseconds recovery{30'000};
    std::chrono::milliseconds request{1'000};
    std::chrono::milliseconds jobs{5'000};
};

/// Payments that wait until the external API is there again; not without end.
class PaymentQueue {
public:
    /// Whether there was room.
    [[nodiscard]] bool push(const Payment& payment) {
        constexpr std::size_t kMost = 1000;
        const std::lock_guard lock{mutex_};
        if (waiting_.size() >= kMost) return false;
        waiting_.push_back(payment);
        return true;
    }
    [[nodiscard]] std::optional<Payment> front() const {
        const std::lock_guard lock{mutex_};
        return waiting_.empty() ? std::nullopt : std::optional{waiting_.front()};
    }
    void pop() {
        const std::lock_guard lock{mutex_};
        waiting_.pop_front();
    }
    [[nodiscard]] std::size_t size() const {
        const std::lock_guard lock{mutex_};
        return waiting_.size();
    }

private:
    mutable std::mutex mutex_;
    std::deque<Payment> waiting_;
};

/// **Threads.** Everything may be called concurrently.
class Shop {
public:
    Shop(fusebox::CircuitBreakerRegistry& registry, const Times& times)
        : databaseBreaker_(
              registry.create("database", fusebox::ConsecutiveFailures{5}, options(times))),
          cacheBreaker_(registry.create("cache", fusebox::ConsecutiveFailures{10}, options(times))),
          externalBreaker_(
              registry.create("external-api", fusebox::ConsecutiveFailures{3}, options(times))),
          // [jobs]
          refreshCache_(databaseBreaker_,
                        [this](const fusebox::CallContext& call) { fillCache(call.deadline()); },
                        {.interval = times.jobs, .maxRetries = 2, .runAtStart = true}),
          sendQueued_(externalBreaker_,
                      [this](const fusebox::CallContext& call) { sendQueued(call.deadline()); },
                      {.interval = times.jobs, .maxRetries = 2})
    // [/jobs]
    {}

    void startJobs() {
        refreshCache_.start();
        sendQueued_.start();
    }
    void stopJobs() {
        refreshCache_.stop();
        sendQueued_.stop();
    }

    // [user]
    /// From the database; from the cache while the database's breaker is open, and that is guarded,
    /// too.
    [[nodiscard]] std::optional<std::string> user(int id) {
        return databaseBreaker_->execute(
            [&](const fusebox::CallContext& call) { return database.user(id, call.deadline()); },
            fusebox::fallback([&](const fusebox::Rejection&) {
                return cacheBreaker_->execute([&](const fusebox::CallContext& call) {
                    return cache.user(id, call.deadline());
                });
            }));
    }
    // [/user]

    /// Nothing while the external API's breaker is open.
    [[nodiscard]] std::optional<std::map<std::string, double>> rates() {
        using Rates = std::optional<std::map<std::string, double>>;
        return externalBreaker_->execute(
            [&](const fusebox::CallContext& call) -> Rates {
                return external.rates(call.deadline());
            },
            fusebox::fallback([](const fusebox::Rejection&) { return std::nullopt; }));
    }

    enum class Paid { Charged, Queued };

    /// Queued only if the breaker rejects the call: one that failed may have charged all the same.
    [[nodiscard]] Paid pay(const Payment& payment) {
        return externalBreaker_->execute(
            [&](const fusebox::CallContext& call) {
                external.charge(payment, call.deadline());
                return Paid::Charged;
            },
            fusebox::fallback([&](const fusebox::Rejection& rejection) {
                if (!queue_.push(payment)) throw fusebox::CircuitOpenError{rejection};
                return Paid::Queued;
            }));
    }

    [[nodiscard]] std::size_t queuedPayments() const { return queue_.size(); }
    [[nodiscard]] std::map<std::string, fusebox::JobStats> jobs() const {
        return {{"refresh-cache", refreshCache_.stats()},
                {"send-queued-payments", sendQueued_.stats()}};
    }
    /// Null if there is none of that name.
    [[nodiscard]] Dependency* dependency(std::string_view name) {
        for (Dependency* const each :
             std::initializer_list<Dependency*>{&database, &cache, &external}) {
            if (each->name() == name) return each;
        }
        return nullptr;
    }

    Database database;
    Cache cache;
    ExternalApi external;

private:
    using Breaker = std::shared_ptr<fusebox::NamedCircuitBreaker>;

    static fusebox::CircuitBreakerOptions options(const Times& times) {
        return {.recoveryTimeout = times.recovery,
                .successThreshold = 1,
                .requestTimeout = times.request,
                .trackInFlight = true};
    }

    void fillCache(Deadline deadline) {
        Users users = database.users(deadline);
        // A cache that is down is no failure of the database.
        cacheBreaker_->execute([&] { cache.store(std::move(users), deadline); },
                               fusebox::fallback([] {}));
    }

    /// As many as there is time for. Throws at the first that cannot be sent: the job tries again.
    void sendQueued(Deadline deadline) {
        while (std::chrono::steady_clock::now() < deadline) {
            const auto payment = queue_.front();
            if (!payment) return;
            external.charge(*payment, deadline);
            queue_.pop();
        }
    }

    Breaker databaseBreaker_;
    Breaker cacheBreaker_;
    Breaker externalBreaker_;
    PaymentQueue queue_;
    fusebox::GuardedJob refreshCache_;  // Last, both: gone first.
    fusebox::GuardedJob sendQueued_;
};

}  // namespace shop
