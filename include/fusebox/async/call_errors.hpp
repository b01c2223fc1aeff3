// SPDX-License-Identifier: MIT
// What callers get for calls that did not come back from an executor.
#pragma once

#include <chrono>
#include <exception>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox::detail {

/// The rejection of a call that is cancelled because its executor had no room; told to listeners.
template <class Core>
[[nodiscard]] Rejection rejectedByExecutor(Core& core) noexcept {
    const Rejection rejection{core.name(), core.machine().read().state, RejectionReason::QueueFull,
                              std::chrono::nanoseconds::zero()};
    if (core.hub().template wants<CallRejected>()) core.hub().emit(CallRejected{{}, rejection});
    return rejection;
}

/// Reports that a call did not end by its deadline.
template <class Core>
[[nodiscard]] CallTimeoutError reportTimeout(Core& core, Ticket ticket) {
    CallEnd end = core.measure(ticket, Outcome::Timeout);
    end.late = true;
    end.error = "the call took longer than its deadline";
    core.finish(ticket, end);
    return {core.name(), core.machine().read().state, core.limitsOf(ticket).requestTimeout};
}

template <class Core>
[[nodiscard]] CallDroppedError droppedByExecutor(Core& core) {
    return {core.name(), core.machine().read().state};
}

/// What the caller gets in place of an exception of `fn`.
template <class R, class Error, class Answer>
FUSEBOX_COLD R deliverError(const Error& error, Answer& answer) {
    if constexpr (AnswersException<Answer>) {
        return answerException<R>(answer, std::make_exception_ptr(error));
    } else {
#if defined(__cpp_exceptions)
        throw error;
#else
        static_assert(alwaysFalse<R>,
                      "fusebox: without exceptions a call in an executor that misses its deadline "
                      "has nowhere to go; give a fallback that answers everything (f())");
#endif
    }
}

}  // namespace fusebox::detail
