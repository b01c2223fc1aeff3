// SPDX-License-Identifier: MIT
// The enumerations and their words.
#include <concepts>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "fusebox/vocabulary/errors.hpp"
#include "fusebox/vocabulary/outcome.hpp"
#include "fusebox/vocabulary/rejection.hpp"
#include "fusebox/vocabulary/state.hpp"
#include "support/catch.hpp"

using namespace fusebox;

namespace {

template <class... Enums>
inline constexpr bool kAreBytes = (std::same_as<std::underlying_type_t<Enums>, std::uint8_t> &&
                                   ...);

static_assert(
    kAreBytes<CircuitState, ControlMode, Outcome, ReportResult, RejectionReason, TransitionReason>);
static_assert(toString(CircuitState::HalfOpen) == "HALF_OPEN");
static_assert(CircuitState{} == CircuitState::Closed);
static_assert(ControlMode{} == ControlMode::Automatic);

/// What `toString` says of a value that no enumerator has.
template <class Enum>
std::string_view wordOfStranger() {
    return toString(static_cast<Enum>(200));
}

}  // namespace

TEST_CASE("Circuit states have the words of the contract") {
    CHECK(toString(CircuitState::Closed) == "CLOSED");
    CHECK(toString(CircuitState::Open) == "OPEN");
    CHECK(toString(CircuitState::HalfOpen) == "HALF_OPEN");
}

TEST_CASE("Control modes have words") {
    CHECK(toString(ControlMode::Automatic) == "AUTOMATIC");
    CHECK(toString(ControlMode::ForcedOpen) == "FORCED_OPEN");
    CHECK(toString(ControlMode::ForcedClosed) == "FORCED_CLOSED");
    CHECK(toString(ControlMode::Shadow) == "SHADOW");
}

TEST_CASE("Outcomes and what became of their reports have words") {
    CHECK(toString(Outcome::Success) == "SUCCESS");
    CHECK(toString(Outcome::Failure) == "FAILURE");
    CHECK(toString(Outcome::Timeout) == "TIMEOUT");
    CHECK(toString(Outcome::Ignored) == "IGNORED");
    CHECK(toString(ReportResult::Recorded) == "RECORDED");
    CHECK(toString(ReportResult::Stale) == "STALE");
    CHECK(toString(ReportResult::AlreadyReported) == "ALREADY_REPORTED");
}

TEST_CASE("Reasons have words") {
    CHECK(toString(RejectionReason::Open) == "OPEN");
    CHECK(toString(RejectionReason::ProbesBusy) == "PROBES_BUSY");
    CHECK(toString(RejectionReason::ForcedOpen) == "FORCED_OPEN");
    CHECK(toString(RejectionReason::QueueFull) == "QUEUE_FULL");
    CHECK(toString(TransitionReason::PolicyTripped) == "POLICY_TRIPPED");
    CHECK(toString(TransitionReason::ProbeFailed) == "PROBE_FAILED");
    CHECK(toString(TransitionReason::ProbeLost) == "PROBE_LOST");
    CHECK(toString(TransitionReason::WaitElapsed) == "WAIT_ELAPSED");
    CHECK(toString(TransitionReason::ProbesSucceeded) == "PROBES_SUCCEEDED");
    CHECK(toString(TransitionReason::Manual) == "MANUAL");
    CHECK(toString(TransitionReason::Reset) == "RESET");
}

TEST_CASE("A value that no enumerator has is called unknown") {
    CHECK(wordOfStranger<CircuitState>() == "UNKNOWN");
    CHECK(wordOfStranger<ControlMode>() == "UNKNOWN");
    CHECK(wordOfStranger<Outcome>() == "UNKNOWN");
    CHECK(wordOfStranger<ReportResult>() == "UNKNOWN");
    CHECK(wordOfStranger<RejectionReason>() == "UNKNOWN");
    CHECK(wordOfStranger<TransitionReason>() == "UNKNOWN");
    // A sentence that has to name a reason goes without.
    const auto reason = static_cast<RejectionReason>(200);
    CHECK(toString(Rejection{"db", CircuitState::Open, reason, {}}) == "circuit breaker \"db\" ");
    CHECK(toErrorCode(reason) == Errc::CircuitOpen);
}
