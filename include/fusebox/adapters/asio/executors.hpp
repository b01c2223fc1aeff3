// SPDX-License-Identifier: MIT
// Where a handler runs, and where its operation does.
//
// needs: asio
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "fusebox/adapters/asio/config.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

/// Stands for "no executor is known".
struct NoExecutor {};

/// The executor of an I/O object or execution context, or the executor itself.
template <class Io>
[[nodiscard]] auto executorOf(Io& io) noexcept {
    if constexpr (requires { io.get_executor(); }) {
        return io.get_executor();
    } else {
        return io;
    }
}

/// What a handler runs on; `otherwise` if it does not say.
template <class Handler, class Io>
[[nodiscard]] auto executorFor(const Handler& handler, const Io& otherwise) noexcept {
    return net::associated_executor<Handler, Io>::get(handler, otherwise);
}

/// Whether timers and strands can be made on an executor and will run where its context does. The
/// executors of futures belong to no context, or to the threads of the system context.
template <class Executor>
[[nodiscard]] constexpr bool hasContext() {
    if constexpr (std::is_same_v<Executor, NoExecutor>) {
        return false;
    } else if constexpr (requires(const Executor& e) { net::query(e, net::execution::context); }) {
        using Context =
            decltype(net::query(std::declval<const Executor&>(), net::execution::context));
        return !std::is_convertible_v<Context, net::system_context&>;
    } else {
        // An executor of before Asio 1.18.
        return !net::execution::is_executor<Executor>::value;
    }
}

/// Whether a handler brings an executor on which its operation can run.
template <class Handler>
inline constexpr bool bringsExecutor =
    hasContext<std::decay_t<net::associated_executor_t<Handler, NoExecutor>>>();

/// What the strand of an operation is on: the handler's executor where that can be, or else `io`.
template <class Handler, class Io>
[[nodiscard]] auto baseFor(const Handler& handler, const Io& io) noexcept {
    if constexpr (bringsExecutor<Handler>) {
        return executorFor(handler, io);
    } else {
        return io;
    }
}

/// A handler and what it is called with.
template <class Handler, class Result, class Executor>
struct CompletedCall {
    using allocator_type = net::associated_allocator_t<Handler>;
    using executor_type = Executor;

    [[nodiscard]] allocator_type get_allocator() const noexcept {
        return net::get_associated_allocator(handler);
    }
    [[nodiscard]] executor_type get_executor() const noexcept { return executor; }

    void operator()() {
        std::apply([&](auto&... values) { std::move(handler)(std::move(values)...); }, result);
    }

    Handler handler;
    Result result;
    Executor executor;
};

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
