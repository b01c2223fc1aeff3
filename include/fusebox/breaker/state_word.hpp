// SPDX-License-Identifier: MIT
// The one 64-bit word that all callers read, and the ticket that a call keeps of it.
#pragma once

#include <chrono>
#include <cstdint>

#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox::detail {

/// What a call of the closed state has to do beyond one increment.
struct Instruments {
    bool measured = false;      ///< Its time is taken.
    bool tracked = false;       ///< It counts as in flight.
    bool ticks = false;         ///< A success looks whether a slice of time is over.
    bool preciseTicks = false;  ///< ... on the precise clock.
    bool successes = false;     ///< The policy is told of every success.
};

/// State, mode, instruments, probes in flight and epoch of a breaker in 64 bits. Every transition,
/// change of mode, reconfiguration and reset begins a new epoch.
///
///     bit  0..1   state
///     bit  2..3   mode
///     bit  4..8   instruments
///     bit  9      passenger (tickets only)
///     bit 10      rejected (tickets only)
///     bit 11..18  probes in flight; in a ticket: the probe's slot, from 1
///     bit 19..63  epoch
///
/// A word that is closed and automatic, without instruments, has no bit set below the epoch, so
/// that the hot path tests once.
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

    /// Closed, automatic, and its success is one increment.
    [[nodiscard]] constexpr bool plain() const noexcept {
        return (bits_ & (kStateMask | kModeMask | (kInstruments & ~kTracked) | kPassenger |
                         kRejected)) == 0;
    }
    /// Closed, automatic, and its admission leaves nothing behind.
    [[nodiscard]] constexpr bool admitsPlainly() const noexcept {
        return (bits_ & (kStateMask | kModeMask | kMeasured | kTracked | kPassenger | kRejected)) ==
               0;
    }
    /// Closed, automatic, and its admission only counts it as in flight.
    [[nodiscard]] constexpr bool admitsTracked() const noexcept {
        return (bits_ & (kStateMask | kModeMask | kMeasured | kTracked | kPassenger | kRejected)) ==
               kTracked;
    }
    /// Closed, automatic, and its success needs neither the time it took nor the mutex.
    [[nodiscard]] constexpr bool quick() const noexcept {
        return (bits_ &
                (kStateMask | kModeMask | kMeasured | kSuccesses | kPassenger | kRejected)) == 0;
    }
    /// Closed, and its calls stand in the window.
    [[nodiscard]] constexpr bool inWindow() const noexcept {
        return (bits_ & (kStateMask | kPassenger)) == 0;
    }
    /// ... where a success is one increment.
    [[nodiscard]] constexpr bool countsSuccesses() const noexcept {
        return inWindow() && !tellsSuccesses();
    }
    /// Closed and automatic.
    [[nodiscard]] constexpr bool simplyClosed() const noexcept {
        return (bits_ & (kStateMask | kModeMask)) == 0;
    }
    /// Open and automatic.
    [[nodiscard]] constexpr bool simplyOpen() const noexcept {
        return (bits_ & (kStateMask | kModeMask)) == static_cast<Bits>(CircuitState::Open);
    }
    [[nodiscard]] constexpr bool measured() const noexcept { return (bits_ & kMeasured) != 0; }
    [[nodiscard]] constexpr bool tracked() const noexcept { return (bits_ & kTracked) != 0; }
    [[nodiscard]] constexpr bool ticks() const noexcept { return (bits_ & kTicks) != 0; }
    [[nodiscard]] constexpr bool preciseTicks() const noexcept {
        return (bits_ & kPreciseTicks) != 0;
    }
    [[nodiscard]] constexpr bool tellsSuccesses() const noexcept {
        return (bits_ & kSuccesses) != 0;
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
    [[nodiscard]] constexpr StateWord withInstruments(Instruments with) const noexcept {
        return StateWord{(bits_ & ~kInstruments) | (with.measured ? kMeasured : 0) |
                         (with.tracked ? kTracked : 0) | (with.ticks ? kTicks : 0) |
                         (with.preciseTicks ? kPreciseTicks : 0) |
                         (with.successes ? kSuccesses : 0)};
    }
    /// In `state`, without probes, in the next epoch. The epoch wraps after 2^45 of them.
    [[nodiscard]] constexpr StateWord next(CircuitState state) const noexcept {
        const Bits kept = bits_ & (kModeMask | kInstruments);
        return StateWord{((epoch() + 1) << kEpochShift) | kept | static_cast<Bits>(state)};
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
    static constexpr Bits kMeasured = Bits{1} << 4;
    static constexpr Bits kTracked = Bits{1} << 5;
    static constexpr Bits kTicks = Bits{1} << 6;
    static constexpr Bits kPreciseTicks = Bits{1} << 7;
    static constexpr Bits kSuccesses = Bits{1} << 8;
    static constexpr Bits kInstruments = kMeasured | kTracked | kTicks | kPreciseTicks | kSuccesses;
    static constexpr Bits kPassenger = Bits{1} << 9;
    static constexpr Bits kRejected = Bits{1} << 10;
    static constexpr int kProbesShift = 11;
    static constexpr Bits kProbesMask = Bits{0xff} << kProbesShift;
    static constexpr int kEpochShift = 19;

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
