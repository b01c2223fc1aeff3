// SPDX-License-Identifier: MIT
// The primitives that each path cannot do without.
#include "support/floor.hpp"

#include <chrono>
#include <memory>
#include <string>

#include "calls/families.hpp"
#include "support/cases.hpp"

namespace bench {
namespace {

template <class Fixture, class Step>
void addFloor(const std::string& entry, const Fixture& fixture, Step step) {
    add(
        {.what = "floor", .by = "primitives", .entry = entry}, kManyThreads,
        [=] { return std::make_unique<Fixture>(fixture); }, step, unchecked);
}

template <class Step>
void addFloor(const std::string& entry, Step step) {
    addFloor(entry, 0, [=](int) { step(); });
}

}  // namespace

void addFloors() {
    addFloor("call", [] { benchmark::DoNotOptimize(work()); });
    addFloor(floors::kPlain, floors::plain);
    // The same again: how far two equal programs differ is what a run cannot tell apart.
    addFloor(floors::kPlain + " again", floors::plain);
    addFloor(floors::kPermit, floors::permit);
    addFloor(floors::ofPermit(Measuring::Latency, kSteady.name), std::chrono::steady_clock{},
             floors::permitWithLatency<std::chrono::steady_clock>);
    addFloor(floors::kThrow, floors::thrown);
    forEachClock([]<class Clock>(const ClockCase<Clock>& clock) {
        const Clock instance{};
        addFloor(floors::twoReadings(clock.name), instance, floors::latency<Clock>);
        addFloor(floors::oneReading(clock.name), instance, floors::now<Clock>);
        addFloor(floors::coarseReading(clock.name), instance, floors::coarse<Clock>);
        addFloor(floors::rejection(clock.name), instance, floors::rejected<Clock>);
    });
    addFloor(floors::kName, std::string{kName}, [](const std::string& name) {
        floors::hash(name);
        benchmark::DoNotOptimize(work());
    });
}

}  // namespace bench
