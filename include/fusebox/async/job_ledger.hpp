// SPDX-License-Identifier: MIT
// What a guarded job counts, and whether its run goes on.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "fusebox/async/job_stats.hpp"
#include "fusebox/breaker/short_text.hpp"
#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox::detail {

/// How an attempt ended. Not judged anew: it carries what was judged, or that it was rejected.
struct JobAttempt {
    Outcome outcome = Outcome::Success;
    bool rejected = false;

    [[nodiscard]] bool failed() const noexcept {
        return outcome == Outcome::Failure || outcome == Outcome::Timeout;
    }
};

/// Follows attempts through runs. Not synchronised.
class JobLedger {
public:
    explicit JobLedger(int maxRetries) : maxRetries_(maxRetries) {}

    /// Counts an attempt. Says whether the run goes on: after how many retries that were made.
    [[nodiscard]] std::optional<int> record(const JobAttempt& attempt, const ShortText& error) {
        if (attempt.rejected) {
            reject();
            return std::nullopt;
        }
        begin();
        if (attempt.failed()) return fail(error);
        ++counts_.successes;
        counts_.lastSuccess = std::chrono::system_clock::now();
        counts_.retrying = false;
        return std::nullopt;
    }

    /// Ends a run that waits for a retry.
    void giveUp() noexcept {
        if (!counts_.retrying) return;
        ++counts_.failures;
        counts_.retrying = false;
    }

    [[nodiscard]] JobStats stats() const {
        JobStats stats = counts_;
        stats.lastError = lastError_.view();
        return stats;
    }

private:
    void reject() noexcept {
        if (counts_.retrying) {
            giveUp();
        } else {
            ++counts_.skipped;
        }
    }

    void begin() noexcept {
        if (counts_.retrying) {
            ++counts_.retries;
            ++retries_;
        } else {
            ++counts_.runs;
            retries_ = 0;
        }
    }

    [[nodiscard]] std::optional<int> fail(const ShortText& error) {
        lastError_ = error;
        counts_.lastFailure = std::chrono::system_clock::now();
        counts_.retrying = true;
        if (retries_ < maxRetries_) return retries_;
        giveUp();
        return std::nullopt;
    }

    const int maxRetries_;
    int retries_ = 0;  // Of the present run.
    JobStats counts_{};
    ShortText lastError_{};
};

}  // namespace fusebox::detail
