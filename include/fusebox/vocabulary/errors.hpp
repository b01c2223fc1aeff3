// SPDX-License-Identifier: MIT
// The errors that reach callers: exceptions, and their std::error_code twins.
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "fusebox/vocabulary/error_codes.hpp"
#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "fusebox/vocabulary/text.hpp"

namespace fusebox {

/// A rejection in one sentence.
[[nodiscard]] inline std::string toString(const Rejection& rejection) {
    std::string text = "circuit breaker \"";
    text.append(rejection.breaker).append("\" ");
    switch (rejection.reason) {
        case RejectionReason::Open:
            text += "is OPEN: the call was rejected, retry after ";
            return text += detail::toText(rejection.retryAfter);
        case RejectionReason::ProbesBusy:
            return text += "is HALF_OPEN: the call was rejected, its probes are in flight";
        case RejectionReason::ForcedOpen: return text += "is forced OPEN: the call was rejected";
        case RejectionReason::QueueFull:
            return text += "admitted the call, but the executor has no room for it";
    }
    return text;
}

/// The base of the errors that a breaker throws at callers. Owns the breaker's name; so do copies.
/// `what()` is one line: control characters in a name stand there as %XX.
class CircuitBreakerError : public std::runtime_error {
public:
    CircuitBreakerError(std::string_view breaker, CircuitState state, const std::string& message)
        : std::runtime_error(detail::escaped(message)),
          name_(std::make_shared<const std::string>(breaker)),
          state_(state) {}

    /// The breaker's name.
    [[nodiscard]] const std::string& name() const noexcept { return *name_; }
    /// The breaker's state when the error was made.
    [[nodiscard]] CircuitState state() const noexcept { return state_; }

private:
    // Shared, because copying an exception must not throw.
    std::shared_ptr<const std::string> name_;
    CircuitState state_;
};

/// Thrown when a call is rejected: `fn` was not called.
class CircuitOpenError : public CircuitBreakerError {
public:
    explicit CircuitOpenError(const Rejection& rejection)
        : CircuitBreakerError(rejection.breaker, rejection.state, toString(rejection)),
          reason_(rejection.reason),
          retryAfter_(rejection.retryAfter) {}

    /// The rejection; its name is a view into this exception.
    [[nodiscard]] Rejection rejection() const noexcept {
        return {name(), state(), reason_, retryAfter_};
    }
    /// The rest of the wait when the call was rejected; see `Rejection::retryAfter`.
    [[nodiscard]] std::chrono::nanoseconds retryAfter() const noexcept { return retryAfter_; }
    [[nodiscard]] std::error_code code() const noexcept { return toErrorCode(reason_); }

private:
    RejectionReason reason_;
    std::chrono::nanoseconds retryAfter_;
};

/// Thrown when the breaker admitted a call, but the executor that should run it had no room: `fn`
/// was not called. The breaker's own state is none of the reasons.
class QueueFullError : public CircuitBreakerError {
public:
    explicit QueueFullError(const Rejection& rejection)
        : CircuitBreakerError(rejection.breaker, rejection.state, toString(rejection)) {}

    /// The rejection; its name is a view into this exception.
    [[nodiscard]] Rejection rejection() const noexcept {
        return {name(), state(), RejectionReason::QueueFull, std::chrono::nanoseconds::zero()};
    }
    [[nodiscard]] std::error_code code() const noexcept { return make_error_code(Errc::QueueFull); }
};

/// Thrown when an executor took a call and let go of it without running it, as one that is shut
/// down does: `fn` was not called.
class CallDroppedError : public CircuitBreakerError {
public:
    CallDroppedError(std::string_view breaker, CircuitState state)
        : CircuitBreakerError(breaker, state,
                              "circuit breaker \"" + std::string(breaker) +
                                  "\": the executor dropped the call before it ran") {}

    [[nodiscard]] std::error_code code() const noexcept {
        return make_error_code(Errc::CallDropped);
    }
};

/// Thrown in place of what `fn` threw when `fn` knew its deadline and passed it; what it threw is
/// nested (std::rethrow_if_nested). Thrown at the deadline, with nothing nested, to a caller who
/// waits for an executor.
class CallTimeoutError : public CircuitBreakerError {
public:
    CallTimeoutError(std::string_view breaker, CircuitState state, std::chrono::nanoseconds timeout)
        : CircuitBreakerError(breaker, state,
                              "circuit breaker \"" + std::string(breaker) +
                                  "\": the call took longer than " + detail::toText(timeout)),
          timeout_(timeout) {}

    /// The deadline that the call missed, from its start.
    [[nodiscard]] std::chrono::nanoseconds timeout() const noexcept { return timeout_; }
    [[nodiscard]] std::error_code code() const noexcept {
        return make_error_code(Errc::CallTimeout);
    }

private:
    std::chrono::nanoseconds timeout_;
};

/// Thrown for a configuration that cannot work; names the field, the value and what is allowed, in
/// one line: control characters in a name or value stand there as %XX.
class ConfigError : public std::invalid_argument {
public:
    explicit ConfigError(std::string_view sentence)
        : std::invalid_argument(detail::escaped(sentence)) {}
};

namespace detail {

/// Throws `error`; without exceptions, prints its sentence and aborts.
template <class Error>
[[noreturn]] void raise(Error error) {
#if defined(__cpp_exceptions)
    throw std::move(error);
#else
    std::fprintf(stderr, "fusebox: %s\n", error.what());
    std::abort();
#endif
}

}  // namespace detail
}  // namespace fusebox
