// SPDX-License-Identifier: MIT
// The word against the table of its bits and a naive twin of what it answers.
#include "fusebox/breaker/state_word.hpp"

#include <chrono>
#include <cstdint>
#include <set>
#include <string>

#include "support/catch.hpp"

using namespace fusebox;
using fusebox::detail::Instruments;
using fusebox::detail::StateWord;
using fusebox::detail::Ticket;

namespace {

constexpr std::uint64_t kLastEpoch = (std::uint64_t{1} << 44) - 1;

/// What a word holds, one thing a field.
struct Fields {
    CircuitState state = CircuitState::Closed;
    ControlMode mode = ControlMode::Automatic;
    Instruments with{};
    bool passenger = false;
    bool rejected = false;
    std::uint64_t probes = 0;
    std::uint64_t epoch = 0;
};

/// By the table.
StateWord wordOf(const Fields& f) {
    std::uint64_t bits = 0;
    const auto set = [&](int at, auto value) { bits |= static_cast<std::uint64_t>(value) << at; };
    set(0, f.state);
    set(2, f.mode);
    set(4, f.with.measured);
    set(5, f.with.tracked);
    set(6, f.with.ticks);
    set(7, f.with.preciseTicks);
    set(8, f.with.successes);
    set(9, f.with.watched);
    set(10, f.passenger);
    set(11, f.rejected);
    set(12, f.probes);
    set(20, f.epoch);
    return StateWord{bits};
}

Instruments instrumentsOf(unsigned number) {
    const auto bit = [&](int at) { return (number >> at & 1U) != 0; };
    return {.measured = bit(0),
            .tracked = bit(1),
            .ticks = bit(2),
            .preciseTicks = bit(3),
            .successes = bit(4),
            .watched = bit(5)};
}

/// Calls `action` with words of every state, mode and combination of instruments.
template <class Action>
void forEach(Action&& action) {
    for (const auto state : {CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen}) {
        for (const auto mode : {ControlMode::Automatic, ControlMode::ForcedOpen,
                                ControlMode::ForcedClosed, ControlMode::Shadow}) {
            for (unsigned number = 0; number < 64 * 16; ++number) {
                action(Fields{.state = state,
                              .mode = mode,
                              .with = instrumentsOf(number % 64),
                              .passenger = (number & 64U) != 0,
                              .rejected = (number & 128U) != 0,
                              .probes = (number & 256U) != 0 ? 255U : 0U,
                              .epoch = (number & 512U) != 0 ? kLastEpoch : 0U});
            }
        }
    }
}

/// The names of what was not as expected, each once: there are thousands of words.
struct Differences {
    std::set<std::string> names{};

    template <class Value>
    void compare(const char* name, Value value, Value expected) {
        if (value != expected) names.insert(name);
    }
};

}  // namespace

