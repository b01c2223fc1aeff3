// SPDX-License-Identifier: MIT
// The state machine on atomics that let other threads run between any two steps: races that need
// an unlucky interruption become everyday.
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "fusebox/breaker/state_machine.hpp"
#include "fusebox/breaker/time_source.hpp"
#include "fusebox/testing/manual_clock.hpp"
#include "stress/load.hpp"

namespace fusebox::test {

/// Lets other threads run, once in 32 times.
struct YieldSometimes {
    static void interrupt() noexcept {
        static std::atomic<std::uint64_t> seeds{1};
        thread_local Random random{seeds.fetch_add(1, std::memory_order_relaxed)};
        if (random.oneIn(32)) std::this_thread::yield();
    }
};

/// A std::atomic whose users may be interrupted before each operation.
template <class T, class Interrupter = YieldSometimes>
class YieldingAtomic {
public:
    YieldingAtomic() = default;
    YieldingAtomic(T value) : atomic_(value) {}

    [[nodiscard]] T load(std::memory_order order) const noexcept {
        interrupt();
        return atomic_.load(order);
    }
    void store(T value, std::memory_order order) noexcept {
        interrupt();
        atomic_.store(value, order);
    }
    T fetch_add(T value, std::memory_order order) noexcept {
        interrupt();
        return atomic_.fetch_add(value, order);
    }
    bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                               std::memory_order failure) noexcept {
        interrupt();
        return atomic_.compare_exchange_weak(expected, desired, success, failure);
    }
    bool compare_exchange_strong(T& expected, T desired, std::memory_order success,
                                 std::memory_order failure) noexcept {
        interrupt();
        return atomic_.compare_exchange_strong(expected, desired, success, failure);
    }

private:
    static void interrupt() noexcept { Interrupter::interrupt(); }

    std::atomic<T> atomic_{};
};

struct YieldingPlatform {
    static constexpr std::uint64_t kLooks = 2;
    template <class T>
    using Atomic = YieldingAtomic<T>;
    using Mutex = std::mutex;
};

/// As much of a CircuitBreaker as the tests of the protocol use.
template <class Policy, class Platform = YieldingPlatform>
class YieldingBreaker {
    struct Journal {
        [[nodiscard]] bool wantsTransitions() const noexcept { return false; }
        template <class MakeSnapshot>
        void stateChanged(CircuitState, CircuitState, TransitionReason, MakeSnapshot&&) noexcept {}
        void modeChanged(ControlMode, ControlMode) noexcept {}
        void wasReset() noexcept {}
        void commit() noexcept {}
        void flush() noexcept {}
    };
    using Machine =
        detail::StateMachine<typename Policy::template Tracker<ManualClock>,
                             detail::TimeSource<ManualClock, Platform>, Journal, Platform>;

public:
    class Permit {
    public:
        Permit() = default;
        Permit(Machine& machine, detail::Ticket ticket) : machine_(&machine), ticket_(ticket) {}

        [[nodiscard]] explicit operator bool() const noexcept {
            return machine_ != nullptr && !ticket_.rejected();
        }
        [[nodiscard]] Rejection rejection() const noexcept {
            return {{}, ticket_.rejectedIn(), ticket_.reason(), ticket_.time};
        }
        ReportResult success() noexcept {
            if ((ticket_.word.plain() && machine_->recordPlainSuccess(ticket_)) ||
                (ticket_.word.quick() && machine_->recordQuickSuccess(ticket_))) {
                machine_ = nullptr;
                return ReportResult::Recorded;
            }
            return end(Outcome::Success);
        }
        ReportResult failure() noexcept { return end(Outcome::Failure); }
        ReportResult ignore() noexcept { return *this ? end(Outcome::Ignored) : AlreadyReported; }
        ReportResult cancel() noexcept {
            detail::CallEnd end;
            end.outcome = Outcome::Ignored;
            end.cancelled = true;
            return std::exchange(machine_, nullptr)->report(ticket_, end);
        }

    private:
        static constexpr auto AlreadyReported = ReportResult::AlreadyReported;

        ReportResult end(Outcome outcome) noexcept {
            detail::CallEnd end;
            end.outcome = outcome;
            return std::exchange(machine_, nullptr)->report(ticket_, end);
        }

        Machine* machine_ = nullptr;
        detail::Ticket ticket_{};
    };

    YieldingBreaker(const Policy& policy, const CircuitBreakerOptions& options, ManualClock clock)
        : machine_(typename Machine::Rules{policy, options, nullptr}, options, std::move(clock),
                   journal_) {}

    [[nodiscard]] Permit tryAcquire() noexcept {
        detail::Ticket ticket;
        (void)machine_.admit(ticket);
        return {machine_, ticket};
    }
    [[nodiscard]] CircuitBreakerStats stats() const { return machine_.stats(); }
    [[nodiscard]] CircuitState state() const noexcept { return machine_.read().state; }
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retryAfter() const noexcept {
        const detail::Reading reading = machine_.read();
        if (reading.state != CircuitState::Open) return std::nullopt;
        return reading.retryAfter;
    }
    void open() noexcept { machine_.open(std::nullopt); }
    void close() noexcept { machine_.close(); }
    void reset() noexcept { machine_.reset(); }
    void setMode(ControlMode mode) noexcept { machine_.setMode(mode); }

private:
    Journal journal_;
    Machine machine_;
};

}  // namespace fusebox::test
