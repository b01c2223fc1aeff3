// SPDX-License-Identifier: MIT
// Statistics for {fmt}: `{}` in one line, `{:t}` as a table.
//
// needs: fmt
#pragma once

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "fusebox/async/job_stats.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/exposition/stats_text.hpp"
#include "fusebox/exposition/word_formatter.hpp"

namespace fusebox::detail {

/// Reads the spec `t`, or none.
class LetterFormatter {
public:
    constexpr auto parse(fmt::format_parse_context& context) {
        auto it = context.begin();
        if (it != context.end() && *it == 't') {
            letter_ = true;
            ++it;
        }
        if (it != context.end() && *it != '}') throw fmt::format_error{"allowed: {} and {:t}"};
        return it;
    }

protected:
    [[nodiscard]] constexpr bool letter() const noexcept { return letter_; }

    template <class Context>
    static auto write(const std::string& text, Context& context) {
        return std::copy(text.begin(), text.end(), context.out());
    }

private:
    bool letter_ = false;
};

}  // namespace fusebox::detail

/// `{}`: `fusebox::statsLine`. `{:t}`: `fusebox::statsSheet`.
template <>
struct fmt::formatter<fusebox::CircuitBreakerStats> : fusebox::detail::LetterFormatter {
    template <class Context>
    auto format(const fusebox::CircuitBreakerStats& stats, Context& context) const {
        return write(letter() ? fusebox::statsSheet(stats) : fusebox::statsLine(stats), context);
    }
};

/// The summary: all of it in one sentence.
template <>
struct fmt::formatter<fusebox::TripRecord> : fusebox::detail::TextFormatter {
    template <class Context>
    auto format(const fusebox::TripRecord& trip, Context& context) const {
        return formatText(trip.summary, context);
    }
};

/// "runs=3 successes=2 failures=1 skipped=0 retries=4".
template <>
struct fmt::formatter<fusebox::JobStats> : fusebox::detail::TextFormatter {
    template <class Context>
    auto format(const fusebox::JobStats& stats, Context& context) const {
        return formatText(
            fmt::format("runs={} successes={} failures={} skipped={} retries={}", stats.runs,
                        stats.successes, stats.failures, stats.skipped, stats.retries),
            context);
    }
};
