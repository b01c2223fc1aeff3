// SPDX-License-Identifier: MIT
// What the two shared objects show to the program.
#pragma once

#include "fusebox/fusebox.hpp"

#define SHOWN [[gnu::visibility("default")]]

namespace a {
SHOWN const void* registry();
/// Makes a breaker by name.
SHOWN void create(const char* name);
/// Lets a breaker of another type than by name join.
SHOWN void addOther(const char* name);
/// Opens and closes it: this object delivers the event.
SHOWN void deliver(const char* name);
/// A successful call by name, in a registry that someone else made.
SHOWN int callIn(fusebox::CircuitBreakerRegistry& registry, const char* name);
/// The timer of deadlines.
SHOWN const void* timer();
/// Whether a call that takes a token is stopped at its deadline.
SHOWN bool stops();
}  // namespace a

namespace b {
SHOWN const void* registry();
/// Whether a call by name, and a handle, reach the breaker that another object made.
SHOWN bool reaches(const char* name);
/// A call by name, during which `within` runs.
SHOWN void callDuring(const char* name, void (*within)());
/// A listener to all breakers that unsubscribes itself when first called; how often it was called.
SHOWN void listenOnce();
SHOWN int heard();
/// Whether a breaker that another object added, of another type, can be watched but not had.
SHOWN bool watches(const char* name);
SHOWN const void* timer();
SHOWN bool stops();
/// A registry of its own.
SHOWN fusebox::CircuitBreakerRegistry& own();
}  // namespace b
