// SPDX-License-Identifier: MIT
// The names of a registry's breakers.
#pragma once

#include <string>
#include <vector>

#include "fusebox/registry/registry.hpp"

namespace fusebox::test {

using Names = std::vector<std::string>;

[[nodiscard]] inline Names namesIn(const CircuitBreakerRegistry& registry) {
    Names names;
    for (const auto& view : registry.getAll()) names.emplace_back(view->name());
    return names;
}

}  // namespace fusebox::test
