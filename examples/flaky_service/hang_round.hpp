// SPDX-License-Identifier: MIT
// One form of guarded call against a server that hangs.
#pragma once

#include <optional>
#include <string_view>

#include "hang_forms.hpp"
#include "script.hpp"
#include "server_process.hpp"

namespace flaky {

/// For how long the server hangs; then it answers what it was asked.
inline constexpr milliseconds kHang = 1500ms;

/// How far apart callers come, after eight at once.
inline constexpr milliseconds kArrivalGap = 10ms;

/// What a form did for its callers.
struct HangResult {
    std::string_view form;
    Spares spares;
    std::optional<nanoseconds> toOpen{};           ///< from the start of the first call
    nanoseconds longest{};                         ///< that a caller was stuck
    std::optional<nanoseconds> longestOnceOpen{};  ///< of the callers that came after it had opened
    std::size_t rejected = 0;
    int reached = 0;  ///< requests that reached the hung server, by its own count
};

/// Lets callers come while the server hangs. Takes a little longer than `kHang`. Throws
/// `std::runtime_error`, and `Interrupted`.
[[nodiscard]] HangResult hang(const ServerProcess& server, const Form& form);

}  // namespace flaky
