// SPDX-License-Identifier: MIT
#include "fusebox/health/health_probe.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;

namespace {

/// What the requirements ask for, and nothing more.
struct Archetype {
    Archetype() = delete;
    explicit Archetype(int) {}
    void operator()() {}
};
struct OnlyMovable {
    std::unique_ptr<int> owned;
    void operator()() {}
};
struct WantsMore {
    void operator()(int) {}
};
struct AnswersText {
    std::string operator()() { return "fine"; }
};
struct OnlyTemporary {
    void operator()() && {}
};

static_assert(HealthProbeFunction<Archetype>);
static_assert(!HealthProbeFunction<OnlyMovable>);
static_assert(!HealthProbeFunction<WantsMore>);
static_assert(!HealthProbeFunction<AnswersText>);
static_assert(!HealthProbeFunction<OnlyTemporary>);

}  // namespace

TEST_CASE("A probe takes each form of function") {
    const std::atomic<bool> stop{false};
    const HealthCheckContext context{std::chrono::steady_clock::now() + 1h, stop};
    CHECK(HealthProbe{[] {}}(context).status == HealthStatus::Healthy);
    CHECK(HealthProbe{[] { return false; }}(context).status == HealthStatus::Unhealthy);
    CHECK(HealthProbe{[] { return HealthCheckResult::degraded("slow"); }}(context).message ==
          "slow");
    const HealthProbe both{[](const HealthCheckContext& given) {
        return given.remaining() > 1min ? HealthCheckResult::healthy("plenty")
                                        : HealthCheckResult::unhealthy("none");
    }};
    CHECK(both(context).message == "plenty");
    const HealthProbe archetype{Archetype{1}};
    CHECK(archetype(context).status == HealthStatus::Healthy);
    CHECK(static_cast<bool>(archetype));
    CHECK_FALSE(static_cast<bool>(HealthProbe{}));
}

TEST_CASE("A context tells what is left, and that it shall stop") {
    std::atomic<bool> stop{false};
    const HealthCheckContext past{std::chrono::steady_clock::now() - 1s, stop};
    CHECK(past.remaining() == 0ns);
    CHECK_FALSE(past.stopRequested());
    stop = true;
    CHECK(past.stopRequested());
}
