// SPDX-License-Identifier: MIT
// Checks for programs that a test framework cannot be built for: it needs exceptions and RTTI.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <string>

// With the preset `coverage`: what a child has run is counted, however it ends.
extern "C" [[gnu::weak]] int __llvm_profile_write_file();

namespace fusebox::test {

inline void countCoverage() {
    if (__llvm_profile_write_file) __llvm_profile_write_file();
}

inline int failedChecks = 0;

inline void check(bool holds, const char* what, const char* file, int line) {
    if (holds) return;
    ++failedChecks;
    std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, what);
}

/// What a child process left behind.
struct Child {
    std::string errors;  ///< what it wrote to stderr
    int signal = 0;      ///< what ended it; 0: it came to an end by itself
};

/// Runs `action` in a child of this process.
template <class Action>
[[nodiscard]] Child inChild(Action action) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) return {};
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        std::signal(SIGABRT, [](int) { countCoverage(); });
        action();
        _exit(0);
    }
    close(ends[1]);
    Child result;
    std::array<char, 512> buffer{};
    for (ssize_t n = 0; (n = read(ends[0], buffer.data(), buffer.size())) > 0;) {
        result.errors.append(buffer.data(), static_cast<std::size_t>(n));
    }
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    return result;
}

}  // namespace fusebox::test

#define FUSEBOX_CHECK(...) \
    ::fusebox::test::check(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, __FILE__, __LINE__)
