// SPDX-License-Identifier: MIT
// The ways to guard a call that may hang.
#pragma once

#include <fusebox/breaker/circuit_breaker.hpp>
#include <fusebox/policy/consecutive_failures.hpp>

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "script.hpp"
#include "service_client.hpp"

namespace flaky {

/// For how long a call to the hung server may take.
inline constexpr milliseconds kHangDeadline = 200ms;

using Breaker = fusebox::SteadyCircuitBreaker<fusebox::ConsecutiveFailures>;

/// A caller with a connection of its own. It asks the service once, unless the breaker says no; it
/// may throw CallTimeoutError instead of a response.
using Caller = std::function<Response(Breaker&)>;

/// Who does not wait for a hung server: with `Newcomers` those do that found the breaker closed.
enum class Spares { Nobody, Newcomers, Everybody };

struct Form {
    std::string_view name;
    Spares spares;
    std::function<Caller(int port)> connect;  ///< may throw
    bool detectOverdue = false;
};

/// All of them; what they need, such as threads, lives as long as they do.
[[nodiscard]] std::vector<Form> hangForms();

inline constexpr std::string_view kAsioForm = "asyncExecute, Asio";

/// Empty where Asio, or its coroutines, are missing.
[[nodiscard]] std::optional<Form> asioForm();

}  // namespace flaky
