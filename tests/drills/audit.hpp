// SPDX-License-Identifier: MIT
// Whether what was noted of an outage is what the breaker promises.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "drills/evidence.hpp"
#include "drills/outage.hpp"

namespace fusebox::test {

struct Violation {
    std::string what;
    /// It is about how long something took: a machine that stood still may have caused it.
    bool ofTime = false;
};

struct Findings {
    std::vector<Violation> violations{};
    std::optional<std::chrono::nanoseconds> toOpen{};  ///< After the fault began.
    int openings = 0;
    int probesAtOnce = 0;    ///< Most calls of callers that were probes of one half-open state.
    int requestsAtOnce = 0;  ///< Most requests at the proxy while half-open.
    std::chrono::nanoseconds recovery{0};  ///< From the end of the fault until it was closed.
    std::chrono::nanoseconds recoveryBound{0};
};

[[nodiscard]] Findings audit(const Outage& outage, const Evidence& evidence);

}  // namespace fusebox::test
