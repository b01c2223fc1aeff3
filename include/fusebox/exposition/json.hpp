// SPDX-License-Identifier: MIT
// `to_json` for nlohmann-json: statistics, trip records, jobs, events, rejections, and every
// enumeration.
//
// needs: nlohmann_json
#pragma once

#include "fusebox/exposition/json_events.hpp"
#include "fusebox/exposition/json_jobs.hpp"
#include "fusebox/exposition/json_stats.hpp"
#include "fusebox/exposition/json_values.hpp"
