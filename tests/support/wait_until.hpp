// SPDX-License-Identifier: MIT
// Waits for what other threads or processes do in real time.
#pragma once

#include <chrono>
#include <thread>

namespace fusebox::test {

/// Whether `holds()` becomes true, asked again and again for as long as a busy machine may need;
/// less than ctest gives a test.
template <class Holds>
[[nodiscard]] bool waitUntil(const Holds& holds,
                             std::chrono::milliseconds nap = std::chrono::milliseconds{1}) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{100};
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(nap);
    }
    return true;
}

}  // namespace fusebox::test
