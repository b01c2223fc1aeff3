// SPDX-License-Identifier: MIT
// Stop tokens of calls, and the thread that waits for their deadlines.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "breaker/rig.hpp"
#include "fusebox/breaker/call_context.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "fusebox/breaker/deadline_queue.hpp"
#include "fusebox/breaker/deadline_timer.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "support/allocations.hpp"
#include "support/catch.hpp"
#include "support/forked.hpp"

#if FUSEBOX_HAS_STOP_TOKEN

#include <condition_variable>
#include <stop_token>

#if defined(__linux__)
#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <filesystem>
#endif

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::exitCodeOf;
using fusebox::test::Rig;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;

namespace {

/// Longer than any machine is busy.
constexpr auto kPatience = 60s;

/// Waits until a stop is requested; false if it takes too long.
bool waitForStop(std::stop_token token) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock{mutex};
    stopped.wait_for(lock, token, kPatience, [] { return false; });
    return token.stop_requested();
}

/// A steady breaker whose calls have that deadline, and that never opens for missing it.
class DeadlineRig {
public:
    explicit DeadlineRig(nanoseconds timeout)
        : breaker("steady", ConsecutiveFailures{1'000'000}, {.requestTimeout = timeout}) {}
    CircuitBreaker<> breaker;
};

/// A deadline at which nothing happens.
struct QuietDeadline : detail::Deadline {
    QuietDeadline() : Deadline([](Deadline&, Lock&) noexcept {}) {}
};

/// A deadline that says when it was acted at.
class Noted : public detail::Deadline {
public:
    /// @param also what the timer's thread does then.
    explicit Noted(void (*also)() = [] {}) : Deadline(&act), also_(also) {}
    /// Waits until it was; false if that takes too long.
    [[nodiscard]] bool acted() const {
        const auto end = steady_clock::now() + kPatience;
        while (!acted_.load(std::memory_order_acquire)) {
            if (steady_clock::now() > end) return false;
            std::this_thread::yield();
        }
        return true;
    }

private:
    static void act(Deadline& deadline, Lock&) noexcept {
        auto& mine = static_cast<Noted&>(deadline);
        mine.also_();
        mine.acted_.store(true, std::memory_order_release);
    }

    void (*also_)();
    std::atomic<bool> acted_{false};
};

nanoseconds now() {
    return steady_clock::now().time_since_epoch();
}

}  // namespace

TEST_CASE("A queue of deadlines has the earliest first, whatever is added and removed") {
    std::vector<std::unique_ptr<QuietDeadline>> idle;
    for (int i = 0; i < 500; ++i) idle.push_back(std::make_unique<QuietDeadline>());
    std::multimap<nanoseconds, std::unique_ptr<QuietDeadline>> queued;
    detail::DeadlineQueue queue;
    std::uint64_t state = 1;
    const auto random = [&](std::uint64_t below) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return (state >> 33U) % below;
    };
    std::uint64_t wrong = 0;
    for (int step = 0; step < 200'000; ++step) {
        const std::uint64_t kind = random(100);
        // Grows and shrinks in turn.
        if (kind < (step / 5000 % 2 == 0 ? 65U : 35U) && !idle.empty()) {
            auto entry = std::move(idle.back());
            idle.pop_back();
            const nanoseconds time{static_cast<nanoseconds::rep>(random(1000))};
            queue.add(*entry, time);
            queued.emplace(time, std::move(entry));
        } else if (!queued.empty()) {
            auto found = queued.begin();
            if (kind % 2 == 0) {
                found = std::find_if(queued.begin(), queued.end(), [&](const auto& pair) {
                    return pair.second.get() == queue.first();
                });
            } else {
                std::advance(found, static_cast<std::ptrdiff_t>(random(queued.size())));
            }
            queue.remove(*found->second);
            queue.remove(*found->second);  // Once more does nothing.
            idle.push_back(std::move(found->second));
            queued.erase(found);
        }
        const detail::Deadline* const first = queue.first();
        if (queued.empty() ? first != nullptr : !first || first->time() != queued.begin()->first) {
            ++wrong;
        }
    }
    CHECK(wrong == 0);
    for (auto& [time, entry] : queued) queue.remove(*entry);
    CHECK(queue.first() == nullptr);
}

