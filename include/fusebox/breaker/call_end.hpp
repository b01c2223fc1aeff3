// SPDX-License-Identifier: MIT
// How an admitted call ended, as the state machine is told.
#pragma once

#include <chrono>
#include <string_view>

#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox::detail {

struct CallEnd {
    Outcome outcome = Outcome::Success;
    /// The permit was dropped: neutral like Ignored, with a total of its own.
    bool cancelled = false;
    /// It took at least the policy's `slowerThan`; never of a neutral one.
    bool slow = false;
    /// It ended after its deadline.
    bool late = false;
    /// `elapsed` is known.
    bool measured = false;
    /// `time` is known: when it ended.
    bool timed = false;
    std::chrono::nanoseconds elapsed{0};
    std::chrono::nanoseconds time{0};
    /// What went wrong, in words.
    std::string_view error{};

    [[nodiscard]] constexpr bool failed() const noexcept {
        return outcome == Outcome::Failure || outcome == Outcome::Timeout;
    }
    [[nodiscard]] constexpr bool neutral() const noexcept { return outcome == Outcome::Ignored; }
};

}  // namespace fusebox::detail
