// SPDX-License-Identifier: MIT
// One admitted call on its way through an executor.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "fusebox/async/call_race.hpp"
#include "fusebox/async/call_result.hpp"
#include "fusebox/async/executor.hpp"
#include "fusebox/async/executor_task.hpp"
#include "fusebox/breaker/call_context.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/duration.hpp"

namespace fusebox::detail {

/// How an `fn` that was given as `Fn` is called in an executor: a copy of what was given by name,
/// and what was given away itself.
template <class Fn>
using CalledAs =
    std::conditional_t<std::is_lvalue_reference_v<Fn>, std::decay_t<Fn>&, std::decay_t<Fn>&&>;

/// What can be called in an executor.
template <class E, class Fn>
struct RequireCallable {
    static_assert(Executor<E>,
                  "fusebox: the executor must have bool tryExecute(f), execute(f) or post(f) for a "
                  "copyable f; see docs/concepts/executor.md");
    static_assert(std::is_constructible_v<std::decay_t<Fn>, Fn>,
                  "fusebox: a call in an executor is kept there: hand it over with std::move, or "
                  "make it copyable");
    static_assert(GuardedFn<CalledAs<Fn>>,
                  "fusebox: the call must be callable as fn(const fusebox::CallContext&), "
                  "fn(std::stop_token) or fn()");
};

/// How it is judged.
template <class Classifier, class R>
struct RequireJudge {
    static_assert(judges<Classifier, R>,
                  "fusebox::judgedBy: the classifier must be callable with the result or with a "
                  "std::exception_ptr, and return fusebox::Outcome");
};

template <class Fn, class Time>
decltype(auto) invokeApart(Fn&& fn, const Time& time, std::chrono::nanoseconds start,
                           std::chrono::nanoseconds timeout) {
    if constexpr (KnowsDeadline<Fn>) {
        return invokeWithDeadline(std::forward<Fn>(fn), time, start, timeout);
    } else {
        return std::invoke(std::forward<Fn>(fn));
    }
}

template <class Fn, class Core>
using ResultApart = decltype(invokeApart(
    std::declval<CalledAs<Fn>>(), std::declval<const CallRace<Core>&>(),
    std::declval<std::chrono::nanoseconds>(), std::declval<std::chrono::nanoseconds>()));

/// `fn`, its result, and who ends it. Shared by the executor and whoever waits.
template <class Core, class Fn, class R>
class CallInExecutor : public ExecutorTask {
public:
    CallInExecutor(Core& core, Ticket ticket, Fn&& fn)
        : start_(startOf(core, ticket)),
          timeout_(core.limitsOf(ticket).requestTimeout),
          race_(core, saturatingAdd(start_, timeout_)),
          fn_(std::in_place, std::forward<Fn>(fn)) {}

    void run() noexcept final {
        if (!race_.ended()) {
            result_.fill([this]() -> R {
                return invokeApart(static_cast<CalledAs<Fn>>(*fn_), race_, start_, timeout_);
            });
        }
        // Here, and before anyone is told: what `fn` holds is gone when its caller goes on.
        fn_.reset();
        if (race_.end(Ending::Returned)) {
            returned();
        } else {
            result_.clear();
        }
    }

    [[nodiscard]] CallRace<Core>& race() noexcept { return race_; }
    [[nodiscard]] CallResult<R>& result() noexcept { return result_; }

protected:
    ~CallInExecutor() = default;

private:
    /// The call has ended by itself.
    virtual void returned() noexcept = 0;

    const std::chrono::nanoseconds start_;
    const std::chrono::nanoseconds timeout_;
    CallRace<Core> race_;
    std::optional<std::decay_t<Fn>> fn_;
    CallResult<R> result_;
};

/// The way of an admitted call into an executor. A call that does not get there is cancelled.
template <class Call, class Core>
class Submission {
public:
    Submission(Core& core, Ticket ticket) noexcept : core_(core), ticket_(ticket) {}
    Submission(const Submission&) = delete;
    Submission& operator=(const Submission&) = delete;
    ~Submission() {
        if (open_) withdraw();
    }

    template <class... Args>
    [[nodiscard]] const std::shared_ptr<Call>& make(Args&&... args) {
        call_ = std::make_shared<Call>(core_, ticket_, std::forward<Args>(args)...);
        return call_;
    }

    /// False: the executor has no room; then the call is cancelled, unless it ended meanwhile.
    template <class E>
    [[nodiscard]] bool to(E& executor) {
        // A handle is kept, so that an executor that refuses a task does not drop it.
        const TaskHandle kept{call_};
        const bool accepted = submit(executor, kept);
        open_ = false;
        if (!accepted) withdraw();
        return accepted;
    }

private:
    void withdraw() noexcept {
        if (!call_ || call_->withdraw()) core_.cancel(ticket_);
    }

    Core& core_;
    Ticket ticket_;
    std::shared_ptr<Call> call_;
    bool open_ = true;
};

}  // namespace fusebox::detail
