// SPDX-License-Identifier: MIT
// The two things that can be awaited through a breaker: an awaitable, and a function that makes
// one.
#pragma once

#include "fusebox/vocabulary/platform.hpp"

#if FUSEBOX_HAS_COROUTINES

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

#include "fusebox/async/awaitable.hpp"
#include "fusebox/async/detail/place.hpp"
#include "fusebox/breaker/call_context.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/state_word.hpp"

namespace fusebox::detail {

/// One await of an awaitable that was given as it is; `A` as in `std::forward<A>`.
template <class A>
class AwaitSubject {
public:
    using Operand = A;
    static constexpr bool knowsDeadline = false;

    template <class Core>
    void start(A&& awaitable, const Core&, Ticket) {
        awaiter_.fill([&]() -> decltype(auto) { return awaiterOf(std::forward<A>(awaitable)); });
    }
    [[nodiscard]] auto& awaiter() noexcept { return awaiter_.get(); }

private:
    Place<AwaiterOf<A>> awaiter_;
};

/// Calls `fn` with the call's own context, in the first form that it accepts. Unlike
/// invokeWithDeadline this leaves the context alive: what a coroutine returns first is the
/// promise of a result.
template <class Fn>
decltype(auto) invokeWithin(Fn&& fn, const std::optional<CallContext>& context) {
    if constexpr (TakesContext<Fn>) {
        return std::invoke(std::forward<Fn>(fn), *context);
    } else if constexpr (TakesToken<Fn>) {
#if FUSEBOX_HAS_STOP_TOKEN
        return std::invoke(std::forward<Fn>(fn), context->stopToken());
#endif
    } else {
        return std::invoke(std::forward<Fn>(fn));
    }
}

template <class Fn>
using MadeBy =
    decltype(invokeWithin(std::declval<Fn>(), std::declval<const std::optional<CallContext>&>()));

template <class Fn>
concept MakesAwaitable = GuardedFn<Fn> && Awaitable<MadeBy<Fn>>;

/// One await of what a function returns, which is kept here with the context that it was given.
template <class Fn>
    requires(!Awaitable<Fn>)
class AwaitSubject<Fn> {
public:
    using Operand = MadeBy<Fn>;
    static constexpr bool knowsDeadline = KnowsDeadline<Fn>;

    template <class Core>
    void start(Fn&& fn, const Core& core, Ticket ticket) {
        if constexpr (knowsDeadline) {
            context_.emplace(core.machine().time(), startOf(core, ticket),
                             core.limitsOf(ticket).requestTimeout);
        }
        made_.fill(
            [&]() -> decltype(auto) { return invokeWithin(std::forward<Fn>(fn), context_); });
        awaiter_.fill(
            [&]() -> decltype(auto) { return awaiterOf(std::forward<Operand>(made_.get())); });
    }
    [[nodiscard]] auto& awaiter() noexcept { return awaiter_.get(); }

private:
    // In this order: what is awaited may look at the context until it is destroyed.
    std::optional<CallContext> context_;
    Place<Operand> made_;
    Place<AwaiterOf<Operand>> awaiter_;
};

/// What `guard` accepts.
template <class Call>
concept Guardable = Awaitable<Call> || MakesAwaitable<Call>;

}  // namespace fusebox::detail

#endif
