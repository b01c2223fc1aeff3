// SPDX-License-Identifier: MIT
// What a child of this process says.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

namespace fusebox::test {

/// The exit code of a child that ends with what `action` returns; negative: a signal ended it, also
/// one that took too long. Where `action` starts threads, ThreadSanitizer must be told to bear that
/// (TSAN_OPTIONS=die_after_fork=0, as its preset does).
template <class Action>
[[nodiscard]] int exitCodeOf(Action action) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(60);
        _exit(action());
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace fusebox::test
