// SPDX-License-Identifier: MIT
// Statistics of jobs as JSON, for nlohmann-json.
//
// needs: nlohmann_json
#pragma once

#include <nlohmann/json.hpp>

#include "fusebox/async/job_stats.hpp"
#include "fusebox/exposition/json_values.hpp"

namespace fusebox {

template <detail::BasicJson Json>
void to_json(Json& json, const JobStats& stats) {
    json = Json::object();
    json["runs"] = stats.runs;
    json["successes"] = stats.successes;
    json["failures"] = stats.failures;
    json["skipped"] = stats.skipped;
    json["retries"] = stats.retries;
    json["retrying"] = stats.retrying;
    json["lastError"] = stats.lastError;
    json["lastSuccess"] = detail::jsonTime<Json>(stats.lastSuccess);
    json["lastFailure"] = detail::jsonTime<Json>(stats.lastFailure);
}

}  // namespace fusebox
