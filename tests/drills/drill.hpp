// SPDX-License-Identifier: MIT
// Goes through an outage: callers, a breaker, the proxy, and the server of the flaky service.
#pragma once

#include <cstdint>

#include "drills/audit.hpp"
#include "drills/evidence.hpp"
#include "drills/lag_meter.hpp"
#include "drills/outage.hpp"
#include "server_process.hpp"

namespace fusebox::test {

/// Lasts until the breaker has closed again, or long enough to say that it does not. The server
/// must be healthy, and serve nobody else meanwhile.
/// @throws what the server or the proxy throws; std::runtime_error if callers cannot connect.
[[nodiscard]] Evidence goThrough(const Outage& outage, const flaky::ServerProcess& server,
                                 const LagMeter& lags, std::uint32_t seed);

}  // namespace fusebox::test
