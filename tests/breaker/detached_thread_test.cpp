// SPDX-License-Identifier: MIT
#include "fusebox/breaker/detached_thread.hpp"

#include "support/catch.hpp"

#if FUSEBOX_HAS_PTHREADS

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

#include "support/forked.hpp"

using namespace fusebox;

namespace {

/// What a thread of its own finds out about itself; never freed, since nobody waits for its end.
struct Found {
    std::atomic<bool> done{false};
    sigset_t blocked{};
    int detached = -1;
};

void* look(void* found) {
    Found& mine = *static_cast<Found*>(found);
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mine.blocked);
#if defined(__GLIBC__)
    pthread_attr_t attributes;
    if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
        ::pthread_attr_getdetachstate(&attributes, &mine.detached);
        ::pthread_attr_destroy(&attributes);
    }
#endif
    mine.done.store(true, std::memory_order_release);
    return nullptr;
}

/// How often each handler of forks was called in this process.
struct ForkCalls {
    int before = 0;
    int inParent = 0;
    int inChild = 0;
};
ForkCalls forkCalls;

}  // namespace

TEST_CASE("A detached thread runs, is nobody's to join, and blocks every signal that can be") {
    static Found found;
    REQUIRE(detail::startDetached(&look, &found));
    while (!found.done.load(std::memory_order_acquire)) std::this_thread::yield();
#if defined(__GLIBC__)
    CHECK(found.detached == PTHREAD_CREATE_DETACHED);
#endif
    sigset_t all;
    sigfillset(&all);
    int unblocked = 0;
    for (int signal = 1; signal < NSIG; ++signal) {
        if (signal == SIGKILL || signal == SIGSTOP) continue;
        unblocked += sigismember(&all, signal) == 1 && sigismember(&found.blocked, signal) != 1;
    }
    CHECK(unblocked == 0);
    // The caller's own mask is as before.
    sigset_t mine;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mine);
    CHECK(sigismember(&mine, SIGTERM) == 0);
}

TEST_CASE("Around a fork each handler is called once, where it belongs") {
    // In a child: handlers stay for as long as a process lives.
    CHECK(test::exitCodeOf([] {
              if (!detail::aroundForks([] { ++forkCalls.before; }, [] { ++forkCalls.inParent; },
                                       [] { ++forkCalls.inChild; })) {
                  return 1;
              }
              const int ofChild = test::exitCodeOf([] {
                  return forkCalls.before == 1 && forkCalls.inParent == 0 && forkCalls.inChild == 1
                             ? 0
                             : 1;
              });
              if (ofChild != 0) return 2;
              return forkCalls.before == 1 && forkCalls.inParent == 1 && forkCalls.inChild == 0 ? 0
                                                                                                : 3;
          }) == 0);
}

#endif
