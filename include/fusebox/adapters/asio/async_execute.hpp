// SPDX-License-Identifier: MIT
// asyncExecute: a coroutine of Asio behind a circuit breaker.
//
// needs: asio
#pragma once

#include "fusebox/adapters/asio/config.hpp"

#if FUSEBOX_ASIO_HAS_AWAITABLE

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "fusebox/adapters/asio/async_guard.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/judged_by.hpp"
#include "fusebox/breaker/outcome_traits.hpp"
#include "fusebox/breaker/rejection_traits.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

/// The result of a coroutine on its way out: Asio passes results along that have a default value.
/// No aggregate: those gcc 12 destroys twice in coroutines.
template <class T>
class Carried {
public:
    Carried() = default;
    explicit Carried(T value) : value_(std::move(value)) {}

    [[nodiscard]] T take() { return std::move(*value_); }
    [[nodiscard]] const T& look() const { return *value_; }

private:
    std::optional<T> value_{};
};

template <class T>
struct AwaitableTraits;
template <class T, class E>
struct AwaitableTraits<net::awaitable<T, E>> {
    using Value = T;
    using Executor = E;
};

/// A strand where the coroutine's executor type can hold one.
template <class Executor, class Strand>
[[nodiscard]] Executor asExecutor(const Strand& strand) {
    if constexpr (std::is_convertible_v<Strand, Executor>) {
        return strand;
    } else {
        return strand.get_inner_executor();
    }
}

template <class T, class Executor>
net::awaitable<Carried<T>, Executor> carry(net::awaitable<T, Executor> inner) {
    T result = co_await std::move(inner);
    co_return Carried<T>(std::move(result));
}

/// The coroutine, as one that returns what Asio passes along.
template <class Fn>
auto carried(Fn& fn) {
    if constexpr (std::is_void_v<typename AwaitableTraits<std::invoke_result_t<Fn&>>::Value>) {
        return fn();
    } else {
        return carry(fn());
    }
}

/// A classifier of `judgedBy`, for results on their way.
template <class T, class Classifier>
struct CarriedClassifier {
    Outcome operator()(const Carried<T>& result) requires detail::JudgesResult<Classifier, T> {
        return classifier(result.look());
    }
    Outcome operator()(const std::exception_ptr& error) requires(
        detail::JudgesException<Classifier, T>) {
        return classifier(error);
    }
    Classifier classifier;
};

/// Of a function that returns an awaitable, bare or judged.
template <class Fn>
struct CoroutineTraits {
    using Bare = Fn;
    using Traits = AwaitableTraits<std::invoke_result_t<Fn&>>;
};
template <class Fn, class Classifier>
struct CoroutineTraits<JudgedBy<Fn, Classifier>> : CoroutineTraits<Fn> {};

template <class Fn>
using ValueOf = typename CoroutineTraits<Fn>::Traits::Value;
template <class Fn>
using AwaitableOf = net::awaitable<ValueOf<Fn>, typename CoroutineTraits<Fn>::Traits::Executor>;

/// The initiation of a coroutine: in the strand in which it may also be cancelled.
template <class Fn>
auto spawning(Fn& fn) {
    return [&fn](auto handler) {
        using Executor = typename CoroutineTraits<Fn>::Traits::Executor;
        const auto executor = asExecutor<Executor>(handler.get_executor());
        net::co_spawn(
            executor, [&fn] { return carried(fn); }, std::move(handler));
    };
}
template <class Fn, class Classifier>
auto spawning(JudgedBy<Fn, Classifier>& judged) {
    using T = ValueOf<Fn>;
    if constexpr (std::is_void_v<T>) {
        return judgedBy(spawning(judged.fn), judged.classifier);
    } else {
        return judgedBy(spawning(judged.fn), CarriedClassifier<T, Classifier>{judged.classifier});
    }
}

}  // namespace asio_detail

/// Runs a coroutine of Asio through a breaker:
/// `co_await asyncExecute(breaker, [&]() -> awaitable<int> { ... })`.
///
/// `fn` is kept until the coroutine has ended; it may be made by `judgedBy`. A result is judged by
/// OutcomeTraits, an exception by `classifyError`; `operation_aborted` is ignored unless it was the
/// deadline.
/// **Deadline.** At `requestTimeout` the coroutine is cancelled. What it throws then is nested in a
/// CallTimeoutError; a coroutine that goes on in spite of that is waited for, and its value is
/// late.
/// **Rejected.** The result, if it can carry that; else CircuitOpenError is thrown. `fn` is not
/// called.
/// **Threads.** The coroutine runs in a strand of the executor of the one that awaits it, so that
/// it may be cancelled on any thread. The breaker must outlive it.
template <class Breaker, class Fn>
asio_detail::AwaitableOf<Fn> asyncExecute(Breaker& breaker, Fn fn) {
    using Value = asio_detail::ValueOf<Fn>;
    using Executor = typename asio_detail::CoroutineTraits<Fn>::Traits::Executor;
    asio_detail::net::use_awaitable_t<Executor> token{};
    if constexpr (std::is_void_v<Value>) {
        co_await fusebox::asyncGuard<void(std::exception_ptr)>(breaker, asio_detail::spawning(fn),
                                                               token);
    } else {
        using Carried = asio_detail::Carried<Value>;
        Carried result = co_await fusebox::asyncGuard<void(std::exception_ptr, Carried)>(
            breaker, asio_detail::spawning(fn), token);
        co_return result.take();
    }
}

}  // namespace FUSEBOX_ASIO_FLAVOUR

/// Judged, and rejected, as what is carried.
template <class T>
struct OutcomeTraits<asio_detail::Carried<T>> {
    [[nodiscard]] static Outcome classify(const asio_detail::Carried<T>& result) {
        return OutcomeTraits<T>::classify(result.look());
    }
};
template <class T>
    requires CarriesRejection<T>
struct RejectionTraits<asio_detail::Carried<T>> {
    [[nodiscard]] static asio_detail::Carried<T> make(const Rejection& rejection) {
        return asio_detail::Carried<T>(RejectionTraits<T>::make(rejection));
    }
};

}  // namespace fusebox

#endif
