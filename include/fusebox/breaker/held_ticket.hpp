// SPDX-License-Identifier: MIT
// The ticket of a call that may be abandoned on any thread.
#pragma once

#include <utility>

#include "fusebox/breaker/state_word.hpp"

namespace fusebox::detail {

/// An admission that is cancelled unless it is taken over. Unlike a permit it never asks whether
/// an exception is unwinding: a coroutine's frame or a pending operation may be destroyed on a
/// thread where something else is.
///
/// **Threads.** One at a time. It must not outlive its breaker.
template <class Core>
class HeldTicket {
public:
    explicit HeldTicket(Core& core) noexcept : core_(core) {}
    HeldTicket(HeldTicket&& other) noexcept
        : core_(other.core_), ticket_(other.ticket_), held_(std::exchange(other.held_, false)) {}
    HeldTicket& operator=(HeldTicket&&) = delete;
    ~HeldTicket() {
        if (held_) core_.cancel(ticket_);
    }

    /// Asks to be admitted.
    [[nodiscard]] bool acquire() noexcept {
        held_ = core_.machine().admit(ticket_);
        return held_;
    }
    [[nodiscard]] bool held() const noexcept { return held_; }
    [[nodiscard]] Core& core() const noexcept { return core_; }
    [[nodiscard]] Ticket ticket() const noexcept { return ticket_; }
    /// The ticket, for whoever reports it now.
    [[nodiscard]] Ticket take() noexcept {
        held_ = false;
        return ticket_;
    }

private:
    Core& core_;
    Ticket ticket_{};
    bool held_ = false;
};

}  // namespace fusebox::detail
