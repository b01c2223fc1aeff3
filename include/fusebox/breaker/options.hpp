// SPDX-License-Identifier: MIT
// How a breaker recovers, what it measures and whom it tells.
#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/events.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/tags.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

namespace detail {

/// Callables that may hold nothing: such a one is no callback.
template <class F>
inline constexpr bool mayBeEmpty = std::is_pointer_v<F>;
template <class Signature>
inline constexpr bool mayBeEmpty<std::function<Signature>> = true;

}  // namespace detail

/// A callback of the options: called as `f(const StateChanged&)` or `f()`.
class StateCallback {
public:
    StateCallback() noexcept = default;
    StateCallback(std::nullptr_t) noexcept {}
    StateCallback(const StateCallback& other) : call_(other ? new Call(*other.call_) : nullptr) {}
    StateCallback(StateCallback&& other) noexcept : call_(std::exchange(other.call_, nullptr)) {}
    StateCallback& operator=(StateCallback other) noexcept {
        std::swap(call_, other.call_);
        return *this;
    }
    ~StateCallback() { delete call_; }

    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, StateCallback> &&
                 std::copy_constructible<std::decay_t<F>> &&
                 (std::invocable<std::decay_t<F>&, const StateChanged&> ||
                  std::invocable<std::decay_t<F>&>))
    StateCallback(F&& f) {
        if constexpr (detail::mayBeEmpty<std::remove_cvref_t<F>>) {
            if (f == nullptr) return;
        }
        if constexpr (std::invocable<std::decay_t<F>&, const StateChanged&>) {
            call_ = new Call(std::forward<F>(f));
        } else {
            call_ = new Call(
                [f = std::decay_t<F>(std::forward<F>(f))](const StateChanged&) mutable { f(); });
        }
    }

    [[nodiscard]] explicit operator bool() const noexcept { return call_ != nullptr; }
    /// @pre it is not empty.
    void operator()(const StateChanged& event) const { (*call_)(event); }

private:
    using Call = std::function<void(const StateChanged&)>;

    // Not in here: most breakers have none of the four, and would have the room of all. Owned; no
    // unique_ptr, which every file that includes a breaker would compile for this alone.
    Call* call_ = nullptr;
};

/// The options of a breaker; every field has a default.
struct CircuitBreakerOptions {
    /// How long an open breaker rejects before it admits probes (> 0). Too short: the dependency is
    /// probed before it can recover. Too long: callers do without it after it has recovered.
    std::chrono::nanoseconds recoveryTimeout = std::chrono::seconds{60};
    /// Factor on `recoveryTimeout` for each reopening without a close in between (>= 1).
    double recoveryBackoff = 1.0;
    /// Bound of the backoff (>= recoveryTimeout); unset: the larger of 10 min and recoveryTimeout.
    std::optional<std::chrono::nanoseconds> maxRecoveryTimeout{};
    /// 0..1: the wait is drawn from [wait x (1 - jitter), wait], so that a fleet does not probe in
    /// step.
    double recoveryJitter = 0.0;
    /// Probe successes that close a half-open breaker (1..65535).
    int successThreshold = 2;
    /// Probes in flight at once (1..255).
    int halfOpenLimit = 3;
    /// Time in flight after which a probe is presumed lost (> 0); unset: `requestTimeout` if it is
    /// finite, else `recoveryTimeout`. A probe that just times out may then be either: give it more
    /// than `requestTimeout` where the difference matters.
    std::optional<std::chrono::nanoseconds> probeTimeout{};
    /// Deadline of each call (> 0); `nanoseconds::max()`: none.
    std::chrono::nanoseconds requestTimeout = std::chrono::seconds{30};
    /// False: no clock read on a closed call unless the policy needs one; then no late returns, no
    /// averages, no histogram.
    bool measureLatency = true;
    /// True: `stats().inFlight` is known; costs a second increment a call.
    bool trackInFlight = false;
    /// Counters that threads spread over, rounded up to a power of two (0..1024); 0: the number of
    /// cores rounded up, at most 16.
    int shards = 0;
    /// Judges what a call threw; empty: every exception is a failure. One that throws means
    /// Failure.
    std::function<Outcome(std::exception_ptr)> classifyError{};
    /// Every transition; before the three below. Callbacks live as long as the breaker, by name as
    /// long as the process: what they refer to must too. `on<StateChanged>` returns a Subscription
    /// for listeners that do not.
    StateCallback onStateChange{};
    StateCallback onOpen{};
    StateCallback onHalfOpen{};
    StateCallback onClose{};
    /// Key/value pairs that travel into the statistics.
    Tags tags{};
    /// True: a call that is in flight for longer than `requestTimeout` counts as a timeout before
    /// it returns, when another call is admitted or fails; so a dependency that hangs opens the
    /// breaker though none of its callers comes back. That may be noticed late, by a sixteenth of
    /// the deadline. Needs a finite `requestTimeout` and `measureLatency`; costs two increments a
    /// call.
    bool detectOverdue = false;
};

