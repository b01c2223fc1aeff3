// SPDX-License-Identifier: MIT
// One admitted asynchronous operation: its permit, its deadline and its handler.
//
// needs: asio
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "fusebox/adapters/asio/completion.hpp"
#include "fusebox/adapters/asio/config.hpp"
#include "fusebox/adapters/asio/executors.hpp"
#include "fusebox/adapters/asio/operation_handlers.hpp"
#include "fusebox/adapters/asio/report_completion.hpp"
#include "fusebox/breaker/held_ticket.hpp"
#include "fusebox/vocabulary/duration.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

/// Lives from admission until the operation and the wait for its deadline have both ended; then
/// calls the handler. If the execution context is destroyed before, so is this, and the permit is
/// cancelled.
///
/// **Threads.** `start` runs on the caller's thread and everything else in the strand; what both
/// look at is under the mutex.
/// @tparam Base what the strand is on: the handler's executor, or the operation's where that of the
/// handler belongs to no execution context.
template <class Core, class Classifier, class Signature, class Handler, class Base>
class GuardedOperation {
    using Self = std::shared_ptr<GuardedOperation>;
    using Clock = std::chrono::steady_clock;

public:
    using Result = typename Completion<Signature>::Result;
    using Strand = net::strand<Base>;
    using Allocator = net::associated_allocator_t<Handler>;

    GuardedOperation(detail::HeldTicket<Core> permit, Handler handler, Classifier classifier,
                     const Base& base)
        : permit_(std::move(permit)),
          handler_(std::move(handler)),
          classifier_(std::move(classifier)),
          strand_(base),
          timer_(strand_) {}
    GuardedOperation(const GuardedOperation&) = delete;
    GuardedOperation& operator=(const GuardedOperation&) = delete;

    [[nodiscard]] Strand strand() const noexcept { return strand_; }
    [[nodiscard]] Allocator allocator() const noexcept {
        return net::get_associated_allocator(handler_);
    }
    [[nodiscard]] net::cancellation_slot slot() noexcept { return signal_.slot(); }
    /// In the strand.
    void cancel(net::cancellation_type_t type) {
        if (!result_) signal_.emit(type);
    }

    /// Starts the operation, which `launch` does with the handler that it is given.
    template <class Launch>
    static void start(const Self& self, Launch&& launch) {
        self->followParent(self);
        try {
            std::forward<Launch>(launch)(OperationHandler<GuardedOperation>{self});
        } catch (...) {
            self->leaveParent();
            reportThrown(self->permit_, self->classifier_);
            throw;
        }
        // Not before: the timer must not cancel an operation that is being started.
        self->startTimer(self);
    }

    template <class... Args>
    static void ended(Self self, Args&&... args) {
        self->result_.emplace(std::forward<Args>(args)...);
        reportCompletion(self->permit_, self->classifier_, *self->result_, self->late_);
        {
            const std::lock_guard lock{self->mutex_};
            self->ended_ = true;
            if (self->timing_) {
                self->timer_.cancel();
                return;
            }
        }
        complete(std::move(self));
    }

    static void timeUp(Self self, const ErrorCode& error) {
        if (!error && !self->result_) {
            self->late_ = true;
            self->cancel(net::cancellation_type::terminal);
        }
        {
            const std::lock_guard lock{self->mutex_};
            self->timing_ = false;
            if (!self->ended_) return;
        }
        complete(std::move(self));
    }

private:
    void followParent(const Self& self) {
        const auto parent = net::get_associated_cancellation_slot(handler_);
        if (!parent.is_connected()) return;
        auto slot = parent;
        using Passed = PassedCancellation<GuardedOperation>;
        slot.template emplace<Passed>(Passed{self});
    }
    void leaveParent() noexcept {
        auto slot = net::get_associated_cancellation_slot(handler_);
        if (slot.is_connected()) slot.clear();
    }

    [[nodiscard]] std::chrono::nanoseconds timeout() const noexcept {
        return permit_.core().limitsOf(permit_.ticket()).requestTimeout;
    }

    void startTimer(const Self& self) noexcept {
        using Time = std::remove_cvref_t<decltype(permit_.core().machine().time())>;
        if constexpr (Time::onSteadyTimeLine) {
            const std::lock_guard lock{mutex_};
            if (ended_ || timeout() == kForever) return;
            try {
                timer_.expires_after(std::chrono::duration_cast<Clock::duration>(timeout()));
                timer_.async_wait(DeadlineHandler<GuardedOperation>{self});
                timing_ = true;
            } catch (...) {
                // No memory for a timer: the operation goes on without one, and is measured.
            }
        }
    }

    /// Calls the handler, with nothing of this left.
    static void complete(Self self) {
        using Executor = std::decay_t<decltype(executorFor(self->handler_, self->strand_))>;
        self->leaveParent();
        const auto executor = executorFor(self->handler_, self->strand_);
        CompletedCall<Handler, Result, Executor> call{std::move(self->handler_),
                                                      std::move(*self->result_), executor};
        self.reset();
        if constexpr (std::is_same_v<Executor, Base> || std::is_same_v<Executor, Strand>) {
            call();  // This is its executor.
        } else {
            net::dispatch(executor, std::move(call));
        }
    }

    // First, so that it is destroyed last.
    detail::HeldTicket<Core> permit_;
    Handler handler_;
    [[no_unique_address]] Classifier classifier_;
    Strand strand_;
    net::basic_waitable_timer<Clock, net::wait_traits<Clock>, Strand> timer_;
    net::cancellation_signal signal_{};
    std::optional<Result> result_{};
    /// The deadline passed before the operation ended.
    bool late_ = false;

    std::mutex mutex_{};
    bool ended_ = false;   ///< The operation, not the wait.
    bool timing_ = false;  ///< The wait has not ended.
};

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
