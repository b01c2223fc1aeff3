// SPDX-License-Identifier: MIT
// The gate of a listener: why it is not called any more once its subscription is gone.
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include "fusebox/breaker/inside.hpp"
#include "fusebox/vocabulary/platform.hpp"

namespace fusebox::detail {

/// The gate of one listener: who may still enter, and who is inside. The platform's mutex is a
/// std::mutex: it is waited for with a condition variable.
template <class Platform = StdPlatform>
class ListenerGate {
public:
    virtual ~ListenerGate() = default;

    /// Lets nobody in any more, and waits until the threads inside have left. A listener that
    /// closes its own gate does not wait: others inside may be waiting for what it holds.
    void close() noexcept {
        std::unique_lock lock{mutex_};
        open_ = false;
        if (Inside<ListenerGate>::isThisThread(*this)) return;
        left_.wait(lock, [&] { return inside_ == 0; });
    }

    [[nodiscard]] bool isOpen() const noexcept {
        const std::lock_guard lock{mutex_};
        return open_;
    }

protected:
    /// Runs `visit` if the gate is open.
    template <class Visit>
    void enter(Visit&& visit) {
        {
            const std::lock_guard lock{mutex_};
            if (!open_) return;
            ++inside_;
        }
        const Visitor visitor{*this};
        std::forward<Visit>(visit)();
    }

private:
    /// A visit; leaves the gate also when the listener throws.
    class Visitor {
    public:
        explicit Visitor(ListenerGate& gate) noexcept : gate_(gate), inside_(gate) {}
        Visitor(const Visitor&) = delete;
        Visitor& operator=(const Visitor&) = delete;
        ~Visitor() {
            // Notified under the lock: who waits may destroy the gate as soon as it is released.
            const std::lock_guard lock{gate_.mutex_};
            --gate_.inside_;
            gate_.left_.notify_all();
        }

    private:
        ListenerGate& gate_;
        Inside<ListenerGate> inside_;
    };

    mutable typename Platform::Mutex mutex_;
    std::condition_variable left_;
    int inside_ = 0;
    bool open_ = true;
};

}  // namespace fusebox::detail
