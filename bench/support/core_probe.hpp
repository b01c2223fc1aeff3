// SPDX-License-Identifier: MIT
// Whether a thread has its core to itself.
#pragma once

#include <chrono>

namespace bench {

/// How long it takes to do as much at once as a core can, in registers alone: about 25 us.
///
/// What a virtual machine calls a core may be one of two threads of it. A neighbour's work on the
/// other slows a call down by half, and so does the second core of the machine, if it is the other
/// thread of the first. A guest has no other sign of that than how fast it is.
[[nodiscard]] std::chrono::nanoseconds probeCore();

/// Waits until the core seems to be this thread's alone, for about 1 ms at most: neighbours come in
/// bursts. Returns the last probe.
std::chrono::nanoseconds awaitOwnCore();

}  // namespace bench
