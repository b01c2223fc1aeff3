// SPDX-License-Identifier: MIT
// What is called when a guarded operation ends, is late, or is cancelled by its caller.
//
// needs: asio
#pragma once

#include <memory>
#include <utility>

#include "fusebox/adapters/asio/config.hpp"

namespace fusebox {
inline namespace FUSEBOX_ASIO_FLAVOUR {
namespace asio_detail {

/// What the operation calls when it ends. Its executor is the strand of the GuardedOperation, so
/// that the steps of a composed operation and its cancellation come one after the other.
template <class Operation>
struct OperationHandler {
    using executor_type = typename Operation::Strand;
    using allocator_type = typename Operation::Allocator;
    using cancellation_slot_type = net::cancellation_slot;

    [[nodiscard]] executor_type get_executor() const noexcept { return operation->strand(); }
    // Kept here: Asio asks for it also after the handler was moved from.
    [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator; }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept {
        return operation->slot();
    }

    template <class... Args>
    void operator()(Args&&... args) {
        Operation::ended(std::move(operation), std::forward<Args>(args)...);
    }

    std::shared_ptr<Operation> operation;
    [[no_unique_address]] allocator_type allocator = operation->allocator();
};

/// The wait for the deadline.
template <class Operation>
struct DeadlineHandler {
    using allocator_type = typename Operation::Allocator;
    [[nodiscard]] allocator_type get_allocator() const noexcept { return allocator; }

    void operator()(const ErrorCode& error) { Operation::timeUp(std::move(operation), error); }

    std::shared_ptr<Operation> operation;
    [[no_unique_address]] allocator_type allocator = operation->allocator();
};

/// In the cancellation slot of the caller's handler. Does not keep the operation alive: the signal
/// may outlive its execution context.
template <class Operation>
struct PassedCancellation {
    std::weak_ptr<Operation> operation;

    void operator()(net::cancellation_type_t type) const {
        const auto alive = operation.lock();
        if (!alive) return;
        net::dispatch(alive->strand(), [alive, type] { alive->cancel(type); });
    }
};

}  // namespace asio_detail
}  // namespace FUSEBOX_ASIO_FLAVOUR
}  // namespace fusebox
