// SPDX-License-Identifier: MIT
// The parts below the state machine that cannot be brought far enough through it.
#pragma once

#include <memory>
#include <vector>

#include "engine/scenario.hpp"

namespace fusebox::model {

/// Histograms whose buckets are carried over, and values that are replaced while they are read.
[[nodiscard]] std::vector<std::unique_ptr<Scenario>> sharedDataScenarios();

}  // namespace fusebox::model
