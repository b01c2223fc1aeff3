// SPDX-License-Identifier: MIT
// What must be true of a breaker after a run, whatever the order of its threads was.
#pragma once

#include "breaker/explored_breaker.hpp"

namespace fusebox::model {

/// Fails the execution where the history or the statistics break a promise.
void judge(ExploredBreaker& breaker, const Setup& setup, bool wasReset);

/// A breaker is never stuck: left alone it admits a call, and closes when its probes succeed.
void requireRecovery(ExploredBreaker& breaker);

}  // namespace fusebox::model
