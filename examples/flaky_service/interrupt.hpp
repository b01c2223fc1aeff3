// SPDX-License-Identifier: MIT
// Ctrl-C ends the program by its ordinary way out, so that the server is stopped and reaped.
#pragma once

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

#include "script.hpp"

namespace flaky {

namespace detail {
inline std::atomic<bool> interruptSeen{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may not lock");
}  // namespace detail

/// SIGINT, SIGTERM and SIGHUP from now on set `interrupted()`; the same one again ends the program
/// at once.
inline void catchInterrupts() {
    struct sigaction action {};
    action.sa_handler = [](int) { detail::interruptSeen = true; };
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaction(signal, &action, nullptr);
    // Writing to a connection that the server has closed is a failed call, not the end.
    std::signal(SIGPIPE, SIG_IGN);
}

[[nodiscard]] inline bool interrupted() {
    return detail::interruptSeen;
}

/// Thrown out of a run by Ctrl-C.
struct Interrupted {};

/// Throws `Interrupted`.
inline void sleepUntil(Clock::time_point time) {
    for (auto now = Clock::now(); now < time; now = Clock::now()) {
        if (interrupted()) throw Interrupted{};
        std::this_thread::sleep_for(std::min<nanoseconds>(time - now, 50ms));
    }
}

}  // namespace flaky
