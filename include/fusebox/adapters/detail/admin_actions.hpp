// SPDX-License-Identifier: MIT
// What administrators can do to a breaker.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "fusebox/registry/circuit_breaker_view.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// What can be done to a breaker, by the word in the path.
struct AdminAction {
    std::string_view word;
    void (*act)(CircuitBreakerView&);
};
inline constexpr std::array<AdminAction, 7> kAdminActions{{
    {"reset", [](CircuitBreakerView& view) { view.reset(); }},
    {"open", [](CircuitBreakerView& view) { view.open(); }},
    {"close", [](CircuitBreakerView& view) { view.close(); }},
    {"force-open", [](CircuitBreakerView& view) { view.setMode(ControlMode::ForcedOpen); }},
    {"force-closed", [](CircuitBreakerView& view) { view.setMode(ControlMode::ForcedClosed); }},
    {"shadow", [](CircuitBreakerView& view) { view.setMode(ControlMode::Shadow); }},
    {"automatic", [](CircuitBreakerView& view) { view.setMode(ControlMode::Automatic); }},
}};

/// Null if there is none of that word.
[[nodiscard]] inline const AdminAction* actionOf(std::string_view word) noexcept {
    const auto* const found = std::ranges::find(kAdminActions, word, &AdminAction::word);
    return found == kAdminActions.end() ? nullptr : found;
}

}  // namespace fusebox::detail
