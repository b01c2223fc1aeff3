// SPDX-License-Identifier: MIT
// An asynchronous operation that was described and not started: its signature and its executor are
// known before it begins.
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

/// A completion token. What an initiating function returns for it is a CapturedOperation.
struct Capture {};

/// What `async_initiate` was given.
template <class S, class Initiation, class... Args>
class CapturedOperation {
public:
    using Signature = S;

    template <class I, class... A>
    explicit CapturedOperation(I&& initiation, A&&... args)
        : initiation_(std::forward<I>(initiation)), args_(std::forward<A>(args)...) {}

    template <class Handler>
    void start(Handler&& handler) && {
        std::apply(
            [&](Args&&... args) {
                std::move(initiation_)(std::forward<Handler>(handler), std::move(args)...);
            },
            std::move(args_));
    }

    /// The executor of the I/O object, where the operation knows it.
    [[nodiscard]] auto executor() const noexcept requires requires(const Initiation& initiation) {
        initiation.get_executor();
    }
    { return initiation_.get_executor(); }

private:
    Initiation initiation_;
    std::tuple<Args...> args_;
};

template <class T>
inline constexpr bool isCaptured = false;
template <class S, class Initiation, class... Args>
inline constexpr bool isCaptured<CapturedOperation<S, Initiation, Args...>> = true;

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox

namespace FUSEBOX_ASIO_NAMESPACE {

template <class R, class... T>
class async_result<fusebox::asio_detail::Capture, R(T...)> {
public:
    template <class Initiation, class... Args>
    static auto initiate(Initiation&& initiation, fusebox::asio_detail::Capture, Args&&... args) {
        return fusebox::asio_detail::CapturedOperation<R(T...), std::decay_t<Initiation>,
                                                       std::decay_t<Args>...>{
            std::forward<Initiation>(initiation), std::forward<Args>(args)...};
    }
};

}  // namespace FUSEBOX_ASIO_NAMESPACE
