// SPDX-License-Identifier: MIT
// Lets the k-th allocation fail, or the k-th call of a user's own code throw, for every k.
#pragma once

#include "support/allocations.hpp"

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>

namespace fusebox::test {

/// What user code throws at the chosen point.
struct Injected {};

enum class Fault : std::uint8_t { NoMemory, Throws };

struct FaultPoints {
    int passed = 0;
    int failAt = 0;  ///< 0: none.
};
inline FaultPoints faultPoints;

/// A point in user code.
inline void faultPoint() {
    if (++faultPoints.passed == faultPoints.failAt) throw Injected{};
}

/// Something of a user's that may throw whenever it is copied, moved or called.
class Bomb {
public:
    Bomb() = default;
    Bomb(const Bomb&) { faultPoint(); }
    Bomb(Bomb&&) { faultPoint(); }  // NOLINT: it may throw.
    Bomb& operator=(const Bomb&) = delete;
    ~Bomb() = default;

    void use() const { faultPoint(); }
};

/// How a sweep went.
struct Sweep {
    int points = 0;   ///< Of both kinds.
    int escaped = 0;  ///< Faults that reached the caller.
    int leaks = 0;
    int wrong = 0;  ///< Checks that did not hold afterwards.
    int firstWrong = 0;
};

namespace detail_ {

inline void arm(Fault fault, int at) {
    if (fault == Fault::NoMemory) {
        allocations().number = 0;
        allocations().failAt = at;
    } else {
        faultPoints = {0, at};
    }
}
/// How many points were passed.
inline int disarm(Fault fault) {
    allocations().failAt = 0;
    faultPoints.failAt = 0;
    return fault == Fault::NoMemory ? allocations().number : faultPoints.passed;
}

}  // namespace detail_

/// For each kind of fault and each k: makes a world, lets `act(world)` meet its k-th fault, and
/// asks `check(world, fault reached the caller)`. No assertion may be in there: they allocate.
template <class MakeWorld, class Act, class Check>
[[nodiscard]] Sweep sweep(const MakeWorld& make, const Act& act, const Check& check) {
    Sweep result;
    for (const Fault fault : {Fault::NoMemory, Fault::Throws}) {
        int points = 0;
        // The first round has no fault; it also makes what is made once in a process.
        for (int at = 0; at <= points; ++at) {
            for (const bool counts : {false, true}) {
                if (at > 0 && !counts) continue;
                allocations().heldBytes = 0;
                allocations().counting = true;
                {
                    auto world = make();
                    bool escaped = false;
                    detail_::arm(fault, at);
                    try {
                        act(*world);
                    } catch (const std::bad_alloc&) {
                        escaped = true;
                    } catch (const Injected&) {
                        escaped = true;
                    }
                    const int passed = detail_::disarm(fault);
                    if (at == 0) points = passed;
                    result.escaped += escaped;
                    if (!check(*world, escaped)) {
                        ++result.wrong;
                        if (result.firstWrong == 0) result.firstWrong = at;
                    }
                }
                allocations().counting = false;
                if (counts) result.leaks += allocations().heldBytes != 0;
            }
        }
        result.points += points;
    }
    return result;
}

}  // namespace fusebox::test

#endif
