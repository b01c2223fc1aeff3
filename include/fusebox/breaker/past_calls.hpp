// SPDX-License-Identifier: MIT
// How the last calls of a breaker ended.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/vocabulary/outcome.hpp"

namespace fusebox {

/// How one call ended.
struct PastCall {
    Outcome outcome = Outcome::Success;
    bool slow = false;

    friend bool operator==(const PastCall&, const PastCall&) = default;
};

namespace detail {

/// The last 32 calls, each in three bits: 16 bytes that are shifted, never searched.
class PastCalls {
public:
    static constexpr std::size_t kMost = 32;

    void push(PastCall call) noexcept {
        outcomes_ = outcomes_ << 2 | static_cast<std::uint64_t>(call.outcome);
        slow_ = slow_ << 1 | std::uint32_t{call.slow};
        size_ = std::min<std::uint32_t>(size_ + 1, kMost);
    }

    void pushSuccesses(std::uint64_t count) noexcept {
        if (count == 0) return;
        static_assert(static_cast<int>(Outcome::Success) == 0);
        // A shift by the whole width is undefined.
        const bool all = count >= kMost;
        outcomes_ = all ? 0 : outcomes_ << 2 * count;
        slow_ = all ? 0 : slow_ << count;
        size_ =
            all ? kMost : std::min<std::uint32_t>(size_ + static_cast<std::uint32_t>(count), kMost);
    }

    PastCalls() noexcept = default;

    // Templates, here and below, so that only those compile them who use a breaker.

    /// @param calls oldest first.
    template <std::same_as<PastCall> Call>
    explicit PastCalls(const std::vector<Call>& calls) noexcept {
        for (const Call& call : calls) push(call);
    }

    /// Oldest first.
    template <std::same_as<PastCall> Call = PastCall>
    [[nodiscard]] std::vector<Call> list() const {
        std::vector<Call> calls(size_);
        for (std::size_t age = 0; age < size_; ++age) {
            calls[size_ - 1 - age] = {static_cast<Outcome>(outcomes_ >> 2 * age & 3U),
                                      (slow_ >> age & 1U) != 0};
        }
        return calls;
    }

private:
    std::uint64_t outcomes_ = 0;
    std::uint32_t slow_ = 0;
    std::uint32_t size_ = 0;
};

/// "27 SUCCESS, 2 slow SUCCESS, 3 FAILURE": runs of calls that ended alike, oldest first.
template <std::same_as<PastCall> Call>
[[nodiscard]] std::string toText(const std::vector<Call>& calls) {
    std::string text;
    for (std::size_t run = 0; run < calls.size();) {
        std::size_t end = run + 1;
        while (end < calls.size() && calls[end] == calls[run]) ++end;
        if (!text.empty()) text += ", ";
        text += std::to_string(end - run);
        text.append(calls[run].slow ? " slow " : " ").append(toString(calls[run].outcome));
        run = end;
    }
    return text;
}

}  // namespace detail
}  // namespace fusebox
