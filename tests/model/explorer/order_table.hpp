// SPDX-License-Identifier: MIT
// Which memory orders are needed: each is weakened, one at a time, and something must go wrong.
#pragma once

#include <cstddef>

namespace fusebox::model {

/// Prints a table: each site, what it was weakened to, and the scenario that noticed. Looks in the
/// special scenarios, the pairs, and one of each `stride` triples. False if a weaker order went
/// unnoticed that is not among those that are kept on purpose.
[[nodiscard]] bool printOrderTable(std::size_t stride);

}  // namespace fusebox::model
