// SPDX-License-Identifier: MIT
// The guarded call, the same in all measurements: as cheap as a call can be that is not inlined.
#pragma once

#include "fusebox/fusebox.hpp"

namespace bench {

// Defined in a translation unit of their own, so that every caller really calls them, and knows
// nothing about them.

/// Returns a number, which is always a success; a rejection can only be thrown.
int work();
/// Throws.
int throwingWork();

/// A result that can be a failure, and that can carry a rejection.
struct Reply {
    int value = 0;
    bool failed = false;
};
Reply reply();
Reply failedReply();

// The same as objects of types of their own: so that the address is known where they are called
// through a breaker, as it is where they are called directly.
inline constexpr auto kWork = [] { return work(); };
inline constexpr auto kThrowingWork = [] { return throwingWork(); };
inline constexpr auto kReply = [] { return reply(); };
inline constexpr auto kFailedReply = [] { return failedReply(); };

/// What every call by name is called by.
inline constexpr const char* kName = "upstream-service-00000";

}  // namespace bench

template <>
struct fusebox::OutcomeTraits<bench::Reply> {
    static Outcome classify(const bench::Reply& reply) noexcept {
        return reply.failed ? Outcome::Failure : Outcome::Success;
    }
};

template <>
struct fusebox::RejectionTraits<bench::Reply> {
    static bench::Reply make(const Rejection&) noexcept { return {-1, true}; }
};
