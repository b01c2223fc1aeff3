// SPDX-License-Identifier: MIT
// Breakers with a bug that no thread alone can tell for sure: what the search for an order must
// refuse.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "reference/histories.hpp"

namespace fusebox::test {

enum class Bug : std::uint8_t {
    LateOpen,         ///< `open()` returns before it opens.
    RememberedState,  ///< `state()` answers what it answered this thread before.
    SharedVerdict,    ///< A rejection is handed on to the next caller, whatever came between.
};

template <Bug bug>
class BrokenBreaker {
public:
    using Crew = InterruptedBreaker::Crew;
    static constexpr bool kTells = false;

    BrokenBreaker(const Rules& rules, const AnyTripPolicy& policy, std::size_t threads)
        : breaker_(rules, policy, threads), remembered_(threads) {}

    Answer act(std::size_t thread, const Deed& deed) {
        if (late_) {
            late_ = false;
            const Answer answer = breaker_.act(thread, deed);
            (void)breaker_.act(thread, {Deed::What::Open});
            return answer;
        }
        if (bug == Bug::LateOpen && deed.what == Deed::What::Open) {
            late_ = true;
            return {};
        }
        if (bug == Bug::RememberedState && deed.what == Deed::What::State) {
            if (!remembered_[thread]) remembered_[thread] = breaker_.act(thread, deed);
            return *remembered_[thread];
        }
        if (bug == Bug::SharedVerdict && deed.what == Deed::What::Acquire) {
            if (rejection_) {
                const Answer answer = *rejection_;
                rejection_.reset();
                return answer;
            }
            const Answer answer = breaker_.act(thread, deed);
            if (!(answer == kAdmitted)) rejection_ = answer;
            return answer;
        }
        return breaker_.act(thread, deed);
    }
    [[nodiscard]] Seen seen() const { return breaker_.seen(); }
    [[nodiscard]] const std::vector<Told>& told() const { return breaker_.told(); }

private:
    InterruptedBreaker breaker_;
    std::vector<std::optional<Answer>> remembered_;
    std::optional<Answer> rejection_{};
    bool late_ = false;
};

}  // namespace fusebox::test
