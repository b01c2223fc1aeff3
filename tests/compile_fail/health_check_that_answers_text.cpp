// expect: the function of a health check must be copyable, take a const HealthCheckContext. or
// nothing SPDX-License-Identifier: MIT
#include <string>

#include "fusebox/health/health_check.hpp"

#ifdef VIOLATION
const auto probe = [] { return std::string{"fine"}; };
#else
const auto probe = [] { return fusebox::HealthCheckResult::healthy("fine"); };
#endif

const fusebox::HealthCheck check = fusebox::createHealthCheck("database", probe);
