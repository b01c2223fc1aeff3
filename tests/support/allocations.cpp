// SPDX-License-Identifier: MIT
#include "support/allocations.hpp"

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

constinit thread_local fusebox::test::Allocations ofThisThread;

std::size_t sizeOf(void* memory) noexcept {
#if defined(__GLIBC__)
    return ::malloc_usable_size(memory);
#else
    return 0;
#endif
}

void* allocate(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) noexcept {
    if (ofThisThread.counting) ++ofThisThread.number;
    if (ofThisThread.outOfMemory) return nullptr;
    if (ofThisThread.counting && ofThisThread.number == ofThisThread.failAt) return nullptr;
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    void* const memory = alignment <= alignof(std::max_align_t)
                             ? std::malloc(size == 0 ? 1 : size)
                             : std::aligned_alloc(alignment, rounded);
    if (ofThisThread.counting) ofThisThread.heldBytes += sizeOf(memory);
    return memory;
}
void* allocateOrThrow(std::size_t size, std::size_t alignment = alignof(std::max_align_t)) {
    void* memory = allocate(size, alignment);
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

// Not inlined: gcc would see what `new` gave go to std::free, and warn of a mismatch.
[[gnu::noinline]] void release(void* memory) noexcept {
    if (ofThisThread.counting) ofThisThread.heldBytes -= sizeOf(memory);
    std::free(memory);
}

}  // namespace

using Alignment = std::align_val_t;
void* operator new(std::size_t n) {
    return allocateOrThrow(n);
}
void* operator new[](std::size_t n) {
    return allocateOrThrow(n);
}
void* operator new(std::size_t n, const std::nothrow_t&) noexcept {
    return allocate(n);
}
void* operator new[](std::size_t n, const std::nothrow_t&) noexcept {
    return allocate(n);
}
void* operator new(std::size_t n, Alignment a) {
    return allocateOrThrow(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, Alignment a) {
    return allocateOrThrow(n, static_cast<std::size_t>(a));
}
void* operator new(std::size_t n, Alignment a, const std::nothrow_t&) noexcept {
    return allocate(n, static_cast<std::size_t>(a));
}
void* operator new[](std::size_t n, Alignment a, const std::nothrow_t&) noexcept {
    return allocate(n, static_cast<std::size_t>(a));
}
void operator delete(void* p) noexcept {
    release(p);
}
void operator delete[](void* p) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t) noexcept {
    release(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete(void* p, Alignment) noexcept {
    release(p);
}
void operator delete[](void* p, Alignment) noexcept {
    release(p);
}
void operator delete(void* p, std::size_t, Alignment) noexcept {
    release(p);
}
void operator delete[](void* p, std::size_t, Alignment) noexcept {
    release(p);
}
void operator delete(void* p, Alignment, const std::nothrow_t&) noexcept {
    release(p);
}
void operator delete[](void* p, Alignment, const std::nothrow_t&) noexcept {
    release(p);
}

fusebox::test::Allocations& fusebox::test::allocations() noexcept {
    return ofThisThread;
}

#endif
