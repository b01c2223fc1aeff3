// SPDX-License-Identifier: MIT
// What a thread is about to do, as far as the order of threads is concerned.
#pragma once

#include <cstdint>

namespace fusebox::model {

struct Operation {
    enum class Kind : std::uint8_t {
        Load,    ///< May read old values, too.
        Glance,  ///< Reads the newest value.
        Store,
        Update,
        Lock,
        TryLock,
        Unlock
    };

    Kind kind = Kind::Load;
    std::uint32_t object = 0;

    [[nodiscard]] constexpr bool reads() const noexcept {
        return kind == Kind::Load || kind == Kind::Glance;
    }
};

/// Whether the order of two operations of different threads can make a difference.
[[nodiscard]] constexpr bool dependent(Operation a, Operation b) noexcept {
    return a.object == b.object && !(a.reads() && b.reads());
}

/// Whether `late` before `early` is something else than all that `late` may do after `early`. A
/// load after a store may read what was there before: as if it had come first.
[[nodiscard]] constexpr bool differs(Operation late, Operation early) noexcept {
    return dependent(early, late) && late.kind != Operation::Kind::Load;
}

/// Whether there is a state in which either of them could be next.
[[nodiscard]] constexpr bool compete(Operation a, Operation b) noexcept {
    using Kind = Operation::Kind;
    const bool handedOver = (a.kind == Kind::Lock && b.kind == Kind::Unlock) ||
                            (a.kind == Kind::Unlock && b.kind == Kind::Lock);
    return !handedOver;
}

}  // namespace fusebox::model
