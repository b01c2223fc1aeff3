// SPDX-License-Identifier: MIT
// A call that is stopped at its deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "fusebox/fusebox.hpp"

#if FUSEBOX_HAS_STOP_TOKEN
#include <stop_token>
#endif

namespace {

// In an unnamed namespace on purpose: each object has its own.
bool stopsAtTheDeadline() {
#if FUSEBOX_HAS_STOP_TOKEN
    fusebox::CircuitBreaker breaker{"stops", {.requestTimeout = std::chrono::milliseconds{5}}};
    return breaker.execute([](std::stop_token token) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock{mutex};
        never.wait_for(lock, token, std::chrono::seconds{10}, [] { return false; });
        return token.stop_requested();
    });
#else
    return true;
#endif
}

}  // namespace