TEST_CASE("To take out of a queue what never was in it does nothing") {
    detail::DeadlineQueue queue;
    QuietDeadline there;
    QuietDeadline other;
    queue.add(there, 1s);
    queue.remove(other);
    CHECK(queue.first() == &there);
}

TEST_CASE("A timer of which nobody said that forks are noticed takes no deadline") {
    detail::DeadlineTimer timer;
    QuietDeadline mine;
    CHECK_FALSE(timer.arm(mine, now() + 1h));
    timer.disarm(mine);
}

TEST_CASE("A stop is requested at the deadline, and not before") {
    DeadlineRig steady{30ms};
    const auto before = steady_clock::now();
    const bool stopped = steady.breaker.execute([&](const CallContext& context) {
        const std::stop_token token = context.stopToken();
        return token.stop_possible() && waitForStop(token);
    });
    CHECK(stopped);
    CHECK(steady_clock::now() >= before + 30ms);
    CHECK(steady.breaker.execute([](std::stop_token token) { return waitForStop(token); }));
    CHECK(steady.breaker.stats().totalTimeouts == 2);
}

TEST_CASE("A call has one token, however often it is asked for, from whatever thread") {
    DeadlineRig steady{30ms};
    std::vector<std::stop_token> tokens(4);
    const bool stopped = steady.breaker.execute([&](const CallContext& context) {
        std::vector<std::thread> threads;
        for (auto& token : tokens) threads.emplace_back([&] { token = context.stopToken(); });
        for (auto& thread : threads) thread.join();
        return waitForStop(context.stopToken());
    });
    CHECK(stopped);
    for (const auto& token : tokens) {
        CHECK(token == tokens[0]);
        CHECK(token.stop_requested());
    }
}

TEST_CASE("A token of which nobody will request a stop says so") {
    Rig manual{{.requestTimeout = 1ns}};
    CHECK_FALSE(
        manual.breaker.execute([](const CallContext& c) { return c.stopToken().stop_possible(); }));
    CHECK_FALSE(manual.breaker.execute([](std::stop_token t) { return t.stop_possible(); }));
    DeadlineRig forever{kForever};
    CHECK_FALSE(forever.breaker.execute(
        [](const CallContext& c) { return c.stopToken().stop_possible(); }));
}

TEST_CASE("A call that has ended is not stopped any more") {
    DeadlineRig brief{5ms};
    DeadlineRig longer{20ms};
    std::stop_token kept;
    int stops = 0;
    std::optional<std::stop_callback<std::function<void()>>> callback;
    brief.breaker.execute([&](std::stop_token token) {
        kept = token;
        callback.emplace(token, [&stops] { ++stops; });
    });
    CHECK_FALSE(kept.stop_possible());
    // When this one is stopped, the thread is past the other's deadline.
    CHECK(longer.breaker.execute([](std::stop_token token) { return waitForStop(token); }));
    CHECK_FALSE(kept.stop_requested());
    CHECK(stops == 0);
}

TEST_CASE("A deadline that comes first wakes a thread that sleeps for a later one") {
    DeadlineRig late{1h};
    DeadlineRig soon{10ms};
    CHECK(late.breaker.execute([&](std::stop_token) {
        return soon.breaker.execute([](std::stop_token token) { return waitForStop(token); });
    }));
}

TEST_CASE("Deadlines of a hundred years are borne") {
    DeadlineRig steady{24h * 36500};
    CHECK_FALSE(steady.breaker.execute([](std::stop_token t) { return t.stop_requested(); }));
    DeadlineRig longest{kForever - 1ns};
    CHECK_FALSE(longest.breaker.execute([](std::stop_token t) { return t.stop_requested(); }));
}