TEST_CASE("A word says what its bits say, whatever else they hold") {
    Differences wrong;
    forEach([&](const Fields& f) {
        const StateWord word = wordOf(f);
        const bool closed = f.state == CircuitState::Closed;
        const bool automatic = f.mode == ControlMode::Automatic;
        const bool own = !f.passenger && !f.rejected;
        const bool cycling = automatic || f.mode == ControlMode::Shadow;
        const bool usual = closed && automatic && own;
        wrong.compare("state", word.state(), f.state);
        wrong.compare("mode", word.mode(), f.mode);
        wrong.compare("probes", word.probes(), static_cast<int>(f.probes));
        wrong.compare("epoch", word.epoch(), f.epoch);
        wrong.compare("tag", word.tag(), static_cast<std::uint16_t>(f.epoch));
        wrong.compare("measured", word.measured(), f.with.measured);
        wrong.compare("tracked", word.tracked(), f.with.tracked);
        wrong.compare("ticks", word.ticks(), f.with.ticks);
        wrong.compare("preciseTicks", word.preciseTicks(), f.with.preciseTicks);
        wrong.compare("tellsSuccesses", word.tellsSuccesses(), f.with.successes);
        wrong.compare("passenger", word.passenger(), f.passenger);
        wrong.compare("rejected", word.rejected(), f.rejected);
        wrong.compare("simplyClosed", word.simplyClosed(), closed && automatic);
        wrong.compare("simplyOpen", word.simplyOpen(), f.state == CircuitState::Open && automatic);
        wrong.compare("cycling", word.cycling(), cycling);
        wrong.compare("inWindow", word.inWindow(), closed && !f.passenger);
        wrong.compare("countsSuccesses", word.countsSuccesses(),
                      closed && !f.passenger && !f.with.successes);
        wrong.compare("watchesCalls", word.watchesCalls(),
                      f.with.watched && closed && !f.passenger && cycling);
        wrong.compare("plain", word.plain(),
                      usual && !f.with.measured && !f.with.ticks && !f.with.preciseTicks &&
                          !f.with.successes && !f.with.watched);
        wrong.compare("quick", word.quick(), usual && !f.with.measured && !f.with.successes);
        wrong.compare("admitsPlainly", word.admitsPlainly(),
                      usual && !f.with.measured && !f.with.tracked);
        wrong.compare("admitsTracked", word.admitsTracked(),
                      usual && !f.with.measured && f.with.tracked);
    });
    CHECK(wrong.names == std::set<std::string>{});
}

TEST_CASE("A changed word differs in what was changed") {
    Differences wrong;
    const auto changed = [](Fields f, auto&& change) {
        change(f);
        return wordOf(f);
    };
    forEach([&](const Fields& f) {
        const StateWord word = wordOf(f);
        wrong.compare("withProbes", word.withProbes(5),
                      changed(f, [](Fields& g) { g.probes = 5; }));
        wrong.compare("withMode", word.withMode(ControlMode::ForcedClosed),
                      changed(f, [](Fields& g) { g.mode = ControlMode::ForcedClosed; }));
        wrong.compare("withInstruments, none", word.withInstruments({}), changed(f, [](Fields& g) {
                          g.with = {false, false, false, false, false, false};
                      }));
        for (unsigned one = 1; one < 64; one *= 2) {
            wrong.compare("withInstruments, one", word.withInstruments(instrumentsOf(one)),
                          changed(f, [&](Fields& g) { g.with = instrumentsOf(one); }));
        }
        wrong.compare("asPassenger", word.asPassenger(),
                      changed(f, [](Fields& g) { g.passenger = true; }));
        wrong.compare("asRejected", word.asRejected(),
                      changed(f, [](Fields& g) { g.rejected = true; }));
        // What belongs to a ticket or to an epoch is left behind; epochs begin again after 2^44.
        wrong.compare("next", word.next(CircuitState::HalfOpen), changed(f, [](Fields& g) {
                          g.state = CircuitState::HalfOpen;
                          g.passenger = false;
                          g.rejected = false;
                          g.probes = 0;
                          g.epoch = g.epoch == kLastEpoch ? 0 : g.epoch + 1;
                      }));
    });
    CHECK(wrong.names == std::set<std::string>{});
}

TEST_CASE("A ticket that is rejected says where and why, and has no time unless it is given one") {
    Differences wrong;
    forEach([&](const Fields& f) {
        const Ticket ticket{wordOf(f)};
        const bool forced = f.mode == ControlMode::ForcedOpen;
        const bool open = f.state == CircuitState::Open;
        wrong.compare("rejected", ticket.rejected(), f.rejected);
        wrong.compare("time", ticket.time, std::chrono::nanoseconds{0});
        wrong.compare("reason", ticket.reason(),
                      forced ? RejectionReason::ForcedOpen
                      : open ? RejectionReason::Open
                             : RejectionReason::ProbesBusy);
        wrong.compare("rejectedIn", ticket.rejectedIn(), forced ? CircuitState::Open : f.state);
    });
    CHECK(wrong.names == std::set<std::string>{});
}
