// SPDX-License-Identifier: MIT
#include "fusebox/vocabulary/detail/tick_calibration.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <string>

#include "support/catch.hpp"
#include "vocabulary/made_up_counter.hpp"

using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using fusebox::detail::calibrate;
using fusebox::detail::rateBetween;
using fusebox::detail::TickCalibration;
using fusebox::detail::TickSample;
using fusebox::test::MadeUpCounter;
using std::chrono::nanoseconds;

namespace {

/// A counter whose ticks come from a function of the steady clock.
template <class TicksAt>
struct CounterBy {
    MadeUpCounter machine;
    TicksAt ticksAt;

    [[nodiscard]] std::uint64_t ticks() const {
        return ticksAt(nanoseconds{machine.steady()} - nanoseconds{1h});
    }
    [[nodiscard]] std::int64_t steady() const { return machine.steady(); }
};
template <class TicksAt>
CounterBy(MadeUpCounter, TicksAt) -> CounterBy<TicksAt>;

template <class TicksAt>
std::string complaintAbout(TicksAt ticksAt, const MadeUpCounter& machine = {}) {
    return calibrate(CounterBy{machine, ticksAt}).complaint.value_or("");
}

/// 2 GHz for 2.5 ms, then so much more.
auto changingBy(std::int64_t ppm) {
    return [ppm](nanoseconds now) {
        const nanoseconds later = std::max<nanoseconds>(now - 2500us, 0ns);
        return static_cast<std::uint64_t>(2 * now.count() + later.count() * ppm / 500'000);
    };
}

}  // namespace

TEST_CASE("The middle of a sample is right to within its doubt") {
    constexpr TickSample sample{1'000, 7, 1'061};
    CHECK(sample.middle() == 1'030);
    CHECK(sample.doubt() == 30);
    constexpr TickSample overTheEnd{std::uint64_t{0} - 10, 7, 30};
    CHECK(overTheEnd.middle() == 10);
    CHECK(overTheEnd.doubt() == 20);
    CHECK(ticksBetween(sample, overTheEnd) == -1'020);
}

TEST_CASE("Of several samples the tightest is taken") {
    struct Interrupted {
        MadeUpCounter machine;
        int* samples;
        [[nodiscard]] std::uint64_t ticks() const { return machine.ticks(); }
        [[nodiscard]] std::int64_t steady() const {
            ++*samples;
            if (*samples != 3 && *samples != 4) machine.pass(5us);
            return machine.steady();
        }
    };
    int samples = 0;
    MadeUpCounter machine;
    const nanoseconds begin{machine.machine().steady};
    const TickSample best = fusebox::detail::takeSample(Interrupted{machine, &samples}, 5);
    CHECK(best.doubt() == 50);  // of 20 ns
    CHECK(samples == 5);
    // The first of equal ones: two before it were interrupted, and each took three readings.
    CHECK(nanoseconds{best.steady} - begin == 2 * 5us + 8 * 20ns);
}

TEST_CASE("The pace of an even counter is measured to a few ppm in 4 ms") {
    MadeUpCounter counter;
    counter.machine().ticksPerNanosecond = 2.596154L;
    const nanoseconds before = counter.machine().steady;
    const TickCalibration result = calibrate(counter);
    CHECK_FALSE(result.complaint);
    CHECK(std::abs(rateBetween(result.first, result.last) * 2.596154 - 1) < 5e-6);
    CHECK(counter.machine().steady - before < 4.1ms);
}

TEST_CASE("A thread that is held up measures longer") {
    // During the first spans by much, or by little during the first sample only.
    struct Hold {
        nanoseconds each;
        nanoseconds all;
    };
    const auto hold = GENERATE(Hold{1ms, 20ms}, Hold{6us, 45us});
    MadeUpCounter counter;
    struct HeldUp {
        MadeUpCounter machine;
        nanoseconds each;
        nanoseconds until;
        [[nodiscard]] std::uint64_t ticks() const { return machine.ticks(); }
        [[nodiscard]] std::int64_t steady() const {
            const std::int64_t now = machine.steady();
            if (machine.steady() < until.count()) machine.pass(each);
            return now;
        }
    };
    const HeldUp heldUp{counter, hold.each, counter.machine().steady + hold.all};
    const TickCalibration result = calibrate(heldUp);
    CHECK_FALSE(result.complaint);
    CHECK(std::abs(rateBetween(result.first, result.last) * 2.5 - 1) < 5e-6);
}

TEST_CASE("A counter whose pace changes is refused") {
    const auto checkRefused = [](const std::string& sentence) {
        CHECK_THAT(sentence, ContainsSubstring("pace of the counter is ") &&
                                 ContainsSubstring(" MHz, then ") &&
                                 ContainsSubstring("; allowed: the same twice, to 0.1 %"));
    };
    checkRefused(complaintAbout([](nanoseconds now) {
        return static_cast<std::uint64_t>(now.count() * (now.count() / 1'000));
    }));
    checkRefused(complaintAbout(changingBy(2'000)));
    CHECK(complaintAbout(changingBy(500)).empty());  // less than is noticed
}

TEST_CASE("Paces that differ by exactly 0.1 % are the same") {
    // Both spans take 2.002 ms: 25 readings and 2 ms. The first sample is taken after two readings.
    MadeUpCounter machine;
    machine.machine().reading = 80ns;
    constexpr std::int64_t kSpan = 2'002'000;
    constexpr std::int64_t kFirst = 160;
    const auto ticksOfSecondSpan = [&](std::int64_t ticks) {
        return complaintAbout(
            [ticks](nanoseconds now) {
                // In the middle of a tick at each sample; 500.5 ns each in the first span.
                const std::int64_t since = now.count() - kFirst + 250;
                const std::int64_t later = since - kSpan;
                return static_cast<std::uint64_t>(later < 0 ? since * 2 / 1'001
                                                            : 4'000 + later * ticks / kSpan);
            },
            machine);
    };
    CHECK(ticksOfSecondSpan(4'004).empty());  // of 500 ns
    machine.machine().steady = 1h;
    CHECK_THAT(ticksOfSecondSpan(4'005), ContainsSubstring("the same twice, to 0.1 %"));
}

TEST_CASE("A change of pace that the doubt of the samples may explain is measured again") {
    // All in all a quarter of 0.1 % of a span, 500 ns, is as much as each of four doubts may be.
    MadeUpCounter machine;
    machine.machine().interruption = 440ns;
    CHECK_THAT(complaintAbout(changingBy(2'000), machine), ContainsSubstring("the same twice"));
    machine = {};
    machine.machine().interruption = 520ns;
    CHECK(complaintAbout(changingBy(2'000), machine).empty());  // it changes only once
}

TEST_CASE("A pace in words is rounded to a tenth of a megahertz") {
    CHECK(fusebox::detail::toMegahertz(0.5) == "2000 MHz");
    CHECK(fusebox::detail::toMegahertz(1 / 2.59615) == "2596.2 MHz");
    CHECK(fusebox::detail::toMegahertz(1000) == "1 MHz");
}

TEST_CASE("A counter that goes back is refused") {
    CHECK(complaintAbout([](nanoseconds now) {
              return static_cast<std::uint64_t>(now.count() - (now > 1ms ? 1'000 : 0));
          }) == "counter is going back; allowed: one that only goes forward");
}

TEST_CASE("A counter that stands still or is slower than 1 MHz is refused") {
    const std::string sentence = "pace of the counter is below 1 MHz; allowed: 1 MHz or more";
    CHECK(complaintAbout([](nanoseconds) { return std::uint64_t{7}; }) == sentence);
    CHECK(complaintAbout([](nanoseconds now) { return static_cast<std::uint64_t>(now / 2us); }) ==
          sentence);
    CHECK(complaintAbout([](nanoseconds now) {
              return static_cast<std::uint64_t>(now / 500ns);
          }).empty());
}

TEST_CASE("A counter of exactly 1 MHz is fast enough") {
    MadeUpCounter machine;
    machine.machine().reading = 1us;  // so that there are whole ticks between readings
    CHECK(complaintAbout([](nanoseconds now) { return static_cast<std::uint64_t>(now / 1us); },
                         machine)
              .empty());
}

TEST_CASE("A counter that is a two thousandth slower than 1 MHz is too slow") {
    MadeUpCounter machine;
    machine.machine().reading = 100ns;
    CHECK(complaintAbout(
              [](nanoseconds now) { return static_cast<std::uint64_t>(now.count() * 2 / 2'001); },
              machine) == "pace of the counter is below 1 MHz; allowed: 1 MHz or more");
}

TEST_CASE("A counter that steps back or stops anywhere is refused, or was not measured there") {
    const std::string wentBack = "counter is going back; allowed: one that only goes forward";
    const std::string slow = "pace of the counter is below 1 MHz; allowed: 1 MHz or more";
    int refused = 0;
    // One span ends after 2 ms, the other after 4: while the thread spins, and while it samples.
    for (const nanoseconds end : {nanoseconds{2ms}, nanoseconds{4ms}}) {
        for (nanoseconds at = end; at < end + 20us; at += 200ns) {
            MadeUpCounter machine;
            machine.machine().reading = 200ns;
            const auto result =
                calibrate(CounterBy{machine, [at](nanoseconds now) {
                                        return static_cast<std::uint64_t>(
                                            2 * now.count() - (now >= at ? 100'000'000 : 0));
                                    }});
            const std::string complaint = result.complaint.value_or("");
            CHECK((complaint.empty() || complaint == wentBack || complaint == slow));
            refused += !complaint.empty();
        }
    }
    CHECK(refused > 50);
    // It stands still just before the second span.
    CHECK(complaintAbout([](nanoseconds now) {
              return static_cast<std::uint64_t>(2 * std::min<nanoseconds>(now, 1900us).count());
          }) == slow);
}

TEST_CASE("A counter that cannot be measured with certainty is refused after some attempts") {
    MadeUpCounter machine;
    machine.machine().interruption = 5us;  // longer than would settle a tenth of a percent
    const auto begin = machine.machine().steady;
    const auto result = calibrate(CounterBy{machine, [](nanoseconds now) {
                                                return static_cast<std::uint64_t>(
                                                    now.count() * (now.count() / 1'000));
                                            }});
    CHECK_THAT(result.complaint.value_or(""), ContainsSubstring("the same twice, to 0.1 %"));
    CHECK(machine.machine().steady - begin > 4 * 2 * nanoseconds{2ms});
    CHECK(machine.machine().steady - begin < 9 * nanoseconds{2ms});
}
