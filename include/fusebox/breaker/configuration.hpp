// SPDX-License-Identifier: MIT
// What a breaker is configured with, now and when its calls in flight were admitted.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "fusebox/breaker/opening_history.hpp"
#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

/// The part of a configuration that says nothing of the policy's type.
struct Setup {
    CircuitBreakerOptions options;
    PolicyWords policyWords;
    std::string optionsWords;

    [[nodiscard]] std::string words() const { return *policyWords + "; " + optionsWords; }
};

/// The two times by which a call is judged.
struct CallLimits {
    std::chrono::nanoseconds requestTimeout = kForever;
    std::chrono::nanoseconds slowerThan = kForever;
};

/// A policy and options; immutable.
template <class Policy>
struct Configuration : Setup {
    Configuration(Policy p, CircuitBreakerOptions o)
        : Setup{std::move(o), nullptr, {}}, policy(std::move(p)) {
        policyWords = std::make_shared<const std::string>(describe(policy));
        optionsWords = toString(options);
    }

    Policy policy;
};

/// The present configuration, and those before it for as long as calls may be in flight that were
/// admitted under them: the last eight. A call that outlives eight reconfigurations is judged by
/// the oldest that is left.
///
/// **Threads.** Everything may be called concurrently, `replace` under the breaker's mutex.
template <class Policy>
class ConfigurationHistory {
    struct Link;

public:
    using Handle = std::shared_ptr<const Configuration<Policy>>;

    ConfigurationHistory(Handle first, std::chrono::nanoseconds slowerThan)
        : present_(std::make_shared<Link>(std::move(first), slowerThan)),
          requestTimeout_(present_->limits.requestTimeout.count()),
          slowerThan_(slowerThan.count()) {}

    [[nodiscard]] Handle present() const noexcept {
        const std::lock_guard lock{mutex_};
        return present_->configuration;
    }

    /// The configuration under which a call was admitted.
    [[nodiscard]] Handle of(StateWord ticket) const noexcept {
        const std::lock_guard lock{mutex_};
        return linkOf(ticket).configuration;
    }

    /// The limits under which a call was admitted. No lock, unless it was reconfigured since.
    [[nodiscard]] CallLimits limitsOf(StateWord ticket) const noexcept {
        // acquire, with the release in `replace`: whoever reads a new limit also sees as of which
        // epoch it holds.
        const CallLimits limits{
            std::chrono::nanoseconds{requestTimeout_.load(std::memory_order_acquire)},
            std::chrono::nanoseconds{slowerThan_.load(std::memory_order_acquire)}};
        if (ticket.epoch() >= since_.load(std::memory_order_relaxed)) return limits;
        const std::lock_guard lock{mutex_};
        return linkOf(ticket).limits;
    }

    /// A successor that is not in force yet; allocates.
    class Successor {
    public:
        Successor(Handle configuration, std::chrono::nanoseconds slowerThan)
            : link_(std::make_shared<Link>(std::move(configuration), slowerThan)) {}

    private:
        friend ConfigurationHistory;
        std::shared_ptr<Link> link_;
    };

    /// Puts a successor in force as of an epoch that is not published yet, unless the present one
    /// is not the expected. What is forgotten is left in `successor`, to be released without a
    /// lock.
    bool replace(const Handle& expected, Successor& successor, std::uint64_t since) noexcept {
        const std::lock_guard lock{mutex_};
        if (present_->configuration != expected) return false;
        successor.link_->since = since;
        successor.link_->before = present_;
        present_.swap(successor.link_);
        successor.link_ = forgotten();
        since_.store(since, std::memory_order_relaxed);
        // release: see `limitsOf`.
        requestTimeout_.store(present_->limits.requestTimeout.count(), std::memory_order_release);
        slowerThan_.store(present_->limits.slowerThan.count(), std::memory_order_release);
        return true;
    }

private:
    static constexpr int kRemembered = 8;

    /// A configuration, the epoch as of which it is in force, and the one before it.
    struct Link {
        Link(Handle c, std::chrono::nanoseconds slowerThan)
            : configuration(std::move(c)),
              limits{configuration->options.requestTimeout, slowerThan} {}

        Handle configuration;
        CallLimits limits;
        std::uint64_t since = 0;
        std::shared_ptr<Link> before{};
    };

    [[nodiscard]] const Link& linkOf(StateWord ticket) const noexcept {
        const Link* link = present_.get();
        while (ticket.epoch() < link->since && link->before) link = link->before.get();
        return *link;
    }

    /// Cuts off what is too old.
    [[nodiscard]] std::shared_ptr<Link> forgotten() noexcept {
        Link* last = present_.get();
        for (int i = 0; i < kRemembered && last->before; ++i) last = last->before.get();
        return std::exchange(last->before, nullptr);
    }

    mutable std::mutex mutex_;
    std::shared_ptr<Link> present_;
    std::atomic<std::chrono::nanoseconds::rep> requestTimeout_;
    std::atomic<std::chrono::nanoseconds::rep> slowerThan_;
    std::atomic<std::uint64_t> since_{0};
};

}  // namespace fusebox::detail
