// SPDX-License-Identifier: MIT
// The one 64-bit word that all callers read, and the ticket that a call keeps of it.
#pragma once

#include <chrono>
#include <cstdint>

#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// State, mode, probes in flight and epoch of a breaker in 64 bits. Every transition, change of
/// mode and reset begins a new epoch.
///
///     bit  0..1   state
///     bit  2..3   mode
///     bit  4      instrumented: a call has more to do than one increment
///     bit  5      passenger (tickets only)
///     bit  6      rejected (tickets only)
///     bit  7..14  probes in flight; in a ticket: the probe's slot, from 1
///     bit 15..63  epoch
///
/// A plain word (closed, automatic, not instrumented) has no bit set below the epoch, so that the
/// hot path tests once.
class StateWord {
public:
    using Bits = std::uint64_t;

    constexpr StateWord() noexcept = default;
    constexpr explicit StateWord(Bits bits) noexcept : bits_(bits) {}

    [[nodiscard]] constexpr Bits bits() const noexcept { return bits_; }
    [[nodiscard]] constexpr CircuitState state() const noexcept {
        return static_cast<CircuitState>(bits_ & kStateMask);
    }
    [[nodiscard]] constexpr ControlMode mode() const noexcept {
        return static_cast<ControlMode>((bits_ & kModeMask) >> kModeShift);
    }
    [[nodiscard]] constexpr int probes() const noexcept {
        return static_cast<int>((bits_ & kProbesMask) >> kProbesShift);
    }
    [[nodiscard]] constexpr Bits epoch() const noexcept { return bits_ >> kEpochShift; }
    /// The low bits of the epoch, as they stand on the shards.
    [[nodiscard]] constexpr std::uint16_t tag() const noexcept {
        return static_cast<std::uint16_t>(epoch());
    }

    /// Closed, automatic, and a call is one increment.
    [[nodiscard]] constexpr bool plain() const noexcept {
        return (bits_ & (kStateMask | kModeMask | kFlags)) == 0;
    }
    /// Closed and automatic, but a call has more to do than one increment.
    [[nodiscard]] constexpr bool closedInstrumented() const noexcept {
        return (bits_ & (kStateMask | kModeMask | kFlags)) == kInstrumented;
    }
    /// The cycle goes on: the mode does not freeze it.
    [[nodiscard]] constexpr bool cycling() const noexcept {
        return mode() == ControlMode::Automatic || mode() == ControlMode::Shadow;
    }

    [[nodiscard]] constexpr StateWord withProbes(int probes) const noexcept {
        return StateWord{(bits_ & ~kProbesMask) | (static_cast<Bits>(probes) << kProbesShift)};
    }
    [[nodiscard]] constexpr StateWord withMode(ControlMode mode) const noexcept {
        return StateWord{(bits_ & ~kModeMask) | (static_cast<Bits>(mode) << kModeShift)};
    }
    /// In `state`, without probes, in the next epoch. The epoch wraps after 2^49 of them.
    [[nodiscard]] constexpr StateWord next(CircuitState state) const noexcept {
        const Bits kept = bits_ & (kModeMask | kInstrumented);
        return StateWord{((epoch() + 1) << kEpochShift) | kept | static_cast<Bits>(state)};
    }
    [[nodiscard]] static constexpr StateWord initial(bool instrumented) noexcept {
        return StateWord{instrumented ? kInstrumented : 0};
    }

    [[nodiscard]] constexpr StateWord asPassenger() const noexcept {
        return StateWord{bits_ | kPassenger};
    }
    [[nodiscard]] constexpr StateWord asRejected() const noexcept {
        return StateWord{bits_ | kRejected};
    }
    [[nodiscard]] constexpr bool passenger() const noexcept { return (bits_ & kPassenger) != 0; }
    [[nodiscard]] constexpr bool rejected() const noexcept { return (bits_ & kRejected) != 0; }

    friend constexpr bool operator==(StateWord, StateWord) noexcept = default;

private:
    static constexpr Bits kStateMask = 0x3;
    static constexpr int kModeShift = 2;
    static constexpr Bits kModeMask = Bits{0x3} << kModeShift;
    static constexpr Bits kInstrumented = Bits{1} << 4;
    static constexpr Bits kPassenger = Bits{1} << 5;
    static constexpr Bits kRejected = Bits{1} << 6;
    static constexpr Bits kFlags = kInstrumented | kPassenger | kRejected;
    static constexpr int kProbesShift = 7;
    static constexpr Bits kProbesMask = Bits{0xff} << kProbesShift;
    static constexpr int kEpochShift = 15;

    Bits bits_ = 0;
};

/// What a call keeps from its admission to its report: 16 bytes, passed by value.
struct Ticket {
    StateWord word{};
    /// Admitted: when the call began, 0 if no clock was read. Rejected: the rest of the wait.
    std::chrono::nanoseconds time{0};

    [[nodiscard]] constexpr bool rejected() const noexcept { return word.rejected(); }
    [[nodiscard]] constexpr RejectionReason reason() const noexcept {
        if (word.mode() == ControlMode::ForcedOpen) return RejectionReason::ForcedOpen;
        return word.state() == CircuitState::Open ? RejectionReason::Open
                                                  : RejectionReason::ProbesBusy;
    }
    /// The state that the caller met: a forced-open breaker reads Open.
    [[nodiscard]] constexpr CircuitState rejectedIn() const noexcept {
        return word.mode() == ControlMode::ForcedOpen ? CircuitState::Open : word.state();
    }
};

}  // namespace fusebox::detail
