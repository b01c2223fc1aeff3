// SPDX-License-Identifier: MIT
// The transitions of one breaker, as its listeners are told of them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fusebox/breaker/events.hpp"
#include "fusebox/breaker/subscription.hpp"
#include "support/catch.hpp"

namespace fusebox::test {

/// "CLOSED > OPEN: POLICY_TRIPPED".
[[nodiscard]] inline std::string inWords(const StateChanged& event) {
    std::string words{toString(event.from)};
    return words.append(" > ")
        .append(toString(event.to))
        .append(": ")
        .append(toString(event.reason));
}
/// "AUTOMATIC > SHADOW".
[[nodiscard]] inline std::string inWords(const ModeChanged& event) {
    return std::string{toString(event.from)}.append(" > ").append(toString(event.to));
}
/// "reset".
[[nodiscard]] inline std::string inWords(const WasReset&) {
    return "reset";
}

/// Listens for as long as it lives, and checks that every transition begins where the last ended.
class TransitionLog {
public:
    template <class Breaker>
    explicit TransitionLog(Breaker& breaker)
        : transitions_(breaker.template on<StateChanged>([this](const StateChanged& event) {
              if (!events.empty()) CHECK(event.from == events.back().to);
              CHECK(event.from != event.to);
              events.push_back(event);
              lines_.push_back(inWords(event));
          })),
          modes_(breaker.template on<ModeChanged>(
              [this](const ModeChanged& event) { lines_.push_back(inWords(event)); })),
          resets_(breaker.template on<WasReset>(
              [this](const WasReset& event) { lines_.push_back(inWords(event)); })) {}
    TransitionLog(const TransitionLog&) = delete;
    TransitionLog& operator=(const TransitionLog&) = delete;

    /// What was heard since the last call of this.
    [[nodiscard]] std::vector<std::string> lines() { return std::exchange(lines_, {}); }

    std::vector<StateChanged> events{};

private:
    std::vector<std::string> lines_{};
    Subscription transitions_;
    Subscription modes_;
    Subscription resets_;
};

using Lines = std::vector<std::string>;

}  // namespace fusebox::test
