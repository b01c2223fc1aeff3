// SPDX-License-Identifier: MIT
// Whether this thread is inside a certain object right now.
#pragma once

#include <utility>

#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// One object that this thread is inside of, and the next outer one.
struct InsideLink {
    const void* object;
    const InsideLink* outer;
};

// Process-wide, because a listener of one shared object may unsubscribe itself while another one
// delivers. Its parameter is no type: a hidden type would hide the variable, too.
template <int version>
struct InsideChain {
    FUSEBOX_PROCESS_WIDE static inline constinit thread_local const InsideLink* innermost = nullptr;
};

/// Says, for as long as it lives on the stack, that this thread is inside `object`. Objects are
/// told apart by their addresses alone: neither may be the first member of another.
template <class T>
class Inside {
    using Chain = InsideChain<kVersion>;

public:
    explicit Inside(const T& object) noexcept
        : link_{&object, std::exchange(Chain::innermost, &link_)} {}
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { Chain::innermost = link_.outer; }

    [[nodiscard]] static bool isThisThread(const T& object) noexcept {
        for (const InsideLink* link = Chain::innermost; link != nullptr; link = link->outer) {
            if (link->object == &object) return true;
        }
        return false;
    }

private:
    InsideLink link_;
};

}  // namespace fusebox::detail
