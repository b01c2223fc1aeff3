// SPDX-License-Identifier: MIT
// The one thread that waits for deadlines.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <utility>

#include "fusebox/breaker/deadline_queue.hpp"
#include "fusebox/breaker/detached_thread.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

template <int version>
FUSEBOX_PROCESS_WIDE void* runDeadlineTimer(void* timer);
template <int version>
FUSEBOX_PROCESS_WIDE void guardDeadlineTimer();

/// Acts at deadlines of the steady clock, on a thread of its own, which is started with the first
/// deadline, belongs to no one, and does not keep the process alive.
///
/// **Threads.** Everything may be called concurrently. **Cost.** Arming and disarming take one
/// mutex each, and allocate nothing. The thread is woken only for a deadline that is earlier than
/// all it knows of; it does not wake for one that was disarmed before the instant for which it had
/// gone to sleep. **Fork.** The child has no such thread; it starts one with its first deadline.
/// Those of the parent are not waited for in the child.
class DeadlineTimer {
public:
    using Nanoseconds = std::chrono::nanoseconds;
    using Lock = Deadline::Lock;

    // Constant, so that no fork can interrupt its initialisation.
    constexpr DeadlineTimer() noexcept = default;
    DeadlineTimer(const DeadlineTimer&) = delete;
    DeadlineTimer& operator=(const DeadlineTimer&) = delete;

    [[nodiscard]] Lock lock() noexcept {
        guarded_.run(&guardDeadlineTimer<kVersion>);
        return Lock{mutex_};
    }

    /// Has `deadline` act at `time`, given since the epoch of the steady clock. False if there is
    /// no thread to do so and none could be started; the next one tries again.
    /// @pre it is not armed.
    bool arm(const Lock&, Deadline& deadline, Nanoseconds time) noexcept {
        if (!running_ && !start()) return false;
        deadline.forks_ = forks_;
        queue_.add(deadline, time);
        if (time >= wakesAt_) return true;
        wakesAt_ = time;
        changed().notify_one();
        return true;
    }
    bool arm(Deadline& deadline, Nanoseconds time) noexcept { return arm(lock(), deadline, time); }

    /// When this returns the deadline does not act any more, or has taken what it needs for that
    /// and is not looked at any more. Does nothing if it is not armed.
    void disarm(Deadline& deadline) noexcept {
        const Lock locked = lock();
        // Else the queue that it was in is the parent's.
        if (deadline.forks_ == forks_) queue_.remove(deadline);
    }

    /// Before the first lock: whether forks are taken care of.
    void setUsable(bool usable) noexcept { usable_ = usable; }
    void beforeFork() noexcept {
        // If a fork interrupted their registration, these are called twice in its child's children.
        if (std::exchange(forking_, true)) return;
        mutex_.lock();
    }
    void afterForkInParent() noexcept {
        if (std::exchange(forking_, false)) mutex_.unlock();
    }
    /// Who waited in the parent does not exist here; whom the queue knows may not, either.
    void afterForkInChild() noexcept {
        if (!std::exchange(forking_, false)) return;
        queue_.forget();
        running_ = false;
        ++forks_;
        mutex_.unlock();
    }

private:
    template <int version>
    friend void* runDeadlineTimer(void* timer);

    [[nodiscard]] bool start() noexcept {
        // Over the parent's, after a fork. That is not destroyed: it would wait for who waits in
        // it.
        ::new (static_cast<void*>(changed_)) std::condition_variable;
        running_ = usable_ && startDetached(&runDeadlineTimer<kVersion>, this);
        return running_;
    }

    [[nodiscard]] static Nanoseconds now() noexcept {
        return std::chrono::steady_clock::now().time_since_epoch();
    }

    void run() noexcept {
        Lock locked = lock();
        const std::uint64_t born = forks_;
        // A fork inside of an action makes this thread the child's: it is no timer there.
        while (forks_ == born) {
            Deadline* const first = queue_.first();
            if (first && first->time() <= now()) {
                // Awake: nobody needs to wake it.
                wakesAt_ = Nanoseconds::min();
                queue_.remove(*first);
                first->act(locked);
                if (!locked.owns_lock()) locked.lock();
            } else {
                sleepUntil(first ? first->time() : kForever, locked);
            }
        }
    }

    void sleepUntil(Nanoseconds time, Lock& locked) noexcept {
        wakesAt_ = time;
        // Bounded, because not every implementation bears an instant in a hundred years.
        const Nanoseconds rest = std::min<Nanoseconds>(time - now(), std::chrono::hours{1});
        changed().wait_until(locked, std::chrono::steady_clock::now() + rest);
    }

    [[nodiscard]] std::condition_variable& changed() noexcept {
        return *std::launder(reinterpret_cast<std::condition_variable*>(changed_));
    }

    static inline constinit thread_local bool forking_ = false;

    OnceAcrossForks guarded_;
    bool usable_ = false;
    std::mutex mutex_;
    // Made with the thread: its constructor is not constant.
    alignas(std::condition_variable) std::byte changed_[sizeof(std::condition_variable)]{};
    DeadlineQueue queue_;
    bool running_ = false;
    /// Until when the thread sleeps, if it does.
    Nanoseconds wakesAt_ = kForever;
    /// How many forks led to this process.
    std::uint64_t forks_ = 0;
};

/// The timer of the process; see `circuitBreakerRegistry()` about shared objects. One that has
/// started the thread must stay loaded. (gcc marks it so by itself.)
template <int version>
[[nodiscard]] FUSEBOX_PROCESS_WIDE DeadlineTimer& processDeadlineTimer() noexcept {
    // Initialised before anything runs, destroyed never.
    union Forever {
        constexpr Forever() noexcept : timer() {}
        constexpr ~Forever() {}
        DeadlineTimer timer;
    };
    static constinit Forever forever;
    return forever.timer;
}

template <int version>
FUSEBOX_PROCESS_WIDE void guardDeadlineTimer() {
    processDeadlineTimer<version>().setUsable(
        aroundForks([] { processDeadlineTimer<version>().beforeFork(); },
                    [] { processDeadlineTimer<version>().afterForkInParent(); },
                    [] { processDeadlineTimer<version>().afterForkInChild(); }));
}

template <int version>
FUSEBOX_PROCESS_WIDE void* runDeadlineTimer(void* timer) {
    static_cast<DeadlineTimer*>(timer)->run();
    return nullptr;
}

[[nodiscard]] inline DeadlineTimer& deadlineTimer() {
    return processDeadlineTimer<kVersion>();
}

}  // namespace fusebox::detail
