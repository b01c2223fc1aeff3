// SPDX-License-Identifier: MIT
// A thread that does something again and again, and waits in between.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include "fusebox/vocabulary/detail/random_share.hpp"
#include "fusebox/vocabulary/duration.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

/// The longest wait of a PacedThread: what is added to now overflows nowhere.
inline constexpr std::chrono::hours kLongestPace{24 * 366};

/// A wait above 0 that a PacedThread can make.
[[nodiscard]] inline Complaint requirePace(std::string_view field, std::chrono::nanoseconds value) {
    if (value > std::chrono::nanoseconds::zero() && value <= kLongestPace) return std::nullopt;
    return complain(field, toText(value), "a duration above 0 and at most " + toText(kLongestPace));
}

/// A share within [0, 1].
[[nodiscard]] inline Complaint requireShare(std::string_view field, double value) {
    if (value >= 0.0 && value <= 1.0) return std::nullopt;  // False for NaN.
    return complain(field, toText(value), "a number from 0 to 1");
}

/// A wait from [wait x (1 - jitter), wait x (1 + jitter)].
[[nodiscard]] inline std::chrono::nanoseconds jittered(std::chrono::nanoseconds wait, double jitter,
                                                       RandomShare& random) noexcept {
    return saturatingMultiply(wait, 1.0 + jitter * (2.0 * random.draw() - 1.0));
}

/// Between `start` and `stop` calls a function, which says how long to wait before the next call.
/// **Threads.** Everything may be called concurrently, but for the destructor. The function may
/// call `stop`; it must not throw.
class PacedThread {
public:
    /// Answers how long to wait: at most `kLongestPace` and a share.
    using Turn = std::function<std::chrono::nanoseconds()>;

    PacedThread() = default;
    PacedThread(const PacedThread&) = delete;
    PacedThread& operator=(const PacedThread&) = delete;
    ~PacedThread() { stop(); }

    /// Calls `turn` from now on, the first time after `wait`. Does nothing if it does so already.
    /// @throws std::system_error if there is no thread to be had.
    void start(std::chrono::nanoseconds wait, Turn turn) {
        const std::lock_guard control{control_};
        if (thread_.joinable()) {
            if (!stopping()) return;
            thread_.join();
        }
        setStopping(false);
        thread_ = std::thread{[this, wait, turn = std::move(turn)] { run(wait, turn); }};
    }

    /// Ends the thread: at once if it waits, else when the function returns; says whether there was
    /// one. Called by the function it returns at once, and the thread ends when that returns.
    bool stop() noexcept {
        // acquire, with the release in `run`; a thread always sees what it wrote itself.
        if (worker_.load(std::memory_order_acquire) == std::this_thread::get_id()) {
            setStopping(true);
            return false;
        }
        // One `start` or `stop` at a time, or a `start` could undo this before the thread sees it.
        const std::lock_guard control{control_};
        if (!thread_.joinable()) return false;
        setStopping(true);
        wakeUp_.notify_all();
        thread_.join();
        return true;
    }

private:
    void run(std::chrono::nanoseconds wait, const Turn& turn) noexcept {
        // release, both, with the acquire in `stop`: only this thread may find its own name there.
        worker_.store(std::this_thread::get_id(), std::memory_order_release);
        while (waitFor(wait)) wait = turn();
        worker_.store(std::thread::id{}, std::memory_order_release);
    }

    /// False if it shall stop.
    [[nodiscard]] bool waitFor(std::chrono::nanoseconds wait) {
        std::unique_lock lock{mutex_};
        return !wakeUp_.wait_for(lock, wait, [this] { return stopping_; });
    }

    [[nodiscard]] bool stopping() {
        const std::lock_guard lock{mutex_};
        return stopping_;
    }
    void setStopping(bool value) noexcept {
        const std::lock_guard lock{mutex_};
        stopping_ = value;
    }

    std::mutex control_;  // Of start and stop; guards thread_.
    std::thread thread_;
    std::atomic<std::thread::id> worker_{};
    std::mutex mutex_;  // Guards stopping_.
    std::condition_variable wakeUp_;
    bool stopping_ = false;
};

}  // namespace fusebox::detail
