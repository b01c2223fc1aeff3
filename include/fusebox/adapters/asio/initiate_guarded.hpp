// SPDX-License-Identifier: MIT
// Where a guarded operation asks for admission, and what becomes of it then.
//
// needs: asio
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include "fusebox/adapters/asio/captured_operation.hpp"
#include "fusebox/adapters/asio/completion.hpp"
#include "fusebox/adapters/asio/config.hpp"
#include "fusebox/adapters/asio/executors.hpp"
#include "fusebox/adapters/asio/guarded_operation.hpp"
#include "fusebox/adapters/asio/report_completion.hpp"
#include "fusebox/breaker/guarded_call.hpp"
#include "fusebox/breaker/held_ticket.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

/// Stands for "the signature is that of the operation".
struct DeducedSignature {};

/// Called by `async_initiate` when the operation begins: at once for a handler, later for a token
/// that defers it.
/// @tparam asks the initiation can be asked for the executor of its operation.
/// @tparam Io the executor that was named, or NoExecutor.
template <class Signature, bool asks, class Core, class Io>
class InitiateGuarded {
public:
    InitiateGuarded(Core& core, Io io) : core_(&core), io_(std::move(io)) {}

    [[nodiscard]] Io get_executor() const noexcept requires(!std::is_same_v<Io, NoExecutor>) {
        return io_;
    }

    template <class Handler, class Initiation>
    void operator()(Handler&& handler, Initiation&& initiation) const {
        if constexpr (detail::isJudged<std::remove_cvref_t<Initiation>>) {
            begin(std::forward<Handler>(handler), initiation.fn, initiation.classifier);
        } else {
            begin(std::forward<Handler>(handler), initiation, detail::NoClassifier{});
        }
    }

private:
    template <class Handler, class Initiation, class Classifier>
    void begin(Handler&& handler, Initiation& initiation, const Classifier& classifier) const {
        using Bare = std::decay_t<Handler>;
        detail::HeldTicket<Core> permit{*core_};
        const bool admitted = permit.acquire();
        if (!admitted) core_->tellRejected(permit.ticket());
        const auto go = [&](const auto& io, auto&& launch) {
            if (admitted) {
                start(permit, std::forward<Handler>(handler), classifier, io, launch);
            } else {
                reject(permit.ticket(), std::forward<Handler>(handler), io);
            }
        };
        if constexpr (bringsExecutor<Bare> || !std::is_same_v<Io, NoExecutor>) {
            go(io_, initiation);
        } else {
            static_assert(asks,
                          "fusebox::asyncGuard: it is not known where to call the handler; give it "
                          "an executor (bind_executor), or name an I/O object or an executor after "
                          "the token");
            auto operation = describe(permit, initiation, classifier);
            static_assert(
                !asks || requires { operation.executor(); },
                "fusebox::asyncGuard: the operation does not tell its executor; give the "
                "handler one (bind_executor), or name an I/O object or an executor after "
                "the token");
            if constexpr (requires { operation.executor(); }) {
                go(operation.executor(), [&](auto&& inner) {
                    std::move(operation).start(std::forward<decltype(inner)>(inner));
                });
            }
        }
    }

    /// Asks the initiation what it would do.
    template <class Initiation, class Classifier>
    auto describe(detail::HeldTicket<Core>& permit, Initiation& initiation,
                  const Classifier& classifier) const {
        if constexpr (asks) {
            try {
                return initiation(Capture{});
            } catch (...) {
                reportThrown(permit, classifier);
                throw;
            }
        } else {
            return NoExecutor{};
        }
    }

    template <class Handler, class Classifier, class Executor, class Launch>
    static void start(detail::HeldTicket<Core>& permit, Handler&& handler,
                      const Classifier& classifier, const Executor& io, Launch&& launch) {
        const auto base = baseFor(handler, io);
        using Operation = GuardedOperation<Core, Classifier, Signature, std::decay_t<Handler>,
                                           std::remove_const_t<decltype(base)>>;
        const auto allocator = net::get_associated_allocator(handler);
        Operation::start(
            std::allocate_shared<Operation>(allocator, std::move(permit),
                                            std::forward<Handler>(handler), classifier, base),
            launch);
    }

    template <class Handler, class Executor>
    void reject(detail::Ticket ticket, Handler&& handler, const Executor& io) const {
        const auto base = baseFor(handler, io);
        const auto executor = executorFor(handler, base);
        using Traits = Completion<Signature>;
        net::post(base, CompletedCall<std::decay_t<Handler>, typename Traits::Result,
                                      std::remove_const_t<decltype(executor)>>{
                            std::forward<Handler>(handler),
                            Traits::rejected(core_->rejection(ticket)), executor});
    }

    Core* core_;
    [[no_unique_address]] Io io_;
};

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
