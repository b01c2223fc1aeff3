// SPDX-License-Identifier: MIT
// A thread in the background, and what has to be done around a fork.
#pragma once

#if defined(__unix__) || defined(__APPLE__)
#define FUSEBOX_HAS_PTHREADS 1
#include <pthread.h>
#include <signal.h>
#else
#define FUSEBOX_HAS_PTHREADS 0
#include <mutex>
#include <thread>
#endif

namespace fusebox::detail {

/// Starts a thread that nobody joins and that handles no signal; says whether it could be started.
/// Neither throws nor aborts, also without exceptions: std::thread would.
[[nodiscard]] inline bool startDetached(void* (*routine)(void*), void* argument) noexcept {
#if FUSEBOX_HAS_PTHREADS
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0) return false;
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // Blocked before it starts: a thread inherits the mask.
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread{};
    const bool started = ::pthread_create(&thread, &attributes, routine, argument) == 0;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_attr_destroy(&attributes);
    return started;
#elif defined(__cpp_exceptions)
    try {
        std::thread{routine, argument}.detach();
        return true;
    } catch (...) {
        return false;
    }
#else
    std::thread{routine, argument}.detach();
    return true;
#endif
}

/// Runs something once. Needs no initialisation at run time. In the child of a fork that
/// interrupted it, it runs again: glibc's pthread_once sees to that, which the guard of a
/// function's static, or std::call_once, would leave locked for ever.
class OnceAcrossForks {
public:
    void run(void (*action)()) noexcept {
#if FUSEBOX_HAS_PTHREADS
        ::pthread_once(&once_, action);
#else
        std::call_once(once_, action);
#endif
    }

private:
#if FUSEBOX_HAS_PTHREADS
    pthread_once_t once_ = PTHREAD_ONCE_INIT;
#else
    std::once_flag once_;
#endif
};

/// From now on calls these before each fork, and after it in the parent and in the child; says
/// whether that could be arranged.
[[nodiscard]] inline bool aroundForks(void (*before)(), void (*inParent)(),
                                      void (*inChild)()) noexcept {
#if FUSEBOX_HAS_PTHREADS
    return ::pthread_atfork(before, inParent, inChild) == 0;
#else
    static_cast<void>(before), static_cast<void>(inParent), static_cast<void>(inChild);
    return true;
#endif
}

}  // namespace fusebox::detail
