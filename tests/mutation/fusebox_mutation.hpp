// SPDX-License-Identifier: MIT
// What an instrumented header asks: whether it is that mutant. See schemata.py.
#pragma once

#include <type_traits>

namespace fusebox_mutation {

/// The number of the mutant, -1 for none: from the environment, before anything else begins.
extern int active;
/// Which mutants were asked for; tests.cpp notes it for each test, and for the processes it forks.
extern unsigned char* reached;

inline bool now(int mutant) noexcept {
    reached[mutant] = 1;
    return active == mutant;
}
/// The same where the compiler, too, may ask; it always meets the original.
constexpr bool on(int mutant) noexcept {
    return !std::is_constant_evaluated() && now(mutant);
}

}  // namespace fusebox_mutation
