// SPDX-License-Identifier: MIT
// What a thread is about to do, as far as the order of threads is concerned.
#pragma once

#include <cstdint>

namespace fusebox::model {

struct Operation {
    enum class Kind : std::uint8_t { Load, Store, Update, Lock, TryLock, Unlock };

    Kind kind = Kind::Load;
    std::uint32_t object = 0;
};

/// Whether the order of two operations of different threads can make a difference.
[[nodiscard]] constexpr bool dependent(Operation a, Operation b) noexcept {
    return a.object == b.object &&
           (a.kind != Operation::Kind::Load || b.kind != Operation::Kind::Load);
}

/// Whether there is a state in which either of them could be next.
[[nodiscard]] constexpr bool compete(Operation a, Operation b) noexcept {
    using Kind = Operation::Kind;
    const bool handedOver = (a.kind == Kind::Lock && b.kind == Kind::Unlock) ||
                            (a.kind == Kind::Unlock && b.kind == Kind::Lock);
    return dependent(a, b) && !handedOver;
}

}  // namespace fusebox::model
