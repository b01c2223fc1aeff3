// SPDX-License-Identifier: MIT
// What can stand behind `co_await`, seen from outside a coroutine.
#pragma once

#include "fusebox/vocabulary/platform.hpp"

#if FUSEBOX_HAS_COROUTINES

#include <concepts>
#include <coroutine>
#include <type_traits>
#include <utility>

namespace fusebox {

namespace detail {

template <class A>
concept HasMemberCoAwait = requires(A&& awaitable) {
    std::forward<A>(awaitable).operator co_await();
};

template <class A>
concept HasFreeCoAwait = requires(A&& awaitable) {
    operator co_await(std::forward<A>(awaitable));
};

/// The awaiter of `co_await awaitable`; a reference if the awaitable is its own.
template <class A>
decltype(auto) awaiterOf(A&& awaitable) {
    if constexpr (HasMemberCoAwait<A>) {
        return std::forward<A>(awaitable).operator co_await();
    } else if constexpr (HasFreeCoAwait<A>) {
        return operator co_await(std::forward<A>(awaitable));
    } else {
        return std::forward<A>(awaitable);
    }
}

template <class A>
using AwaiterOf = decltype(detail::awaiterOf(std::declval<A>()));

// Awaiters are used as lvalues, whatever `operator co_await` returned.
template <class A>
using AwaiterLvalue = std::add_lvalue_reference_t<std::remove_reference_t<AwaiterOf<A>>>;

template <class T>
concept SuspendResult =
    std::is_void_v<T> || std::same_as<T, bool> || std::convertible_to<T, std::coroutine_handle<>>;

}  // namespace detail

/// What `co_await` accepts in a coroutine without `await_transform`: `A` is an awaiter, or has an
/// `operator co_await`, member or free, that returns one. Which coroutines may await it only its
/// `await_suspend` can say: see AwaitableIn. docs/concepts/awaitable.md has the table.
template <class A>
concept Awaitable = requires(detail::AwaiterLvalue<A> awaiter) {
    static_cast<bool>(awaiter.await_ready());
    awaiter.await_resume();
};

/// ... in a coroutine whose promise is a `Promise`.
template <class A, class Promise>
concept AwaitableIn = Awaitable<A> &&
    requires(detail::AwaiterLvalue<A> awaiter, std::coroutine_handle<Promise> coroutine) {
    { awaiter.await_suspend(coroutine) } -> detail::SuspendResult;
};

/// What `co_await` gives for it.
template <Awaitable A>
using AwaitResult = decltype(std::declval<detail::AwaiterLvalue<A>>().await_resume());

}  // namespace fusebox

#endif
