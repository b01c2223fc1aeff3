// SPDX-License-Identifier: MIT
// RapidCheck with a seed and a number of tests of our own.
// needs: rapidcheck rapidcheck
#pragma once

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>

#include <rapidcheck.h>

namespace fusebox::test {

/// Tries a property; empty if it held, else the smallest counterexample found.
template <class Property>
[[nodiscard]] std::string counterexample(std::uint64_t seed, int tests, Property&& property) {
    rc::detail::TestParams params;
    params.seed = seed;
    params.maxSuccess = tests;
    rc::detail::TestMetadata metadata;
    const auto result =
        rc::detail::checkTestable(std::forward<Property>(property), metadata, params);
    if (result.template is<rc::detail::SuccessResult>()) return {};
    std::ostringstream text;
    rc::detail::printResultMessage(result, text);
    return std::move(text).str();
}

}  // namespace fusebox::test
