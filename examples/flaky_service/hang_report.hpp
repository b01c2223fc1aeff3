// SPDX-License-Identifier: MIT
// Every form of guarded call against a hung server, in a table and with a verdict.
#pragma once

#include <string>

namespace flaky {

/// Tries them one after the other on a server of their own, and prints what came of it; true if
/// each did what it promises. Throws what `hang` throws.
[[nodiscard]] bool tryForms(const std::string& server);

}  // namespace flaky
