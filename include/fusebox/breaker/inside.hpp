// SPDX-License-Identifier: MIT
// Whether this thread is inside a certain object right now.
#pragma once

#include <utility>

namespace fusebox::detail {

/// Says, for as long as it lives on the stack, that this thread is inside `object`.
template <class T>
class Inside {
public:
    explicit Inside(const T& object) noexcept
        : object_(&object), outer_(std::exchange(innermost, this)) {}
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { innermost = outer_; }

    [[nodiscard]] static bool isThisThread(const T& object) noexcept {
        for (const Inside* inside = innermost; inside != nullptr; inside = inside->outer_) {
            if (inside->object_ == &object) return true;
        }
        return false;
    }

private:
    static inline constinit thread_local const Inside* innermost = nullptr;

    const T* object_;
    const Inside* outer_;
};

}  // namespace fusebox::detail
