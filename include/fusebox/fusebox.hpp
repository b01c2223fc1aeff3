// SPDX-License-Identifier: MIT
// The umbrella: everything that needs only the standard library.
#pragma once

#include "fusebox/async/execute_async.hpp"
#include "fusebox/async/execute_on.hpp"
#include "fusebox/async/guarded_awaitable.hpp"
#include "fusebox/async/guarded_job.hpp"
#include "fusebox/async/thread_pool.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "fusebox/policy/any_trip_policy.hpp"
#include "fusebox/registry/event_log.hpp"
#include "fusebox/registry/registry.hpp"
#include "fusebox/registry/with_circuit_breaker.hpp"
#include "fusebox/version.hpp"
#include "fusebox/vocabulary/errors.hpp"
