// SPDX-License-Identifier: MIT
// What a child of this process says.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FUSEBOX_TEST_TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define FUSEBOX_TEST_TSAN 1
#endif

#if defined(FUSEBOX_TEST_TSAN)
// It would end a child that starts a thread, which is what some tests are about.
extern "C" [[gnu::used]] inline const char* __tsan_default_options() {
    return "die_after_fork=0";
}
#endif

namespace fusebox::test {

/// The exit code of a child that ends with what `action` returns; negative: a signal ended it, also
/// one that took too long.
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
