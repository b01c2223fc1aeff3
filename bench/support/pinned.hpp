// SPDX-License-Identifier: MIT
// Threads that stay on their core.
#pragma once

#include <pthread.h>
#include <sched.h>

#include <cstddef>
#include <vector>

namespace bench {

/// Keeps this thread on one core for as long as it lives: the thread 0 of a run on the first core
/// that the process may use, 1 on the second, and round again. So two threads never share a core by
/// chance, and a core has as many of eight threads as the other.
class Pinned {
public:
    explicit Pinned(int thread) {
        const auto& cores = allowed();
        if (cores.empty()) return;
        pinTo({cores[static_cast<std::size_t>(thread) % cores.size()]});
    }
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;
    ~Pinned() { pinTo(allowed()); }

private:
    using Cores = std::vector<std::size_t>;

    /// As they were when the process began: threads inherit what their parent was pinned to.
    static const Cores& allowed() {
        static const Cores cores = [] {
            Cores found;
            cpu_set_t set;
            CPU_ZERO(&set);
            if (sched_getaffinity(0, sizeof set, &set) != 0) return found;
            for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
                if (CPU_ISSET(core, &set)) found.push_back(core);
            }
            return found;
        }();
        return cores;
    }

    static void pinTo(const Cores& cores) {
        cpu_set_t set;
        CPU_ZERO(&set);
        for (const std::size_t core : cores) CPU_SET(core, &set);
        // If it is refused, the figures are less steady and as true.
        pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    }
};

}  // namespace bench
