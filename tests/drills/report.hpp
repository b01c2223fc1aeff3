// SPDX-License-Identifier: MIT
// What came of the outages, as a table and in one sentence.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "drills/audit.hpp"
#include "drills/evidence.hpp"
#include "drills/outage.hpp"

namespace fusebox::test {

/// May be used by several threads.
class Report {
public:
    static void printHeader() {
        fmt::print("{:<38} {:<36} {:>7} {:>7}  {:<17} {:>6} {:>8}  {:<10} {:>5} {:>8}\n", "outage",
                   "policy", "callers", "open ms", "recovery ms", "opened", "probes", "requests",
                   "calls", "rejected");
    }

    /// A try that counts.
    void add(const Outage& outage, const Evidence& seen, const Findings& found) {
        const std::lock_guard lock{mutex_};
        ++outages_;
        openings_ += static_cast<std::uint64_t>(found.openings);
        calls_ += seen.stats.totalCalls;
        rejected_ += seen.stats.totalRejected;
        violations_ += found.violations.size();
        if (found.recoveryBound.count() > 0) {
            worstShare_ =
                std::max(worstShare_, static_cast<double>(found.recovery.count()) /
                                          static_cast<double>(found.recoveryBound.count()));
        }
        printRow(outage, seen, found);
        print(found, "BROKEN");
    }

    /// A try in which only times were exceeded, on a machine that stood still: it is made again.
    void postpone(const Outage& outage, const Evidence& seen, const Findings& found) {
        const std::lock_guard lock{mutex_};
        ++again_;
        fmt::print("{}: tried again, the machine stood still for {:.0f} ms\n", outage.name,
                   inMs(seen.worstLag));
        print(found, "then");
    }

    void complain(std::string_view what) {
        const std::lock_guard lock{mutex_};
        ++violations_;
        fmt::print("    BROKEN: {}\n", what);
    }

    void printSum() const {
        fmt::print(
            "{} outages, {} openings, {} calls admitted, {} rejected, {} tries postponed; the "
            "slowest recovery took {:.0f} % of its bound; {} violations\n",
            outages_, openings_, calls_, rejected_, again_, 100 * worstShare_, violations_);
    }
    [[nodiscard]] bool right() const { return violations_ == 0; }

private:
    static double inMs(std::chrono::nanoseconds time) {
        return static_cast<double>(time.count()) / 1e6;
    }
    static std::string cut(const std::string& text, std::size_t length) {
        return text.size() <= length ? text : text.substr(0, length - 2) + "..";
    }

    static void printRow(const Outage& outage, const Evidence& seen, const Findings& found) {
        const bool opened = found.toOpen.has_value();
        fmt::print("{:<38} {:<36} {:>7} {:>7}  {:<17} {:>6} {:>8}  {:<10} {:>5} {:>8}\n",
                   outage.name, cut(toString(outage.policy), 36), outage.threads,
                   opened ? fmt::format("{:.0f}", inMs(*found.toOpen)) : "-",
                   opened ? fmt::format("{:.0f} of {:.0f}", inMs(found.recovery),
                                        inMs(found.recoveryBound))
                          : "-",
                   found.openings,
                   fmt::format("{} of {}", found.probesAtOnce, outage.options.halfOpenLimit),
                   found.requestsAtOnce, seen.stats.totalCalls, seen.stats.totalRejected);
    }
    static void print(const Findings& found, std::string_view word) {
        for (const Violation& violation : found.violations) {
            fmt::print("    {}: {}\n", word, violation.what);
        }
    }

    std::mutex mutex_;
    int outages_ = 0;
    int again_ = 0;
    std::uint64_t openings_ = 0;
    std::uint64_t calls_ = 0;
    std::uint64_t rejected_ = 0;
    std::uint64_t violations_ = 0;
    double worstShare_ = 0;
};

}  // namespace fusebox::test
