// SPDX-License-Identifier: MIT
// Does the explorer see what C++ allows, and nothing else? Small programs with known answers.
#pragma once

namespace fusebox::model {

/// Prints each program that has other results than it should, and how many there were; false if
/// there is one.
[[nodiscard]] bool checkLitmus();

}  // namespace fusebox::model
