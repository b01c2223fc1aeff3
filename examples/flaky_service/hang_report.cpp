// SPDX-License-Identifier: MIT

#include "hang_report.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "hang_round.hpp"
#include "latency.hpp"
#include "load.hpp"

namespace flaky {
namespace {

/// The deadline and a little. What is later is said, and fails only from `kLimit` on: it may be the
/// machine that had something else to do.
constexpr milliseconds kGoal = 250ms;
constexpr milliseconds kLimit = 1s;

void printRow(std::string_view form, std::string_view toOpen, std::string_view longest,
              std::string_view later, std::string_view reached, std::string_view rejected) {
    fmt::print("{:<24} {:>10}  {:>9}  {:>13}  {:>11}  {:>8}\n", form, toOpen, longest, later,
               reached, rejected);
}

void printHangHeader() {
    fmt::print(
        "\nHang: the server accepts and does not answer for {}. {} callers come at once,\n"
        "then one every {}; the deadline is {}.\n\n",
        inWords(kHang), kCallers, inWords(kArrivalGap), inWords(kHangDeadline));
    printRow("", "first call", "longest", "longest stuck", "reached the", "calls");
    printRow("", "to open", "stuck", "once open", "hung server", "rejected");
}

void printResult(const HangResult& result) {
    printRow(result.form, wordsFor(result.toOpen), inWords(result.longest),
             wordsFor(result.longestOnceOpen), fmt::to_string(result.reached),
             fmt::to_string(result.rejected));
}

/// How late the breaker was, or how long a caller was stuck whom the form spares; none: for ever.
std::optional<nanoseconds> worstOf(const HangResult& result) {
    const auto stuck = result.spares == Spares::Everybody ? result.longest : result.longestOnceOpen;
    if (!result.toOpen || !stuck) return std::nullopt;
    return std::max(*result.toOpen, *stuck);
}

std::string_view gradeOf(const HangResult& result) {
    // The contrast: without it, the others would have had nothing to spare their callers.
    if (result.spares == Spares::Nobody) return result.longest > kLimit ? "PASS" : "FAIL";
    const auto worst = worstOf(result);
    if (!worst || *worst > kLimit) return "FAIL";
    return *worst > kGoal ? "SLOW" : "PASS";
}

std::string promiseOf(const HangResult& result) {
    switch (result.spares) {
        case Spares::Nobody:
            return "for contrast, it opens when the callers are back, and spares nobody";
        case Spares::Newcomers:
            return fmt::format("opens within {}, and spares those who come then", inWords(kGoal));
        case Spares::Everybody: break;
    }
    return fmt::format("opens within {}, and no caller is stuck for longer", inWords(kGoal));
}

/// Prints it; true if nothing failed.
bool printVerdict(const std::vector<HangResult>& results) {
    const auto is = [](std::string_view grade) {
        return [=](const HangResult& result) { return gradeOf(result) == grade; };
    };
    for (const HangResult& result : results) {
        fmt::print("{}  {}: {}\n", gradeOf(result), result.form, promiseOf(result));
    }
    if (std::ranges::any_of(results, is("SLOW"))) {
        fmt::print("SLOW is later than that, but within {}: a busy machine.\n", inWords(kLimit));
    }
    return std::ranges::none_of(results, is("FAIL"));
}

}  // namespace

bool tryForms(const std::string& server) {
    // Its script never begins: it is healthy but for the hangs.
    const ServerProcess process{server, Script::lasting(1s)};
    printHangHeader();
    std::vector<HangResult> results;
    for (const Form& form : hangForms()) {
        results.push_back(hang(process, form));
        printResult(results.back());
    }
    if (results.back().form != kAsioForm) {
        fmt::print("{:<24} not built: no Asio with coroutines was found\n", kAsioForm);
    }
    fmt::print("\n");
    return printVerdict(results);
}

}  // namespace flaky
