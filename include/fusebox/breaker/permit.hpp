// SPDX-License-Identifier: MIT
// The permit of one admitted call.
#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "fusebox/breaker/call_end.hpp"
#include "fusebox/breaker/state_word.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/vocabulary/rejection.hpp"

namespace fusebox::detail {

/// The two-step form of a call: acquire, do the work, report once.
///
/// A permit that is destroyed unreported is a failure if more exceptions are unwinding on this
/// thread than when it was acquired; else it is cancelled: neutral, and a probe's slot is given
/// back. Callbacks and coroutines, which may be destroyed on another thread, report explicitly.
///
/// **Threads.** One thread at a time. **Cost.** No allocation. It must not outlive its breaker.
template <class Core>
class [[nodiscard]] BasicPermit {
public:
    BasicPermit() noexcept = default;
    BasicPermit(Core& core, Ticket ticket) noexcept
        : core_(&core),
          ticket_(ticket),
          unwinding_(ticket.rejected() ? 0 : std::uncaught_exceptions()) {}
    BasicPermit(BasicPermit&& other) noexcept
        : core_(std::exchange(other.core_, nullptr)),
          ticket_(other.ticket_),
          unwinding_(other.unwinding_) {}
    BasicPermit& operator=(BasicPermit&& other) noexcept {
        if (this != &other) {
            drop();
            core_ = std::exchange(other.core_, nullptr);
            ticket_ = other.ticket_;
            unwinding_ = other.unwinding_;
        }
        return *this;
    }
    ~BasicPermit() { drop(); }

    /// Whether the call is admitted and not reported yet.
    [[nodiscard]] explicit operator bool() const noexcept {
        return core_ != nullptr && !ticket_.rejected();
    }

    /// Why the call was not admitted; of a permit that was, or is empty, a default value.
    [[nodiscard]] Rejection rejection() const noexcept {
        if (core_ == nullptr || !ticket_.rejected()) return {};
        return core_->rejection(ticket_);
    }

    FUSEBOX_HOT ReportResult success() noexcept {
        if (!*this) [[unlikely]]
            return ReportResult::AlreadyReported;
        return std::exchange(core_, nullptr)->succeed(ticket_);
    }
    ReportResult failure() noexcept { return report(Outcome::Failure); }
    ReportResult timeout() noexcept { return report(Outcome::Timeout); }
    ReportResult ignore() noexcept { return report(Outcome::Ignored); }

    /// Ends the permit. A success or failure later than `requestTimeout` counts as a timeout.
    ReportResult report(Outcome outcome) noexcept { return end(outcome, std::nullopt); }

    /// As above, with the time that the call took by the caller's own measure (>= 0).
    ReportResult report(Outcome outcome, std::chrono::nanoseconds elapsed) noexcept {
        return end(outcome, elapsed);
    }

private:
    // What follows takes copies: a permit whose address is known would have to live in memory.

    FUSEBOX_HOT ReportResult end(Outcome outcome,
                                 std::optional<std::chrono::nanoseconds> elapsed) noexcept {
        if (!*this) [[unlikely]]
            return ReportResult::AlreadyReported;
        return reported(*std::exchange(core_, nullptr), ticket_, outcome, elapsed);
    }

    FUSEBOX_APART static ReportResult reported(
        Core& core, Ticket ticket, Outcome outcome,
        std::optional<std::chrono::nanoseconds> elapsed) noexcept {
        if (outcome == Outcome::Success && !elapsed) return core.succeed(ticket);
        if (!elapsed) return core.conclude(ticket, outcome, "reported by permit");
        CallEnd end = core.measure(ticket, outcome, elapsed);
        if (end.error.empty()) end.error = "reported by permit";
        return core.finish(ticket, end);
    }

    FUSEBOX_HOT void drop() noexcept {
        if (*this) [[unlikely]]
            dropped(*std::exchange(core_, nullptr), ticket_, unwinding_);
    }

    FUSEBOX_APART static void dropped(Core& core, Ticket ticket, int unwinding) noexcept {
        if (std::uncaught_exceptions() > unwinding) {
            reported(core, ticket, Outcome::Failure, std::nullopt);
            return;
        }
        core.cancel(ticket);
    }

    Core* core_ = nullptr;
    Ticket ticket_{};
    int unwinding_ = 0;
};

}  // namespace fusebox::detail
