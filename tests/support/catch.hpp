// SPDX-License-Identifier: MIT
// Catch2 3 or 2, whichever was found. Tests include this and never a Catch2 header, and keep to
// what both have: no SKIP, no Approx (use WithinRel or WithinAbs), matchers from Catch::Matchers.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_all.hpp>
#include <catch2/matchers/catch_matchers_all.hpp>
#else
#include <catch2/catch.hpp>

namespace Catch::Matchers {
/// The name that Catch2 3 has for a string's Contains.
inline auto ContainsSubstring(const std::string& part) {
    return Contains(part);
}
}  // namespace Catch::Matchers
#endif
