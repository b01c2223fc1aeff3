// SPDX-License-Identifier: MIT
// Standalone Asio or Boost.Asio under one name, and a breaker for tests of them.
#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include "fusebox/adapters/asio.hpp"

#if FUSEBOX_ASIO_BOOST
#include <boost/asio.hpp>
#include <boost/asio/experimental/as_tuple.hpp>
#include <boost/asio/experimental/deferred.hpp>
#else
#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/deferred.hpp>
#endif

#include "breaker/conservation.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

namespace fusebox::test {

namespace net = asio_detail::net;
using asio_detail::ErrorCode;
using asio_detail::SystemError;
using net::ip::tcp;
using Breaker = SteadyCircuitBreaker<ConsecutiveFailures>;

// Newer versions have them outside of `experimental`, and keep these names.
using net::experimental::as_tuple;
using net::experimental::deferred;

inline constexpr auto kFar = std::chrono::seconds{30};  // No test waits for so long.

}  // namespace fusebox::test
