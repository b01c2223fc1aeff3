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

#include "fusebox/breaker/options.hpp"
#include "fusebox/breaker/policy_words.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/policy/trip_policy.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The part of a configuration that says nothing of the policy's type.
struct Setup : PolicyInWords {
    explicit Setup(CircuitBreakerOptions o) : options(std::move(o)) {}

    [[nodiscard]] std::string optionsWords() const { return toString(options); }
    [[nodiscard]] std::string words() const { return policyWords() + "; " + optionsWords(); }

    CircuitBreakerOptions options;
};

/// The two times by which a call is judged.
struct CallLimits {
    std::chrono::nanoseconds requestTimeout = kForever;
    std::chrono::nanoseconds slowerThan = kForever;
};

/// A policy and options; immutable.
template <class Policy>
struct Configuration final : Setup {
    Configuration(Policy p, CircuitBreakerOptions o) : Setup(std::move(o)), policy(std::move(p)) {}

    [[nodiscard]] std::string policyWords() const override { return describe(policy); }

    Policy policy;
};

/// The present configuration, and those before it for as long as calls may be in flight that were
/// admitted under them: the last eight. A call that outlives eight reconfigurations is judged by
/// the oldest that is left.
///
/// **Threads.** Everything may be called concurrently, `replace` under the breaker's mutex, all
/// else not.
template <class Policy, class Mutex = std::mutex>
class ConfigurationHistory {
    struct Link;

public:
    using Handle = std::shared_ptr<const Configuration<Policy>>;

    /// @param mutex the breaker's.
    ConfigurationHistory(Handle first, std::chrono::nanoseconds slowerThan, Mutex& mutex) noexcept
        : mutex_(mutex),
          present_(std::move(first)),
          requestTimeout_(present_->options.requestTimeout.count()),
          slowerThan_(slowerThan.count()) {}

    [[nodiscard]] Handle present() const noexcept {
        const std::lock_guard lock{mutex_};
        return present_;
    }

    /// The configuration under which a call was admitted.
    [[nodiscard]] Handle of(StateWord ticket) const noexcept {
        const std::lock_guard lock{mutex_};
        return isPresent(ticket) ? present_ : linkOf(ticket).configuration;
    }

    /// The limits under which a call was admitted. No lock, unless it was reconfigured since.
    [[nodiscard]] CallLimits limitsOf(StateWord ticket) const noexcept {
        const CallLimits limits = presentLimits();
        return isPresent(ticket) ? limits : pastLimitsOf(ticket);
    }

    /// A successor that is not in force yet; allocates.
    class Successor {
    public:
        Successor(Handle configuration, std::chrono::nanoseconds slowerThan)
            : configuration_(std::move(configuration)),
              slowerThan_(slowerThan),
              link_(std::make_unique<Link>()) {}

    private:
        friend ConfigurationHistory;
        Handle configuration_;
        std::chrono::nanoseconds slowerThan_;
        std::unique_ptr<Link> link_;
    };

    /// Puts a successor in force as of an epoch that is not published yet, unless the present one
    /// is not the expected. What is forgotten is left in `successor`, to be released without a
    /// lock.
    bool replace(const Handle& expected, Successor& successor, std::uint64_t since) noexcept {
        if (present_ != expected) return false;
        Link& last = *successor.link_;
        last.configuration = std::exchange(present_, std::move(successor.configuration_));
        last.limits = presentLimits();
        last.since = since_.load(std::memory_order_relaxed);
        last.before = std::exchange(past_, std::move(successor.link_));
        successor.link_ = forgotten();
        since_.store(since, std::memory_order_relaxed);
        // release: see `presentLimits`.
        requestTimeout_.store(present_->options.requestTimeout.count(), std::memory_order_release);
        slowerThan_.store(successor.slowerThan_.count(), std::memory_order_release);
        return true;
    }

private:
    static constexpr int kRemembered = 8;

    /// A configuration that is over, the epoch as of which it was in force, and the one before it.
    struct Link {
        Handle configuration;
        CallLimits limits;
        std::uint64_t since = 0;
        std::unique_ptr<Link> before;
    };

    [[nodiscard]] bool isPresent(StateWord ticket) const noexcept {
        return ticket.epoch() >= since_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] CallLimits presentLimits() const noexcept {
        // acquire, with the release in `replace`: whoever reads a new limit also sees as of which
        // epoch it holds.
        return {std::chrono::nanoseconds{requestTimeout_.load(std::memory_order_acquire)},
                std::chrono::nanoseconds{slowerThan_.load(std::memory_order_acquire)}};
    }

    /// @pre as `linkOf`; no later configuration makes it younger.
    [[nodiscard]] FUSEBOX_COLD CallLimits pastLimitsOf(StateWord ticket) const noexcept {
        const std::lock_guard lock{mutex_};
        return linkOf(ticket).limits;
    }

    /// @pre the ticket is older than the present configuration.
    [[nodiscard]] const Link& linkOf(StateWord ticket) const noexcept {
        const Link* link = past_.get();
        while (ticket.epoch() < link->since && link->before) link = link->before.get();
        return *link;
    }

    /// Cuts off what is too old.
    [[nodiscard]] std::unique_ptr<Link> forgotten() noexcept {
        Link* last = past_.get();
        for (int i = 1; i < kRemembered && last->before; ++i) last = last->before.get();
        return std::exchange(last->before, nullptr);
    }

    Mutex& mutex_;
    Handle present_;
    std::unique_ptr<Link> past_;
    std::atomic<std::chrono::nanoseconds::rep> requestTimeout_;
    std::atomic<std::chrono::nanoseconds::rep> slowerThan_;
    std::atomic<std::uint64_t> since_{0};
};

}  // namespace fusebox::detail
