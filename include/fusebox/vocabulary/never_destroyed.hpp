// SPDX-License-Identifier: MIT
// A function-local static that no exit handler destroys.
#pragma once

#include <cstddef>
#include <new>
#include <utility>

namespace fusebox::detail {

/// Holds a `T` that lives until the process is gone, so that it can be used from static
/// initialisers, exit handlers and threads that outlive `main`.
template <class T>
class NeverDestroyed {
public:
    template <class... Args>
    explicit NeverDestroyed(Args&&... args) {
        ::new (static_cast<void*>(storage_)) T(std::forward<Args>(args)...);
    }
    NeverDestroyed(const NeverDestroyed&) = delete;
    NeverDestroyed& operator=(const NeverDestroyed&) = delete;

    [[nodiscard]] T& get() noexcept { return *std::launder(reinterpret_cast<T*>(storage_)); }

private:
    alignas(T) std::byte storage_[sizeof(T)];
};

}  // namespace fusebox::detail