/// Whether two option values configure the same breaker. Callbacks are not compared.
[[nodiscard]] inline bool equivalent(const CircuitBreakerOptions& a,
                                     const CircuitBreakerOptions& b) noexcept {
    return a.recoveryTimeout == b.recoveryTimeout && a.recoveryBackoff == b.recoveryBackoff &&
           a.maxRecoveryTimeout == b.maxRecoveryTimeout && a.recoveryJitter == b.recoveryJitter &&
           a.successThreshold == b.successThreshold && a.halfOpenLimit == b.halfOpenLimit &&
           a.probeTimeout == b.probeTimeout && a.requestTimeout == b.requestTimeout &&
           a.measureLatency == b.measureLatency && a.trackInFlight == b.trackInFlight &&
           a.shards == b.shards && a.tags == b.tags && a.detectOverdue == b.detectOverdue;
}

/// The bound of the backoff in force.
[[nodiscard]] inline std::chrono::nanoseconds effectiveMaxRecoveryTimeout(
    const CircuitBreakerOptions& options) noexcept {
    return options.maxRecoveryTimeout.value_or(
        std::max<std::chrono::nanoseconds>(std::chrono::minutes{10}, options.recoveryTimeout));
}

/// The time in force after which a probe is presumed lost.
[[nodiscard]] inline std::chrono::nanoseconds effectiveProbeTimeout(
    const CircuitBreakerOptions& options) noexcept {
    return options.probeTimeout.value_or(
        options.requestTimeout == kForever ? options.recoveryTimeout : options.requestTimeout);
}

/// What is wrong with the options: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const CircuitBreakerOptions& options) {
    using detail::complain;
    using detail::requireCount;
    using detail::requirePositive;
    using detail::toText;
    const auto require = [](bool holds, std::string_view field, const std::string& value,
                            const std::string& allowed) -> Complaint {
        if (holds) return std::nullopt;
        return complain(field, value, allowed);
    };
    // The comparisons are false for NaN.
    const double backoff = options.recoveryBackoff;
    const double jitter = options.recoveryJitter;
    const auto finiteBackoff = backoff >= 1.0 && backoff <= std::numeric_limits<double>::max();
    return detail::firstOf(
        requirePositive("recoveryTimeout", options.recoveryTimeout),
        require(finiteBackoff, "recoveryBackoff", toText(backoff), "a finite number of at least 1"),
        require(options.maxRecoveryTimeout.value_or(kForever) >= options.recoveryTimeout,
                "maxRecoveryTimeout", toText(effectiveMaxRecoveryTimeout(options)),
                "at least recoveryTimeout, which is " + toText(options.recoveryTimeout)),
        require(jitter >= 0.0 && jitter <= 1.0, "recoveryJitter", toText(jitter),
                "a number from 0 to 1"),
        requireCount("successThreshold", options.successThreshold, 1, 65535),
        requireCount("halfOpenLimit", options.halfOpenLimit, 1, 255),
        requirePositive("probeTimeout", options.probeTimeout.value_or(kForever)),
        requirePositive("requestTimeout", options.requestTimeout),
        requireCount("shards", options.shards, 0, 1024), detail::requireKeys(options.tags),
        require(!options.detectOverdue || options.requestTimeout != kForever, "detectOverdue",
                "true", "false without a deadline (requestTimeout)"),
        require(!options.detectOverdue || options.measureLatency, "detectOverdue", "true",
                "false without measureLatency"));
}

/// The options in words.
[[nodiscard]] inline std::string toString(const CircuitBreakerOptions& options) {
    using detail::toText;
    std::string text = "recovery after " + toText(options.recoveryTimeout);
    if (options.recoveryBackoff != 1.0) {
        text += " x " + toText(options.recoveryBackoff) + " a reopening, at most " +
                toText(effectiveMaxRecoveryTimeout(options));
    }
    if (options.recoveryJitter != 0.0) {
        text += ", jitter " + detail::toPercent(options.recoveryJitter);
    }
    text += ", " + std::to_string(options.successThreshold) + " probe successes close, " +
            std::to_string(options.halfOpenLimit) + " probes at once, lost after " +
            toText(effectiveProbeTimeout(options));
    text += options.requestTimeout == kForever ? std::string{", no deadline"}
                                               : ", deadline " + toText(options.requestTimeout);
    if (!options.measureLatency) text += ", latency not measured";
    if (options.trackInFlight) text += ", calls in flight tracked";
    if (options.detectOverdue) text += ", overdue calls count";
    if (!options.tags.empty()) text += ", tags " + toText(options.tags);
    return text;
}

}  // namespace fusebox
