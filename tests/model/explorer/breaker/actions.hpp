// SPDX-License-Identifier: MIT
// What one thread does to an explored breaker.
#pragma once

#include <optional>
#include <string_view>

#include "breaker/explored_breaker.hpp"

namespace fusebox::model {

enum class Action {
    Succeed,  ///< A call, if it is admitted.
    Fail,
    Cancel,
    SucceedSlowly,
    LateSuccess,  ///< The end of a call that began before.
    LateFailure,
    LateCancel,
    Open,
    Close,
    Reopen,  ///< Closes and opens for longer: a second opening.
    Reset,
    ForceOpen,
    ForceClosed,
    Shadow,
    Reconfigure,  ///< Another limit of probes, another wait.
    Advance,      ///< The clock, past every deadline.
    Read,
    Stats,
    Automatic,  ///< Back from another mode.
    Count_,
};

[[nodiscard]] std::string_view toString(Action action);
[[nodiscard]] constexpr bool isLate(Action action) {
    return action == Action::LateSuccess || action == Action::LateFailure ||
           action == Action::LateCancel;
}

/// @param late the call that began before, if there is one.
void perform(Action action, ExploredBreaker& breaker, const Setup& setup,
             const std::optional<detail::Ticket>& late);

}  // namespace fusebox::model
