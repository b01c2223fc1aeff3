// SPDX-License-Identifier: MIT
// The scenarios of breakers, by suite.
#pragma once

#include <cstddef>
#include <functional>

#include "engine/scenario.hpp"

namespace fusebox::model {

using Visit = std::function<void(Scenario&)>;

/// Every pair of actions, from every start.
void forEachPair(const Visit& visit);
/// Every triple of actions, from every start; of each `stride` of them one.
void forEachTriple(std::size_t stride, const Visit& visit);
/// Breakers with more than one shard, latencies, ticks or deadlines; longer threads; what stands
/// below the state machine.
void forEachSpecial(const Visit& visit);

}  // namespace fusebox::model
