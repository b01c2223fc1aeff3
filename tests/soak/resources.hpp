// SPDX-License-Identifier: MIT
// What the process holds, as Linux tells, and whether that grows.
#pragma once

#include <malloc.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "support/sanitized.hpp"

#if defined(FUSEBOX_SANITIZED)
#include <sanitizer/allocator_interface.h>
#endif

namespace fusebox::test {

struct Resources {
    double seconds = 0;  ///< Since the run began.
    /// Bytes, in whole pages, of its own and in use: neither what it reads of files, such as code
    /// that runs for the first time, nor what the allocator keeps for later.
    std::int64_t resident = 0;
    std::int64_t heap = 0;  ///< Bytes that the allocator has handed out.
    std::int64_t threads = 0;
    std::int64_t files = 0;
};

[[nodiscard]] inline std::int64_t entriesOf(const char* folder) {
    return std::distance(std::filesystem::directory_iterator{folder}, {});
}

[[nodiscard]] inline std::int64_t heapInUse() {
#if defined(FUSEBOX_SANITIZED)
    return static_cast<std::int64_t>(__sanitizer_get_current_allocated_bytes());
#else
    const struct mallinfo2 heap = mallinfo2();
    return static_cast<std::int64_t>(heap.uordblks + heap.hblkhd);
#endif
}

[[nodiscard]] inline Resources resourcesAt(double seconds) {
    malloc_trim(0);
    std::ifstream statm{"/proc/self/statm"};
    std::int64_t size = 0;
    std::int64_t resident = 0;
    std::int64_t shared = 0;
    statm >> size >> resident >> shared;
    return {seconds, (resident - shared) * sysconf(_SC_PAGESIZE), heapInUse(),
            entriesOf("/proc/self/task"), entriesOf("/proc/self/fd")};
}

/// The slope of the straight line with the least squares, in bytes an hour.
[[nodiscard]] inline double slope(const std::vector<Resources>& samples,
                                  std::int64_t Resources::*field) {
    double meanX = 0;
    double meanY = 0;
    const auto count = static_cast<double>(samples.size());
    for (const Resources& sample : samples) {
        meanX += sample.seconds / 3600 / count;
        meanY += static_cast<double>(sample.*field) / count;
    }
    double xy = 0;
    double xx = 0;
    for (const Resources& sample : samples) {
        const double x = sample.seconds / 3600 - meanX;
        xy += x * (static_cast<double>(sample.*field) - meanY);
        xx += x * x;
    }
    return xx > 0 ? xy / xx : 0;
}

}  // namespace fusebox::test
