// SPDX-License-Identifier: MIT
// Asio: asynchronous operations and coroutines behind a circuit breaker. Needs standalone Asio 1.22
// or Boost.Asio 1.81, or newer; see asio/config.hpp for which of them.
//
// needs: asio
#pragma once

#include "fusebox/adapters/asio/async_execute.hpp"
#include "fusebox/adapters/asio/async_guard.hpp"
