// SPDX-License-Identifier: MIT
// The time stamp counter of x86-64, and what the machine says of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#if defined(__x86_64__) && defined(__GNUC__)
#define FUSEBOX_HAS_TSC 1
#include <cpuid.h>
#else
#define FUSEBOX_HAS_TSC 0
#endif

#include "fusebox/vocabulary/platform.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox::detail {

/// The counter, and the clock that it is held against. There is none elsewhere; it then reads 0.
struct TscCounter {
    /// RDTSCP waits until the loads before it are done. What comes after it may begin before it has
    /// read, but no store is seen by others before that. So a reading that happens before another
    /// is not later, as far as the cores agree.
    [[nodiscard]] FUSEBOX_HOT static std::uint64_t ticks() noexcept {
#if FUSEBOX_HAS_TSC
        // Not initialised: the instruction writes both.
        std::uint32_t low;
        std::uint32_t high;
        // An instruction, since the builtin need not keep the compiler from moving loads over it.
        asm volatile("rdtscp" : "=a"(low), "=d"(high) : : "rcx", "memory");
        return std::uint64_t{high} << 32 | low;
#else
        return 0;
#endif
    }

    /// RDTSC runs ahead of loads before it that have to wait. So a thread that learns of another's
    /// reading may come by an earlier one: in most cases where two threads did nothing else, by up
    /// to 1.3 us (EPYC, family 25).
    [[nodiscard]] FUSEBOX_HOT static std::uint64_t relaxedTicks() noexcept {
#if FUSEBOX_HAS_TSC
        std::uint32_t low;
        std::uint32_t high;
        asm volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
        return std::uint64_t{high} << 32 | low;
#else
        return 0;
#endif
    }

    [[nodiscard]] static std::int64_t steady() noexcept {
        return std::chrono::nanoseconds{std::chrono::steady_clock::now().time_since_epoch()}
            .count();
    }
};

/// What a machine says of its time stamp counter.
struct TscFacts {
    bool isX8664 = false;
    /// CPUID 0x80000007, EDX bit 8: one pace in every power state.
    bool isInvariant = false;
    /// CPUID 0x80000001, EDX bit 27.
    bool hasRdtscp = false;
    /// What the kernel would take its time from; empty if it does not tell.
    std::optional<std::string> clockSources{};
};

/// The words of Linux, which compares the counters of all cores when it boots, and strikes `tsc`
/// off this list when it finds them apart or uneven, then or later.
[[nodiscard]] inline std::optional<std::string> readClockSources(
    const char* path = "/sys/devices/system/clocksource/clocksource0/available_clocksource") {
    std::ifstream file{path};
    std::string sources;
    if (!std::getline(file, sources)) return std::nullopt;
    sources.erase(sources.find_last_not_of(' ') + 1);
    return sources;
}

#if FUSEBOX_HAS_TSC
/// What CPUID leaves in EDX; nothing if it does not know the leaf.
[[nodiscard]] inline std::uint32_t cpuidEdx(std::uint32_t leaf) noexcept {
    // Not initialised: written where the answer is not 0.
    unsigned a;
    unsigned b;
    unsigned c;
    unsigned d;
    return __get_cpuid(leaf, &a, &b, &c, &d) != 0 ? d : 0;
}
#endif

/// What an x86-64 says whose leaves of CPUID leave in EDX what `edxOf` gives.
template <class EdxOf>
[[nodiscard]] TscFacts factsOfX8664(EdxOf edxOf, std::optional<std::string> clockSources) {
    const auto has = [&](std::uint32_t leaf, int bit) { return (edxOf(leaf) >> bit & 1U) != 0; };
    return {.isX8664 = true,
            .isInvariant = has(0x80000007U, 8),
            .hasRdtscp = has(0x80000001U, 27),
            .clockSources = std::move(clockSources)};
}

[[nodiscard]] inline TscFacts tscFacts() {
#if FUSEBOX_HAS_TSC
    return factsOfX8664(cpuidEdx, readClockSources());
#else
    return {};
#endif
}

/// Whether a list that is separated by blanks has the word.
[[nodiscard]] inline bool hasWord(std::string_view list, std::string_view word) {
    const auto between = [](std::string_view text) { return std::string{" "}.append(text) + ' '; };
    return between(list).find(between(word)) != std::string::npos;
}

/// Why the counter cannot be trusted; empty if there is no reason not to.
[[nodiscard]] inline Complaint validate(const TscFacts& facts) {
    if (!facts.isX8664) return complain("processor", "not x86-64", "x86-64");
    if (!facts.isInvariant) {
        return complain("time stamp counter", "not invariant (CPUID 0x80000007, EDX bit 8)",
                        "one of the same pace in every power state");
    }
    if (!facts.hasRdtscp) {
        return complain("RDTSCP", "missing (CPUID 0x80000001, EDX bit 27)",
                        "a processor that has it");
    }
    constexpr std::string_view kAllowed =
        "a list with tsc, by which the kernel says that it trusts the counter";
    if (!facts.clockSources) return complain("available_clocksource", "unreadable", kAllowed);
    if (!hasWord(*facts.clockSources, "tsc")) {
        return complain("available_clocksource", '"' + *facts.clockSources + '"', kAllowed);
    }
    return std::nullopt;
}

}  // namespace fusebox::detail
