// SPDX-License-Identifier: MIT
// Counts heap allocations, on this thread and only while a test asks for it, by an operator new of
// the whole program (allocations.cpp). Clang's ThreadSanitizer brings one that cannot be replaced:
// then FUSEBOX_TEST_CANNOT_COUNT is defined, and there are no such tests.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FUSEBOX_TEST_CANNOT_COUNT
#endif
#endif

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

#include <cstddef>
#include <utility>

namespace fusebox::test {

struct Allocations {
    bool counting = false;
    bool outOfMemory = false;
    int number = 0;
    int failAt = 0;  ///< The counted one that fails; 0: none.
    std::size_t heldBytes = 0;
};

/// Of this thread.
Allocations& allocations() noexcept;

/// How often `action` asks for memory. It must not contain assertions: those allocate.
template <class Action>
int allocationsIn(Action&& action) {
    allocations().number = 0;
    allocations().counting = true;
    std::forward<Action>(action)();
    allocations().counting = false;
    return allocations().number;
}

}  // namespace fusebox::test

#endif
