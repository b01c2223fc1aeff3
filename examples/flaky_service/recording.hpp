// SPDX-License-Identifier: MIT
// One run of the whole script under load, shown while it runs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "load.hpp"
#include "script.hpp"

namespace flaky {

/// All that is known of a run once it is over.
struct Recording {
    Clock::time_point zero;       ///< when the script began
    std::vector<Sample> samples;  ///< in the order in which the calls ended
    PerPhase<int> reached;        ///< by the server's count
};

/// Starts a server of its own, lets eight callers ask it in that way until the script ends, and
/// prints a line a second; `breaker` is what to print for the breaker's state.
[[nodiscard]] Recording record(const std::string& server, const Script& script, const Call& call,
                               const std::function<std::string_view()>& breaker);

}  // namespace flaky
