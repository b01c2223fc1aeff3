// SPDX-License-Identifier: MIT
// What an executor is.
#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "fusebox/async/executor_task.hpp"

namespace fusebox {

namespace detail {

template <class E>
concept TriesToExecute = requires(E& executor, TaskHandle task) {
    { executor.tryExecute(std::move(task)) } -> std::convertible_to<bool>;
};
template <class E>
concept Executes = requires(E& executor, TaskHandle task) {
    executor.execute(std::move(task));
};
template <class E>
concept Posts = requires(E& executor, TaskHandle task) {
    executor.post(std::move(task));
};
/// As executors of the Networking TS do, and of Asio before 1.24.
template <class E>
concept PostsAllocated = requires(E& executor, TaskHandle task) {
    executor.post(std::move(task), std::allocator<void>{});
};

}  // namespace detail

/// Runs what it is given, somewhere else or later: the first of `bool tryExecute(f)`, which says
/// whether it has room, `execute(f)`, `post(f)` and `post(f, std::allocator<void>{})` that it has,
/// for an `f` that is copyable and called as `f()`. See docs/concepts/executor.md.
template <class E>
concept Executor = detail::TriesToExecute<std::remove_reference_t<E>> ||
    detail::Executes<std::remove_reference_t<E>> || detail::Posts<std::remove_reference_t<E>> ||
    detail::PostsAllocated<std::remove_reference_t<E>>;

namespace detail {

/// Gives a task to an executor; false: it has no room.
template <class E>
[[nodiscard]] bool submit(E& executor, TaskHandle task) {
    if constexpr (TriesToExecute<E>) {
        return static_cast<bool>(executor.tryExecute(std::move(task)));
    } else if constexpr (Executes<E>) {
        static_cast<void>(executor.execute(std::move(task)));
    } else if constexpr (Posts<E>) {
        static_cast<void>(executor.post(std::move(task)));
    } else {
        static_cast<void>(executor.post(std::move(task), std::allocator<void>{}));
    }
    return true;
}

}  // namespace detail
}  // namespace fusebox
