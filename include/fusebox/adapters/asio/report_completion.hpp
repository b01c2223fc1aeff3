// SPDX-License-Identifier: MIT
// The end of a guarded operation, as its breaker and its handler are told.
//
// needs: asio
#pragma once

#include <exception>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "fusebox/adapters/asio/completion.hpp"
#include "fusebox/adapters/asio/config.hpp"
#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/held_ticket.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

/// Null for an error code.
[[nodiscard]] inline const std::exception_ptr* exceptionIn(
    const std::exception_ptr& error) noexcept {
    return &error;
}
[[nodiscard]] inline const std::exception_ptr* exceptionIn(const ErrorCode&) noexcept {
    return nullptr;
}

template <class Error>
[[nodiscard]] std::string describe(const Error& error, bool late) {
    if (late) return "the call took longer than its deadline";
    if (ErrorTraits<Error>::isSet(error)) return ErrorTraits<Error>::words(error);
    return "the result was judged a failure";
}

/// Judges and reports what an operation ended with. @param late its deadline had passed, and it was
/// cancelled: an error then becomes the timeout that the handler is told.
template <class Core, class Classifier, class Error, class... T>
void reportCompletion(detail::HeldTicket<Core>& permit, Classifier& classifier,
                      std::tuple<Error, T...>& result, bool late) {
    Core& core = permit.core();
    const detail::Ticket ticket = permit.ticket();
    Error& error = std::get<0>(result);
    const bool timedOut = late && ErrorTraits<Error>::isSet(error);
    Outcome outcome = std::apply(
        [&](const auto&... values) { return judgeCompletion(core, ticket, classifier, values...); },
        result);
    if (timedOut || (late && outcome != Outcome::Ignored)) outcome = Outcome::Timeout;
    if (outcome == Outcome::Success) {
        core.succeed(permit.take());
        return;
    }
    detail::CallEnd end = core.measure(ticket, outcome);
    const std::string words = describe(error, late);
    if (end.error.empty()) end.error = words;
    core.finish(permit.take(), end, exceptionIn(error));
    if (timedOut) {
        const CallTimeoutError timeout{core.name(), core.machine().read().state,
                                       core.limitsOf(ticket).requestTimeout};
        error = ErrorTraits<Error>::of(timeout, error);
    }
}

/// Reports that an operation could not be started: the exception that is being handled.
template <class Core, class Classifier>
void reportThrown(detail::HeldTicket<Core>& permit, Classifier& classifier) noexcept {
    if (!permit.held()) return;
    Core& core = permit.core();
    const std::exception_ptr error = std::current_exception();
    const detail::Ticket ticket = permit.take();
    detail::CallEnd end = core.measure(ticket, judgeCompletion(core, ticket, classifier, error));
    if (end.error.empty()) end.error = "the operation could not be started";
    core.finish(ticket, end, &error);
}

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