TEST_CASE("Thousands of calls at once are stopped, each at its own deadline") {
    constexpr int kThreads = 4;
    constexpr int kCalls = 1000;
    std::vector<std::vector<int>> wrong(kThreads);
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([thread, &mine = wrong[static_cast<std::size_t>(thread)]] {
            const detail::TimeSource<steady_clock> time{{}};
            std::deque<CallContext> contexts;
            std::vector<std::stop_token> tokens;
            for (int i = 0; i < kCalls; ++i) {
                // Not in order, and every third ends in time.
                const auto timeout = (i * 7 % 50) * 1ms + 1ms + thread * 1us;
                contexts.emplace_back(time, time.now(), timeout);
                tokens.push_back(contexts.back().stopToken());
            }
            for (std::size_t i = 0; i < tokens.size(); ++i) {
                if (i % 3 == 0) continue;
                if (!waitForStop(tokens[i]) || steady_clock::now() < contexts[i].deadline()) {
                    mine.push_back(static_cast<int>(i));
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& mine : wrong) CHECK(mine.empty());
}

TEST_CASE("A callback may call breakers, destroy itself, and outlive the call that it stops") {
    auto steady = std::make_unique<DeadlineRig>(10ms);
    DeadlineRig other{10ms};
    std::mutex mutex;
    std::condition_variable ended;
    bool callbackDone = false;
    int answer = 0;
    // On the heap, and owned by itself: it may be running when its call has long ended.
    using Callback = std::stop_callback<std::function<void()>>;
    auto owner = std::make_shared<std::unique_ptr<Callback>>();
    steady->breaker.execute([&](std::stop_token token) {
        const auto finish = [&](int result) {
            const std::lock_guard lock{mutex};
            answer = result;
            callbackDone = true;
            ended.notify_all();
        };
        *owner = std::make_unique<Callback>(token, [&other, finish, owner] {
            const auto done = finish;
            const int result = other.breaker.execute(
                [](std::stop_token inner) { return inner.stop_requested() ? 0 : 42; });
            const auto self = owner;
            self->reset();  // And what this lambda holds with it.
            done(result);
        });
        owner.reset();
        return waitForStop(token);
    });
    steady.reset();
    std::unique_lock lock{mutex};
    CHECK(ended.wait_for(lock, kPatience, [&] { return callbackDone; }));
    CHECK(answer == 42);
}

TEST_CASE("A child of a fork starts a timer of its own") {
    DeadlineRig steady{10ms};
    const auto stopped = [&] {
        return steady.breaker.execute([](std::stop_token token) { return waitForStop(token); });
    };
    CHECK(stopped());
    CHECK(exitCodeOf([&] { return stopped() ? 0 : 1; }) == 0);
    CHECK(stopped());
    // Forked while a call is in flight: in the child that one is not stopped, and ends in peace.
    const int code = steady.breaker.execute([&](std::stop_token token) {
        const int inChild = exitCodeOf([&] {
            const bool other = DeadlineRig{10ms}.breaker.execute(
                [](std::stop_token inner) { return waitForStop(inner); });
            return other && !token.stop_requested() ? 0 : 1;
        });
        return waitForStop(token) ? inChild : 2;
    });
    CHECK(code == 0);
}

TEST_CASE("A fork while others arm and disarm leaves the child a timer that works") {
    DeadlineRig steady{1ms};
    std::stop_source done;
    std::atomic<int> started{0};
    std::vector<std::thread> others;
    // While processes are forked nothing here allocates, nor starts a thread: the allocator of
    // AddressSanitizer does not survive that.
    REQUIRE(steady.breaker.execute([](std::stop_token token) { return waitForStop(token); }));
    for (int i = 0; i < 2; ++i) {
        others.emplace_back([&] {
            QuietDeadline mine;
            started.fetch_add(1);
            while (!done.stop_requested()) {
                const auto soon = now() + 20us;
                (void)detail::deadlineTimer().arm(mine, soon);
                detail::deadlineTimer().disarm(mine);
            }
        });
    }
    while (started.load() < 2) std::this_thread::yield();
    int failed = 0;
    for (int i = 0; i < 20; ++i) {
        failed += exitCodeOf([&] {
            return steady.breaker.execute([](std::stop_token t) { return waitForStop(t); }) ? 0 : 1;
        });
    }
    done.request_stop();
    for (auto& other : others) other.join();
    CHECK(failed == 0);
}

TEST_CASE("I 50: a call that ended is in no queue: its memory is somebody else's") {
    alignas(detail::StopAtDeadline) std::array<unsigned char, sizeof(detail::StopAtDeadline)>
        room{};
    const auto soon = now() + 1h;
    const auto failures = [&] {
        int failed = 0;
        for (int i = 0; i < 100; ++i) {
            auto* const stop = ::new (static_cast<void*>(room.data())) detail::StopAtDeadline;
            failed += !stop->token(soon + std::chrono::seconds{i}).stop_possible();
            std::destroy_at(stop);
            room.fill(0xAA);
            QuietDeadline other;
            failed += !detail::deadlineTimer().arm(other, soon + 30s);
            detail::deadlineTimer().disarm(other);
        }
        return failed;
    };
    CHECK(failures() == 0);
    CHECK(exitCodeOf(failures) == 0);
}

TEST_CASE("The timer of a child is woken, whoever slept in its parent's") {
    QuietDeadline late;
    REQUIRE(detail::deadlineTimer().arm(late, now() + 1h));
    CHECK(exitCodeOf([&] {
              QuietDeadline later;
              if (!detail::deadlineTimer().arm(later, now() + 2h)) return 1;
              for (int i = 0; i < 20; ++i) {
                  std::this_thread::sleep_for(100us);  // It may fall asleep meanwhile.
                  Noted soon;
                  if (!detail::deadlineTimer().arm(soon, now())) return 2;
                  if (!soon.acted()) return 3;
              }
              detail::deadlineTimer().disarm(later);
              return 0;
          }) == 0);
    detail::deadlineTimer().disarm(late);
}

TEST_CASE("In the child of a fork a deadline of the parent's may be taken back") {
    QuietDeadline mine;
    QuietDeadline other;
    REQUIRE(detail::deadlineTimer().arm(mine, now() + 1h));
    CHECK(exitCodeOf([&] {
              // It is in no queue of this process, and must not disturb one that is.
              const bool armed = detail::deadlineTimer().arm(other, now() + 1h);
              detail::deadlineTimer().disarm(mine);
              detail::deadlineTimer().disarm(other);
              return armed && DeadlineRig{10ms}.breaker.execute(
                                  [](std::stop_token token) { return waitForStop(token); })
                         ? 0
                         : 1;
          }) == 0);
    detail::deadlineTimer().disarm(mine);
}

TEST_CASE("Handlers of forks that are called twice, or without a fork, do no harm") {
    detail::DeadlineTimer timer;
    timer.beforeFork();
    timer.beforeFork();
    timer.afterForkInParent();
    timer.afterForkInParent();
    timer.afterForkInChild();
    CHECK(timer.lock().owns_lock());
    // Nor is a deadline forgotten.
    Noted mine;
    REQUIRE(detail::deadlineTimer().arm(mine, now() + 5ms));
    detail::deadlineTimer().afterForkInChild();
    CHECK(mine.acted());
}

TEST_CASE("While a process forks nobody holds the timer's lock, also in its children's children") {
    detail::DeadlineTimer timer;
    const auto keepsOthersOut = [&] {
        std::atomic<bool> over{false};
        std::atomic<bool> begun{false};
        bool waited = false;
        timer.beforeFork();
        std::thread other{[&] {
            begun = true;
            const auto locked = timer.lock();
            waited = over;
        }};
        while (!begun) std::this_thread::yield();
        for (int i = 0; i < 1000; ++i) std::this_thread::yield();
        over = true;
        timer.afterForkInParent();
        other.join();
        return waited;
    };
    CHECK(keepsOthersOut());
    // As if this were the child now.
    timer.beforeFork();
    timer.afterForkInChild();
    CHECK(keepsOthersOut());
}

TEST_CASE("Where forks cannot be noticed there is no timer, and calls go on") {
    CHECK(exitCodeOf([] {
              { const auto locked = detail::deadlineTimer().lock(); }  // Forks are guarded.
              detail::deadlineTimer().setUsable(false);
              DeadlineRig steady{1ms};
              const bool stopped = steady.breaker.execute([](std::stop_token token) {
                  std::this_thread::sleep_for(5ms);
                  return token.stop_requested();
              });
              return !stopped && steady.breaker.stats().totalTimeouts == 1 ? 0 : 1;
          }) == 0);
}

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)
TEST_CASE("A call that had no memory for a token may get one later") {
    // In a room that is somebody else's afterwards: it is waited for once, or not at all.
    alignas(detail::StopAtDeadline) std::array<unsigned char, sizeof(detail::StopAtDeadline)>
        room{};
    const auto later = now() + 1h;
    auto* const stop = ::new (static_cast<void*>(room.data())) detail::StopAtDeadline;
    fusebox::test::allocations().outOfMemory = true;
    const bool without = stop->token(later).stop_possible();
    fusebox::test::allocations().outOfMemory = false;
    CHECK_FALSE(without);
    CHECK(stop->token(later).stop_possible());
    std::destroy_at(stop);
    room.fill(0xAA);
    QuietDeadline other;
    CHECK(detail::deadlineTimer().arm(other, later + 1s));
    detail::deadlineTimer().disarm(other);
}
#endif

#if defined(__linux__)

TEST_CASE("The timer's thread sleeps while nothing is due") {
    static pthread_t thread{};
    Noted asking{[] { thread = ::pthread_self(); }};
    REQUIRE(detail::deadlineTimer().arm(asking, now()));
    REQUIRE(asking.acted());
    QuietDeadline later;
    REQUIRE(detail::deadlineTimer().arm(later, now() + 1h));
    const auto usedBy = [](clockid_t clock) {
        timespec used{};
        ::clock_gettime(clock, &used);
        return std::chrono::seconds{used.tv_sec} + nanoseconds{used.tv_nsec};
    };
    clockid_t ofTimer{};
    REQUIRE(::pthread_getcpuclockid(thread, &ofTimer) == 0);
    // It may have something to do yet; then it uses none of the processor, while this one works.
    bool sleeps = false;
    for (const auto end = now() + kPatience; !sleeps && now() < end;) {
        const nanoseconds before = usedBy(ofTimer);
        const nanoseconds mine = usedBy(CLOCK_THREAD_CPUTIME_ID);
        while (usedBy(CLOCK_THREAD_CPUTIME_ID) < mine + 20ms) {
        }
        sleeps = usedBy(ofTimer) == before;
    }
    CHECK(sleeps);
    detail::deadlineTimer().disarm(later);
}

TEST_CASE("The timer's thread handles no signal") {
    std::mutex mutex;
    std::optional<bool> blocked;
    const auto askTimer = [&, caller = std::this_thread::get_id()] {
        // The deadline was over before anyone could be told of it.
        if (std::this_thread::get_id() == caller) return;
        sigset_t mask;
        ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
        const std::lock_guard lock{mutex};
        blocked = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1;
    };
    for (auto timeout = 1ms; !blocked && timeout < kPatience; timeout *= 2) {
        DeadlineRig steady{timeout};
        steady.breaker.execute([&](std::stop_token token) {
            const std::stop_callback callback{token, askTimer};
            // The callback's destructor waits for it.
            return waitForStop(token);
        });
    }
    const std::lock_guard lock{mutex};
    CHECK(blocked == true);
}

TEST_CASE("Only a call that asks for a token starts the thread") {
    const auto threads = [] {
        const std::filesystem::directory_iterator tasks{"/proc/self/task"};
        return std::distance(begin(tasks), end(tasks));
    };
    CHECK(exitCodeOf([&] {
              DeadlineRig steady{1h};
              const auto before = threads();
              steady.breaker.execute([](const CallContext& context) {
                  return context.remaining() > 0s && context.deadline() > steady_clock::now();
              });
              if (threads() != before) return 1;
              steady.breaker.execute([](std::stop_token) {});
              // Not "one more": ThreadSanitizer starts another with a process's first.
              const auto started = threads();
              if (started == before) return 2;
              steady.breaker.execute([](std::stop_token) {});
              return threads() == started ? 0 : 3;
          }) == 0);
}

#if defined(__GLIBC__)
TEST_CASE("If the thread cannot be started, the call goes on without being stopped") {
    CHECK(exitCodeOf([&] {
              pthread_attr_t attributes;
              pthread_attr_init(&attributes);
              // More than there are addresses.
              pthread_attr_setstacksize(&attributes, std::size_t{1} << 50U);
              pthread_setattr_default_np(&attributes);
              DeadlineRig steady{1ms};
              const bool stopped = steady.breaker.execute([](std::stop_token token) {
                  std::this_thread::sleep_for(20ms);
                  return token.stop_requested();
              });
              if (stopped) return 1;
              if (steady.breaker.stats().totalTimeouts != 1) return 2;
              // The next one tries again.
              pthread_attr_setstacksize(&attributes, std::size_t{1} << 20U);
              pthread_setattr_default_np(&attributes);
              return steady.breaker.execute([](std::stop_token t) { return waitForStop(t); }) ? 0
                                                                                              : 3;
          }) == 0);
}
#endif
#endif

#endif
