// SPDX-License-Identifier: MIT
// One call whose caller has a future.
#pragma once

#include <chrono>
#include <exception>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "fusebox/async/call_errors.hpp"
#include "fusebox/async/call_in_executor.hpp"
#include "fusebox/async/call_race.hpp"
#include "fusebox/async/call_result.hpp"
#include "fusebox/breaker/deadline_queue.hpp"
#include "fusebox/breaker/deadline_timer.hpp"
#include "fusebox/breaker/fallback.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

/// What a future of a call holds: what the call returns, without const.
template <class R>
using FutureValue =
    std::conditional_t<std::is_rvalue_reference_v<R>, std::remove_cvref_t<R>, std::remove_cv_t<R>>;

/// The promise of a call, and what keeps its breaker alive until it is kept.
template <class R>
class CallPromise {
public:
    /// Allocates, as every std::promise.
    explicit CallPromise(std::shared_ptr<const void> breaker) : breaker_(std::move(breaker)) {}

    [[nodiscard]] std::future<FutureValue<R>> future() { return promise_.get_future(); }

    /// Keeps it with what `make` returns or throws. `make` is the last to touch the breaker.
    template <class Make>
    void keep(Make&& make) noexcept {
#if defined(__cpp_exceptions)
        std::exception_ptr error;
        try {
            keepValue(std::forward<Make>(make));
        } catch (...) {
            error = std::current_exception();
        }
        if (!error) return;
        breaker_.reset();
        promise_.set_exception(std::move(error));
#else
        keepValue(std::forward<Make>(make));
#endif
    }

private:
    template <class Make>
    void keepValue(Make&& make) {
        if constexpr (std::is_void_v<R>) {
            std::forward<Make>(make)();
            breaker_.reset();
            promise_.set_value();
        } else {
            FutureValue<R> value = std::forward<Make>(make)();
            breaker_.reset();
            promise_.set_value(std::forward<FutureValue<R>>(value));
        }
    }

    std::shared_ptr<const void> breaker_;
    std::promise<FutureValue<R>> promise_;
};

/// A call that nobody waits for: whoever ends it, reports it.
template <class Core, class Fn, class R, class Classifier>
class FutureCall final : public CallInExecutor<Core, Fn, R>,
                         public std::enable_shared_from_this<FutureCall<Core, Fn, R, Classifier>>,
                         private Deadline {
    using Base = CallInExecutor<Core, Fn, R>;

public:
    FutureCall(Core& core, Ticket ticket, Fn&& fn, Classifier classifier,
               std::shared_ptr<const void> breaker)
        : Base(core, ticket, std::forward<Fn>(fn)),
          Deadline(&act),
          core_(core),
          ticket_(ticket),
          classifier_(std::move(classifier)),
          promise_(std::move(breaker)) {}

    [[nodiscard]] CallPromise<R>& promise() noexcept { return promise_; }

    /// Before the executor gets it.
    void awaitDeadline() noexcept {
        if (this->race().deadline() == kForever) return;
        this->race().whileRunning([this](bool) { arm(); });
    }

    void dropped() noexcept override {
        if (!end(Ending::Dropped)) return;
        core_.cancel(ticket_);
        promise_.keep([this]() -> R { return deliverError<R>(droppedByExecutor(core_), none()); });
    }

    [[nodiscard]] bool withdraw() noexcept { return withdrawn_ = end(Ending::Abandoned); }
    [[nodiscard]] bool withdrawn() const noexcept { return withdrawn_; }

private:
    void returned() noexcept override {
        deadlineTimer().disarm(*this);
        promise_.keep([this]() -> R {
            return guardAdmitted<R, KnowsDeadline<CalledAs<Fn>>>(
                core_, ticket_, TakeResult<R>{this->result()}, classifier_, none());
        });
    }

    [[nodiscard]] bool end(Ending how) noexcept {
        if (!this->race().end(how)) return false;
        deadlineTimer().disarm(*this);
        return true;
    }

    void arm() noexcept {
        // If there is no thread for it, the call has no deadline: it is as late as it is.
        static_cast<void>(deadlineTimer().arm(*this, nextLook()));
    }

    [[nodiscard]] std::chrono::nanoseconds nextLook() noexcept {
        using Race = CallRace<Core>;
        if constexpr (Race::onSteadyTimeLine) {
            return this->race().deadline();
        } else {
            return std::chrono::steady_clock::now().time_since_epoch() + Race::kLookEvery;
        }
    }

    static void act(Deadline& deadline, Lock& lock) noexcept {
        // The last handle may just be gone: then there is nothing left to end.
        const auto self = static_cast<FutureCall&>(deadline).weak_from_this().lock();
        lock.unlock();
        if (self) self->look();
    }

    void look() noexcept {
        bool over = CallRace<Core>::onSteadyTimeLine;
        if constexpr (!CallRace<Core>::onSteadyTimeLine) {
            this->race().whileRunning([&](bool passed) {
                over = passed;
                if (!over) arm();
            });
        }
        if (!over || !this->race().end(Ending::Abandoned)) return;
        promise_.keep(
            [this]() -> R { return deliverError<R>(reportTimeout(core_, ticket_), none()); });
    }

    [[nodiscard]] NoAnswer& none() noexcept { return none_; }

    Core& core_;
    const Ticket ticket_;
    Classifier classifier_;
    [[no_unique_address]] NoAnswer none_{};
    CallPromise<R> promise_;
    bool withdrawn_ = false;
};

}  // namespace fusebox::detail
