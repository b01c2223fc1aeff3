// SPDX-License-Identifier: MIT
// What went wrong, as error codes.
#pragma once

#include <string>
#include <system_error>
#include <type_traits>

#include "fusebox/vocabulary/never_destroyed.hpp"
#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox {

/// What went wrong, as a std::error_code of the category "fusebox". Rejections compare equal to
/// `std::errc::resource_unavailable_try_again`, `CallTimeout` to `std::errc::timed_out`,
/// `CallDropped` to `std::errc::operation_canceled`.
enum class Errc { CircuitOpen = 1, ProbesBusy, ForcedOpen, CallTimeout, QueueFull, CallDropped };

namespace detail {

class ErrorCategory final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "fusebox"; }

    [[nodiscard]] std::string message(int code) const override {
        switch (static_cast<Errc>(code)) {
            case Errc::CircuitOpen: return "the circuit breaker is open";
            case Errc::ProbesBusy:
                return "the circuit breaker is half-open and its probes are busy";
            case Errc::ForcedOpen: return "the circuit breaker is forced open";
            case Errc::CallTimeout: return "the call took longer than its deadline";
            case Errc::QueueFull: return "the executor has no room for the call";
            case Errc::CallDropped: return "the executor dropped the call before it ran";
        }
        return "unknown circuit breaker error";
    }

    [[nodiscard]] std::error_condition default_error_condition(int code) const noexcept override {
        switch (static_cast<Errc>(code)) {
            case Errc::CircuitOpen:
            case Errc::ProbesBusy:
            case Errc::ForcedOpen:
            case Errc::QueueFull: return std::errc::resource_unavailable_try_again;
            case Errc::CallTimeout: return std::errc::timed_out;
            case Errc::CallDropped: return std::errc::operation_canceled;
        }
        return {code, *this};
    }
};

}  // namespace detail

/// The category of `Errc`; lives until the process is gone.
[[nodiscard]] inline const std::error_category& errorCategory() noexcept {
    static detail::NeverDestroyed<detail::ErrorCategory> category;
    return category.get();
}

// Found by argument-dependent lookup from std::error_code: the name is the standard's.
[[nodiscard]] inline std::error_code make_error_code(Errc code) noexcept {
    return {static_cast<int>(code), errorCategory()};
}

/// The error code that says why a call was rejected.
[[nodiscard]] inline std::error_code toErrorCode(RejectionReason reason) noexcept {
    switch (reason) {
        case RejectionReason::Open: return make_error_code(Errc::CircuitOpen);
        case RejectionReason::ProbesBusy: return make_error_code(Errc::ProbesBusy);
        case RejectionReason::ForcedOpen: return make_error_code(Errc::ForcedOpen);
        case RejectionReason::QueueFull: return make_error_code(Errc::QueueFull);
    }
    return make_error_code(Errc::CircuitOpen);
}

}  // namespace fusebox

template <>
struct std::is_error_code_enum<fusebox::Errc> : std::true_type {};
