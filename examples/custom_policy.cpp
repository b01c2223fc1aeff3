// SPDX-License-Identifier: MIT
// A trip policy of your own: a value that says what, and a tracker that keeps count.

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

using namespace std::chrono_literals;

// [custom_policy]
/// Trips when nothing but failures has come back for `duration`, however many or few they are.
struct FailingFor {
    std::chrono::nanoseconds duration = 5s;

    friend bool operator==(const FailingFor&, const FailingFor&) = default;

    friend std::string toString(const FailingFor& policy) {
        return fmt::format("only failures for {} ms", policy.duration / 1ms);
    }

    friend std::optional<std::string> validate(const FailingFor& policy) {
        if (policy.duration > 0s) return std::nullopt;
        return "FailingFor.duration is not positive; allowed: a duration above 0";
    }

    template <class Clock>
    class Tracker {
    public:
        explicit Tracker(const FailingFor& policy) : duration_(policy.duration) {}

        /// The breaker closed: forget everything.
        void enter(std::chrono::nanoseconds) noexcept { last_ = 0; }

        /// A failure or slow call; a gap between two positions was made by successes.
        fusebox::Verdict record(const fusebox::CallRecord& call) noexcept {
            if (!call.failed) return false;
            const bool goesOn = last_ > 0 && call.position == last_ + 1;
            if (!goesOn) since_ = call.time;
            last_ = call.position;
            return call.time - since_ >= duration_;
        }

    private:
        std::chrono::nanoseconds duration_;
        std::chrono::nanoseconds since_{0};
        std::uint64_t last_ = 0;
    };
};
// [/custom_policy]

int main() {
    fusebox::test::ManualClock clock;
    fusebox::CircuitBreaker breaker{"sensor", FailingFor{.duration = 2s}, {}, clock};

    int reached = 0;
    while (!breaker.isOpen()) {
        try {
            breaker.execute([&] {
                ++reached;
                // The third call succeeds, and the two seconds begin anew.
                if (reached != 3) throw std::runtime_error{"no signal"};
            });
        } catch (const std::runtime_error& error) {
            fmt::print("{} s: {}\n", clock.now().time_since_epoch() / 1s, error.what());
        }
        clock.advance(1s);
    }
    fmt::print("{}\n", breaker.stats().lastTrip->summary);
    return reached == 6 ? 0 : 1;
}
