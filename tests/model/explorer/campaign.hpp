// SPDX-License-Identifier: MIT
// A suite of scenarios, explored one after the other, and its figures.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "breaker/suites.hpp"
#include "engine/scenario.hpp"

namespace fusebox::model {

struct Figures {
    std::uint64_t scenarios = 0;
    std::uint64_t bounded = 0;  ///< Of the scenarios: too large, explored up to a bound.
    std::uint64_t cut = 0;      ///< Of the bounded ones: too large even so.
    std::uint64_t violations = 0;
    std::uint64_t executions = 0;
    std::uint64_t redundant = 0;
    std::uint64_t steps = 0;
    double seconds = 0;
    std::string largest{};
};

using Suite = std::function<void(const Visit&)>;

/// Explores every scenario: all its executions, or if there are more than `most`, those with at
/// most two preemptions. Prints what violates, and the figures.
Figures explore(const char* name, const Suite& suite, std::uint64_t most);

/// Whether the reduction leaves out nothing that can be told apart: compares what runs with it show
/// with every order and value of each pair, and with every value of each triple, each of them up to
/// so many executions. False if something is missing.
[[nodiscard]] bool checkReduction(std::uint64_t most);

}  // namespace fusebox::model
