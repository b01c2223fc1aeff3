// SPDX-License-Identifier: MIT
#include "fusebox/breaker/time_source.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>

#include "support/catch.hpp"
#include "support/clocks.hpp"

using namespace std::chrono_literals;
using fusebox::test::WildClock;
using std::chrono::nanoseconds;

namespace {

/// Every second weak exchange fails for no reason, as it may.
struct WeakPlatform : fusebox::StdPlatform {
    template <class T>
    struct Atomic : std::atomic<T> {
        using std::atomic<T>::atomic;
        bool fails = false;

        bool compare_exchange_weak(T& expected, T desired, std::memory_order success,
                                   std::memory_order failure) noexcept {
            fails = !fails;
            if (!fails) {
                return std::atomic<T>::compare_exchange_strong(expected, desired, success, failure);
            }
            expected = this->load(failure);
            return false;
        }
    };
};

}  // namespace

TEST_CASE("A reading that was given is never followed by an earlier one") {
    const bool coarse = GENERATE(true, false);
    const WildClock<false> clock{std::make_shared<nanoseconds>(0)};
    const fusebox::detail::TimeSource<WildClock<false>, WeakPlatform> time{clock};
    nanoseconds latest = nanoseconds::min();
    for (const nanoseconds at : {-7s, -9s, 0s, -1s, 20s, 10s, 5s, 25s}) {
        *clock.at = at;
        latest = std::max(latest, at);
        CHECK((coarse ? time.coarseNow() : time.now()) == latest);
    }
}
