// SPDX-License-Identifier: MIT
// Threads that run one at a time, on stacks of their own, and hand over by name.
#pragma once

#include <ucontext.h>

#include <array>
#include <cstddef>
#include <memory>

#include "engine/vector_clock.hpp"

namespace fusebox::model {

/// Fiber 0 is the caller of `begin`; each of the others runs the body once it is switched to, and
/// calls `done` at its end, which has to switch away and comes back for the next run.
class Fibers {
public:
    using Body = void (*)(void* context, std::size_t fiber);

    /// The fibers from 1 to `count` start over at their next turn.
    void begin(std::size_t count, Body body, void* context);
    void switchTo(std::size_t fiber);
    [[nodiscard]] std::size_t current() const noexcept { return current_; }
    /// They are left where they are, in the middle of their runs.
    void abandon() noexcept { made_.fill(false); }

private:
    static constexpr std::size_t kStackBytes = 256 * 1024;

    void make(std::size_t fiber);
    static void enter(unsigned high, unsigned low);
    [[noreturn]] void loop();

    std::array<ucontext_t, kThreads> contexts_{};
    std::array<std::unique_ptr<std::byte[]>, kThreads> stacks_{};
    std::array<bool, kThreads> made_{};
    std::size_t current_ = 0;
    Body body_ = nullptr;
    void* context_ = nullptr;
};

}  // namespace fusebox::model
