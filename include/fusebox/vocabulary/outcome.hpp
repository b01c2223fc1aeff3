// SPDX-License-Identifier: MIT
// How a call ended, and what became of its report.
#pragma once

#include <cstdint>
#include <string_view>

namespace fusebox {

/// How an admitted call is judged.
enum class Outcome : std::uint8_t {
    Success,
    Failure,
    Timeout,  ///< A failure to the policy, with a total of its own.
    Ignored,  ///< Neutral: gives the permit back and counts only in its own total.
};

/// What a report did.
enum class ReportResult : std::uint8_t {
    Recorded,         ///< The breaker took it into account.
    Stale,            ///< Its epoch is over: counted in the totals, changed nothing else.
    AlreadyReported,  ///< The permit held nothing to report: empty, rejected or already ended.
};

/// "SUCCESS", "FAILURE", "TIMEOUT" or "IGNORED".
[[nodiscard]] constexpr std::string_view toString(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::Success: return "SUCCESS";
        case Outcome::Failure: return "FAILURE";
        case Outcome::Timeout: return "TIMEOUT";
        case Outcome::Ignored: return "IGNORED";
    }
    return "UNKNOWN";
}

/// "RECORDED", "STALE" or "ALREADY_REPORTED".
[[nodiscard]] constexpr std::string_view toString(ReportResult result) noexcept {
    switch (result) {
        case ReportResult::Recorded: return "RECORDED";
        case ReportResult::Stale: return "STALE";
        case ReportResult::AlreadyReported: return "ALREADY_REPORTED";
    }
    return "UNKNOWN";
}

}  // namespace fusebox
