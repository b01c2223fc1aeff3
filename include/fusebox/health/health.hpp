// SPDX-License-Identifier: MIT
// Health checks: the manager, its reports, and checks that are ready-made. Reports as JSON are in
// health_json.hpp.
#pragma once

#include "fusebox/health/circuit_breaker_check.hpp"
#include "fusebox/health/disk_space_check.hpp"
#include "fusebox/health/env_var_check.hpp"
#include "fusebox/health/health_check.hpp"
#include "fusebox/health/health_check_manager.hpp"
#include "fusebox/health/health_probe.hpp"
#include "fusebox/health/health_report.hpp"
#include "fusebox/health/health_status.hpp"
#include "fusebox/health/memory_check.hpp"
#include "fusebox/health/memory_usage.hpp"
#include "fusebox/health/tcp_check.hpp"
