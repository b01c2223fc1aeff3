// SPDX-License-Identifier: MIT
// HealthProbe: the function of a health check, in whichever form it was written.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include "fusebox/health/health_status.hpp"

namespace fusebox {

/// What a probe found.
struct HealthCheckResult {
    HealthStatus status = HealthStatus::Healthy;
    std::string message{};

    [[nodiscard]] static HealthCheckResult healthy(std::string message = {}) {
        return {HealthStatus::Healthy, std::move(message)};
    }
    [[nodiscard]] static HealthCheckResult degraded(std::string message) {
        return {HealthStatus::Degraded, std::move(message)};
    }
    [[nodiscard]] static HealthCheckResult unhealthy(std::string message) {
        return {HealthStatus::Unhealthy, std::move(message)};
    }
};

/// What a running probe may ask. Must not be kept beyond the call.
class HealthCheckContext {
public:
    using TimePoint = std::chrono::steady_clock::time_point;

    HealthCheckContext(TimePoint deadline, const std::atomic<bool>& stop) noexcept
        : deadline_(deadline), stop_(stop) {}

    /// When the report stops waiting for this run.
    [[nodiscard]] TimePoint deadline() const noexcept { return deadline_; }
    /// The time until then; 0 once it is over.
    [[nodiscard]] std::chrono::nanoseconds remaining() const noexcept {
        const auto rest = deadline_ - std::chrono::steady_clock::now();
        return rest > rest.zero() ? rest : rest.zero();
    }
    /// Whether the manager is being destroyed, which waits for this run.
    [[nodiscard]] bool stopRequested() const noexcept {
        return stop_.load(std::memory_order_relaxed);  // A flag alone: it publishes nothing.
    }

private:
    TimePoint deadline_;
    const std::atomic<bool>& stop_;
};

namespace detail {

template <class R>
concept HealthAnswer =
    std::same_as<R, HealthCheckResult> || std::same_as<R, bool> || std::is_void_v<R>;

template <class F>
concept ProbesWithContext = std::is_invocable_v<F&, const HealthCheckContext&> &&
    HealthAnswer<std::remove_cvref_t<std::invoke_result_t<F&, const HealthCheckContext&>>>;

template <class F>
concept ProbesAlone =
    std::is_invocable_v<F&> && HealthAnswer<std::remove_cvref_t<std::invoke_result_t<F&>>>;

}  // namespace detail

/// A copyable callable, with a `const HealthCheckContext&` or without arguments, that returns a
/// HealthCheckResult, `bool`, or nothing; see docs/concepts/health_probe.md.
template <class F>
concept HealthProbeFunction = std::copy_constructible<F> &&
    (detail::ProbesWithContext<F> || detail::ProbesAlone<F>);

/// Any HealthProbeFunction. Not a copy of another's state: copies share nothing.
class HealthProbe {
public:
    HealthProbe() = default;

    // Implicit, so that a check can be written with a lambda.
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, HealthProbe>)
    HealthProbe(F&& function) {
        using Function = std::decay_t<F>;
        static_assert(
            HealthProbeFunction<Function>,
            "fusebox::HealthProbe: the function of a health check must be copyable, take a "
            "const HealthCheckContext& or nothing, and return a HealthCheckResult, bool or "
            "void; see docs/concepts/health_probe.md");
        if constexpr (HealthProbeFunction<Function>) {
            call_ = [function = Function(std::forward<F>(function))](
                        const HealthCheckContext& context) mutable {
                if constexpr (detail::ProbesWithContext<Function>) {
                    return answer([&]() -> decltype(auto) { return function(context); });
                } else {
                    return answer([&]() -> decltype(auto) { return function(); });
                }
            };
        }
    }

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(call_); }

    /// @throws whatever the function throws.
    [[nodiscard]] HealthCheckResult operator()(const HealthCheckContext& context) const {
        return call_(context);
    }

private:
    template <class Call>
    [[nodiscard]] static HealthCheckResult answer(const Call& call) {
        using Result = std::remove_cvref_t<std::invoke_result_t<const Call&>>;
        if constexpr (std::is_void_v<Result>) {
            call();
            return {};
        } else if constexpr (std::same_as<Result, bool>) {
            return {call() ? HealthStatus::Healthy : HealthStatus::Unhealthy, {}};
        } else {
            return call();
        }
    }

    std::function<HealthCheckResult(const HealthCheckContext&)> call_;
};

}  // namespace fusebox
