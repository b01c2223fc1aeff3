// SPDX-License-Identifier: MIT
// What a child of this process says.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

// With the preset `coverage`: what a child has run is counted, however it ends.
extern "C" [[gnu::weak]] int __llvm_profile_write_file();

namespace fusebox::test {

inline void countCoverage() {
    if (__llvm_profile_write_file) __llvm_profile_write_file();
}

/// The exit code of a child that ends with what `action` returns; negative: a signal ended it, also
/// one that took too long. Where `action` starts threads, ThreadSanitizer must be told to bear that
/// (TSAN_OPTIONS=die_after_fork=0, as its preset does).
template <class Action>
[[nodiscard]] int exitCodeOf(Action action) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        const int code = action();
        countCoverage();
        _exit(code);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace fusebox::test
