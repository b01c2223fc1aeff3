// SPDX-License-Identifier: MIT
// Registries: the class, its events, and the registry of the process.
#pragma once

#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/registry/process_registry.hpp"
#include "fusebox/registry/registry_events.hpp"
