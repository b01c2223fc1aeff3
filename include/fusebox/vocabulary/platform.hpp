// SPDX-License-Identifier: MIT
// What the concurrent parts are built on: atomics, a mutex, and hints for the optimiser.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <version>

#include "fusebox/version.hpp"

#if defined(__GNUC__)
/// The hot path: a call through it would cost as much as what it does.
#define FUSEBOX_HOT [[gnu::always_inline]] inline
/// A path that is not rare, but longer than the hot one, which it would make slower and larger.
#define FUSEBOX_APART [[gnu::noinline]]
/// A rare path: kept out of the others' way.
#define FUSEBOX_COLD [[gnu::noinline, gnu::cold]]
/// One for the whole process, also where -fvisibility=hidden gives each shared object its own.
#define FUSEBOX_PROCESS_WIDE [[gnu::visibility("default")]]
#else
#define FUSEBOX_HOT inline
#define FUSEBOX_APART
#define FUSEBOX_COLD
#define FUSEBOX_PROCESS_WIDE
#endif

// libc++ before 20 offers std::stop_token only with -fexperimental-library.
#if defined(__cpp_lib_jthread)
#define FUSEBOX_HAS_STOP_TOKEN 1
#else
#define FUSEBOX_HAS_STOP_TOKEN 0
#endif

#if defined(__cpp_lib_coroutine)
#define FUSEBOX_HAS_COROUTINES 1
#else
#define FUSEBOX_HAS_COROUTINES 0
#endif

namespace fusebox {

/// The atomics and the mutex of the standard library. The concurrent parts take their platform as a
/// parameter, so that the same source can run on atomics that explore every interleaving.
struct StdPlatform {
    template <class T>
    using Atomic = std::atomic<T>;
    using Mutex = std::mutex;
    /// Counts that have all of these bits look for other threads, see ShardedCounters: eight in a
    /// row of 4096, so that of two threads that take turns both are among them.
    static constexpr std::uint64_t kLooks = 0xFF8;
};

namespace detail {

// A constant, not std::hardware_destructive_interference_size: that one varies between
// translation units with compiler and tuning flags, and the layout must not.
inline constexpr std::size_t kCacheLine = 64;

// Part of the mangled names of what is one for the whole process: two versions of the library in
// one process must not share what they lay out differently.
inline constexpr int kVersion =
    FUSEBOX_VERSION_MAJOR * 10000 + FUSEBOX_VERSION_MINOR * 100 + FUSEBOX_VERSION_PATCH;

}  // namespace detail
}  // namespace fusebox
