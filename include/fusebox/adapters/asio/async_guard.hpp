// SPDX-License-Identifier: MIT
// asyncGuard: any asynchronous operation of Asio behind a circuit breaker.
//
// needs: asio
#pragma once

#include <type_traits>
#include <utility>

#include "fusebox/adapters/asio/captured_operation.hpp"
#include "fusebox/adapters/asio/completion.hpp"
#include "fusebox/adapters/asio/config.hpp"
#include "fusebox/adapters/asio/initiate_guarded.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {

namespace asio_detail {

template <class Initiation>
struct BareInitiation {
    using Type = std::remove_reference_t<Initiation>;
};
template <class Initiation>
    requires(detail::isJudged<std::remove_cvref_t<Initiation>>)
struct BareInitiation<Initiation> {
    using Type = decltype(std::remove_cvref_t<Initiation>::fn);
};

/// What an initiation returns when it is asked what it would do.
template <class Initiation>
using Described = std::invoke_result_t<typename BareInitiation<Initiation>::Type&, Capture>;

template <class Signature, class Initiation>
[[nodiscard]] constexpr bool hasSignature() {
    using Initiates = typename BareInitiation<Initiation>::Type;
    if constexpr (!std::is_same_v<Signature, DeducedSignature>) {
        return true;
    } else if constexpr (std::is_invocable_v<Initiates&, Capture>) {
        static_assert(isCaptured<Described<Initiation>>,
                      "fusebox::asyncGuard: the initiation must return what the operation returns "
                      "for the token; or name the signature: "
                      "asyncGuard<void(error_code, std::size_t)>(...)");
        return isCaptured<Described<Initiation>>;
    } else {
        static_assert(std::is_invocable_v<Initiates&, Capture>,
                      "fusebox::asyncGuard: the initiation must be callable with any completion "
                      "token; or name the signature: asyncGuard<void(error_code)>(...)");
        return false;
    }
}

template <class Signature, class Initiation>
struct SignatureOf {
    using Type = Signature;
};
template <class Initiation>
struct SignatureOf<DeducedSignature, Initiation> {
    using Type = typename Described<Initiation>::Signature;
};

template <class Signature, class Breaker, class Initiation, class Token, class Io>
decltype(auto) initiateGuarded(Breaker& breaker, Initiation&& initiation, Token& token, Io io) {
    constexpr bool asks = std::is_same_v<Signature, DeducedSignature>;
    if constexpr (hasSignature<Signature, Initiation>()) {
        using Named = typename SignatureOf<Signature, Initiation>::Type;
        static_assert(
            Completion<Named>::known,
            "fusebox::asyncGuard: the signature must begin with an error_code of this "
            "Asio or a std::exception_ptr: nothing else can say that a call was rejected");
        if constexpr (Completion<Named>::known) {
            static_assert(Completion<Named>::canReject,
                          "fusebox::asyncGuard: a rejected call completes with default values, and "
                          "an argument of this signature has none");
            auto& core = detail::CoreAccess::coreOf(breaker);
            using Initiate =
                InitiateGuarded<Named, asks, std::remove_reference_t<decltype(core)>, Io>;
            return net::async_initiate<Token, Named>(Initiate{core, std::move(io)}, token,
                                                     std::forward<Initiation>(initiation));
        }
    }
}

}  // namespace asio_detail

/// Starts an asynchronous operation through a breaker.
///
/// `initiation` is called with a completion token, starts one operation with it and returns what
/// that returns: `[&](auto&& token) { return socket.async_connect(peer, token); }`. The signature
/// of the operation begins with an error_code or a std::exception_ptr; that of one which cannot be
/// deduced is named: `asyncGuard<void(error_code)>(...)`, and then nothing need be returned. It may
/// be made by `judgedBy(initiation, classifier)`. `token` is any completion token.
///
/// **Counts as.** No error: a success, or as OutcomeTraits judges a single value. An error: a
/// failure; `operation_aborted`: ignored. A classifier takes what a handler takes, or the error.
/// **Deadline.** At `requestTimeout` the operation is cancelled (`cancellation_type::terminal`); if
/// it then ends with an error, it is a timeout, and the handler gets `Errc::CallTimeout`, or
/// CallTimeoutError nesting what it ended with. A value that comes late is a timeout, and reaches
/// the handler. An operation that cannot be cancelled is waited for. Breakers on clocks off the
/// steady time line set no timer.
/// **Rejected.** Nothing is started. The handler is called as by `post`, never within this, with
/// `Errc::CircuitOpen` and its kin or CircuitOpenError, and default values.
/// **Threads.** The handler's executor, allocator and cancellation slot are those of the operation;
/// its steps and its cancellation run in a strand of that executor. A handler without an executor
/// runs on that of `io` (an I/O object, an execution context or an executor), or else of the
/// operation's I/O object: then `initiation` is called with a token that starts nothing, also if
/// the call is rejected. The breaker must outlive the operation. If the execution context is
/// destroyed before the operation ends, the permit is cancelled.
/// **Throws.** What `initiation` throws, which is judged as an exception.
/// **Cost.** One allocation, by the handler's allocator, one strand, and a timer.
template <class Signature = asio_detail::DeducedSignature, class Breaker, class Initiation,
          class Token>
decltype(auto) asyncGuard(Breaker& breaker, Initiation&& initiation, Token&& token) {
    return asio_detail::initiateGuarded<Signature, Breaker, Initiation, Token>(
        breaker, std::forward<Initiation>(initiation), token, asio_detail::NoExecutor{});
}
template <class Signature = asio_detail::DeducedSignature, class Breaker, class Initiation,
          class Token, class Io>
decltype(auto) asyncGuard(Breaker& breaker, Initiation&& initiation, Token&& token, Io&& io) {
    return asio_detail::initiateGuarded<Signature, Breaker, Initiation, Token>(
        breaker, std::forward<Initiation>(initiation), token, asio_detail::executorOf(io));
}

/// As above, with the default completion token of the operation's executor.
template <class Breaker, class Initiation>
decltype(auto) asyncGuard(Breaker& breaker, Initiation&& initiation) {
    using Executor = std::remove_cvref_t<
        decltype(std::declval<asio_detail::Described<Initiation>>().executor())>;
    using Token = asio_detail::net::default_completion_token_t<Executor>;
    static_assert(!std::is_void_v<Token>,
                  "fusebox::asyncGuard: the operation's executor has no default completion token; "
                  "give one");
    if constexpr (!std::is_void_v<Token>) {
        return fusebox::asyncGuard(breaker, std::forward<Initiation>(initiation), Token{});
    }
}

}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
