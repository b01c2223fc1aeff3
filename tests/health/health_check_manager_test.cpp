// SPDX-License-Identifier: MIT
#include "fusebox/health/health_check_manager.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fusebox/fusebox.hpp"
#include "fusebox/health/circuit_breaker_check.hpp"
#include "health/gate.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::HealthGate;
using fusebox::test::waitUntil;

namespace {

HealthCheck checkOf(std::string name, HealthProbe probe, bool critical = false) {
    HealthCheck check = createHealthCheck(name, std::move(probe), critical);
    check.timeout = 10min;  // A busy machine is no failure.
    check.cacheTime = 0s;
    return check;
}

}  // namespace

TEST_CASE("A report names the service and what each check found") {
    HealthCheckManager manager{
        {.serviceName = "payments",
         .version = "1.2.3",
         .checks = {checkOf("result", [] { return HealthCheckResult::healthy("fine"); }),
                    checkOf("bool", [] { return true; }), checkOf("nothing", [] {}),
                    checkOf("context", [](const HealthCheckContext& context) {
                        return context.remaining() > 1min && !context.stopRequested();
                    })}}};
    const auto before = std::chrono::system_clock::now();
    const HealthReport report = manager.executeHealthChecks();
    CHECK(report.status == HealthStatus::Healthy);
    CHECK(report.service == "payments");
    CHECK(report.version == "1.2.3");
    CHECK(report.time >= before);
    REQUIRE(report.checks.size() == 4);
    CHECK(report.checks[0].name == "result");
    CHECK(report.checks[0].message == "fine");
    for (const CheckReport& check : report.checks) {
        CHECK(check.status == HealthStatus::Healthy);
        CHECK_FALSE(check.timedOut);
        CHECK(check.responseTime > 0ns);
        CHECK(check.time >= before);
    }
    CHECK(report.circuitBreakers.empty());
    CHECK(report.httpStatus() == 200);
}

TEST_CASE("Only a critical check makes the service unhealthy") {
    for (const bool critical : {false, true}) {
        HealthCheckManager manager{{.checks = {checkOf(
                                                   "good", [] {}, true),
                                               checkOf(
                                                   "bad", [] { return false; }, critical)}}};
        const HealthReport report = manager.executeHealthChecks();
        CHECK(report.checks[1].status == HealthStatus::Unhealthy);
        CHECK(report.checks[1].critical == critical);
        CHECK(report.status == (critical ? HealthStatus::Unhealthy : HealthStatus::Degraded));
        CHECK(report.ready() == !critical);
        CHECK(report.httpStatus() == (critical ? 503 : 200));
    }
}

TEST_CASE("A critical check that is degraded degrades") {
    HealthCheckManager manager{
        {.checks = {checkOf(
             "disk", [] { return HealthCheckResult::degraded("slow"); }, true)}}};
    CHECK(manager.executeHealthChecks().status == HealthStatus::Degraded);
    CHECK(manager.readiness().ready());
}

TEST_CASE("What a check throws is its failure") {
    HealthCheckManager manager{
        {.checks = {checkOf("error", []() -> bool { throw std::runtime_error{"refused"}; }),
                    checkOf("other", [] { throw 42; })}}};
    const HealthReport report = manager.executeHealthChecks();
    CHECK(report.checks[0].status == HealthStatus::Unhealthy);
    CHECK(report.checks[0].message == "refused");
    CHECK(report.checks[1].status == HealthStatus::Unhealthy);
    CHECK_THAT(report.checks[1].message, ContainsSubstring("no std::exception"));
}

TEST_CASE("A message is cut where it becomes a burden") {
    HealthCheckManager manager{{.checks = {checkOf("long", [] {
                                    return HealthCheckResult::healthy(std::string(100'000, 'x'));
                                })}}};
    CHECK(manager.executeHealthChecks().checks[0].message == std::string(1024, 'x'));
}

TEST_CASE("Checks run beside each other, on threads of their own") {
    // Each waits for the other: one after the other they would never end.
    std::atomic<int> inside{0};
    std::atomic<bool> onCaller{false};
    const auto caller = std::this_thread::get_id();
    const auto meet = [&] {
        if (std::this_thread::get_id() == caller) onCaller = true;
        ++inside;
        return waitUntil([&] { return inside == 2; });
    };
    HealthCheckManager manager{{.checks = {checkOf("a", meet), checkOf("b", meet)}}};
    CHECK(manager.executeHealthChecks().status == HealthStatus::Healthy);
    CHECK_FALSE(onCaller);
}

TEST_CASE("A check that hangs is reported, and not started again before it ends") {
    const HealthGate gate;
    std::atomic<int> runs{0};
    std::atomic<bool> ended{false};
    HealthCheck hangs = checkOf(
        "hangs",
        [&, gate] {
            ++runs;
            gate.pass();
            ended = true;
        },
        true);
    hangs.timeout = 20ms;
    HealthCheckManager manager{{.checks = {hangs, checkOf("good", [] {})}}};
    for (int i = 0; i < 3; ++i) {
        const HealthReport report = manager.executeHealthChecks();
        CHECK(report.status == HealthStatus::Unhealthy);
        CHECK(report.checks[0].timedOut);
        CHECK(report.checks[0].status == HealthStatus::Unhealthy);
        CHECK(report.checks[0].responseTime >= 20ms);
        CHECK_THAT(report.checks[0].message, ContainsSubstring("timed out: still runs after"));
        CHECK_THAT(report.checks[0].message, ContainsSubstring("allowed: 20 ms"));
        CHECK(report.checks[1].status == HealthStatus::Healthy);
        CHECK(runs == 1);
    }
    gate.open();
    CHECK(waitUntil([&] { return ended.load(); }));
    // It runs again, and this time passes the gate at once.
    CHECK(waitUntil([&] { return manager.executeHealthChecks().ready(); }));
    CHECK(runs >= 2);
}

TEST_CASE("A result that came too late is not used again") {
    std::atomic<int> runs{0};
    HealthCheck late = checkOf("late", [&] {
        if (++runs == 1) std::this_thread::sleep_for(30ms);
    });
    late.timeout = 5ms;
    late.cacheTime = 1h;
    HealthCheckManager manager{{.checks = {late}}};
    CHECK(manager.executeHealthChecks().checks[0].timedOut);
    CHECK(waitUntil([&] { return !manager.executeHealthChecks().checks[0].timedOut; }));
    CHECK(runs >= 2);
}

TEST_CASE("A result is used again for its cache time") {
    std::atomic<int> runs{0};
    for (const bool cached : {false, true}) {
        runs = 0;
        HealthCheck check = checkOf("counted", [&] { return ++runs == 1; });
        check.cacheTime = cached ? 1h : 0h;
        HealthCheckManager manager{{.checks = {check}}};
        const HealthReport first = manager.executeHealthChecks();
        const HealthReport second = manager.executeHealthChecks();
        CHECK(runs == (cached ? 1 : 2));
        CHECK((second.checks[0].time == first.checks[0].time) == cached);
        CHECK(second.ready());
    }
    HealthCheck brief = checkOf("brief", [&] { ++runs; });
    brief.cacheTime = 1ms;
    runs = 0;
    HealthCheckManager manager{{.checks = {brief}}};
    CHECK(waitUntil([&] { return manager.executeHealthChecks().ready() && runs >= 3; }));
}

TEST_CASE("Reports at the same time share a run") {
    const HealthGate gate;
    std::atomic<int> runs{0};
    HealthCheckManager manager{{.checks = {checkOf("shared", [&, gate] {
                                    ++runs;
                                    gate.pass();
                                    return HealthCheckResult::healthy("passed");
                                })}}};
    std::vector<HealthReport> reports(8);
    std::vector<std::thread> threads;
    for (HealthReport& report : reports) {
        threads.emplace_back([&] { report = manager.executeHealthChecks(); });
    }
    CHECK(waitUntil([&] { return runs == 1; }));
    std::this_thread::sleep_for(20ms);
    CHECK(runs == 1);
    gate.open();
    for (std::thread& thread : threads) thread.join();
    for (const HealthReport& report : reports) CHECK(report.checks.at(0).message == "passed");
}

TEST_CASE("Readiness runs the critical checks, liveness none") {
    std::atomic<int> critical{0};
    std::atomic<int> other{0};
    HealthCheckManager manager{{.serviceName = "shop",
                                .version = "7",
                                .checks = {checkOf(
                                               "database", [&] { return ++critical < 0; }, true),
                                           checkOf("cache", [&] { ++other; })}}};
    const HealthReport alive = manager.liveness();
    CHECK(alive.status == HealthStatus::Healthy);
    CHECK(alive.service == "shop");
    CHECK(alive.version == "7");
    CHECK(alive.checks.empty());
    CHECK(critical + other == 0);
    const HealthReport ready = manager.readiness();
    CHECK_FALSE(ready.ready());
    REQUIRE(ready.checks.size() == 1);
    CHECK(ready.checks[0].name == "database");
    CHECK(critical == 1);
    CHECK(other == 0);
    CHECK(manager.liveness().ready());
}

TEST_CASE("Checks can be registered while reports are made") {
    HealthCheckManager manager{{}};
    std::atomic<bool> stop{false};
    std::atomic<std::size_t> most{0};
    std::thread reader{[&] {
        while (!stop) most = manager.executeHealthChecks().checks.size();
    }};
    for (int i = 0; i < 50; ++i) {
        manager.registerCheck(checkOf("check " + std::to_string(i), [] {}));
    }
    CHECK(waitUntil([&] { return most == 50; }));
    stop = true;
    reader.join();
}

TEST_CASE("An open breaker degrades, whatever it guards: one that rejects nobody does not") {
    CircuitBreakerRegistry registry;
    const auto payments = registry.create("payments");
    (void)registry.create("accounts");
    HealthCheckManager manager{{.registry = &registry}};
    CHECK(manager.executeHealthChecks().status == HealthStatus::Healthy);
    payments->open();
    const HealthReport report = manager.executeHealthChecks();
    CHECK(report.status == HealthStatus::Degraded);
    CHECK(report.httpStatus() == 200);
    REQUIRE(report.circuitBreakers.size() == 2);
    CHECK(report.circuitBreakers[0].name == "accounts");
    CHECK(report.circuitBreakers[1].state == CircuitState::Open);
    CHECK(manager.readiness().status == HealthStatus::Degraded);
    CHECK(manager.liveness().status == HealthStatus::Healthy);
    payments->setMode(ControlMode::Shadow);
    CHECK(payments->isOpen());
    CHECK(manager.executeHealthChecks().status == HealthStatus::Healthy);
    payments->setMode(ControlMode::ForcedClosed);
    CHECK(manager.executeHealthChecks().status == HealthStatus::Healthy);
    payments->reset();
    payments->setMode(ControlMode::ForcedOpen);
    CHECK(manager.executeHealthChecks().status == HealthStatus::Degraded);
}

TEST_CASE("A check of breakers looks at those that it was given") {
    CircuitBreakerRegistry registry;
    registry.create("open one")->open();
    registry.create("open two")->open();
    (void)registry.create("closed");
    HealthCheck all = createCircuitBreakerHealthCheck(registry);
    HealthCheck some = createCircuitBreakerHealthCheck(registry, {"closed", "missing"}, "some");
    all.timeout = some.timeout = 10min;
    HealthCheckManager manager{{.checks = {all, some}}};
    const HealthReport report = manager.executeHealthChecks();
    CHECK(report.checks[0].status == HealthStatus::Degraded);
    CHECK(report.checks[0].message == "Open: open one, open two");
    CHECK(report.checks[1].status == HealthStatus::Healthy);
}

TEST_CASE("The end of a manager stops its checks and waits for them") {
    std::atomic<bool> begun{false};
    std::atomic<bool> stopped{false};
    HealthCheck patient = checkOf("patient", [&](const HealthCheckContext& context) {
        begun = true;
        while (!context.stopRequested()) std::this_thread::sleep_for(1ms);
        stopped = true;
    });
    patient.timeout = 1ms;
    {
        HealthCheckManager manager{{.checks = {patient}}};
        (void)manager.executeHealthChecks();
        CHECK(waitUntil([&] { return begun.load(); }));
        CHECK_FALSE(stopped);
    }
    CHECK(stopped);
}

TEST_CASE("The end of a manager can leave a check that hangs to itself") {
    const HealthGate gate;
    const auto ended = std::make_shared<std::atomic<bool>>(false);
    HealthCheck hangs = checkOf("hangs", [gate, ended] {
        gate.pass();
        *ended = true;
    });
    hangs.timeout = 1ms;
    {
        HealthCheckManager manager{{.checks = {hangs}, .shutdownTimeout = 5ms}};
        CHECK(manager.executeHealthChecks().checks[0].timedOut);
    }
    CHECK_FALSE(*ended);
    gate.open();
    CHECK(waitUntil([&] { return ended->load(); }));
}

TEST_CASE("Checks that cannot work are refused") {
    HealthCheckManager manager{{.checks = {checkOf("taken", [] {})}}};
    const auto complaint = [&](HealthCheck check) -> std::string {
        try {
            manager.registerCheck(std::move(check));
        } catch (const ConfigError& error) {
            return error.what();
        }
        return {};
    };
    const HealthCheck good = checkOf("good", [] {});
    HealthCheck bad = good;
    bad.name = "";
    CHECK_THAT(complaint(bad), ContainsSubstring("name is 0 bytes long; allowed: 1 to 128 bytes"));
    bad.name = std::string(129, 'x');
    CHECK_THAT(complaint(bad), ContainsSubstring("name is 129 bytes long"));
    bad.name = "circuitBreakers";
    CHECK_THAT(complaint(bad), ContainsSubstring("name is \"circuitBreakers\""));
    bad.name = "taken";
    CHECK_THAT(complaint(bad), ContainsSubstring("name is \"taken\"; allowed: one that no other"));
    bad = good;
    bad.check = {};
    CHECK_THAT(complaint(bad), ContainsSubstring("HealthCheck \"good\": check is empty; allowed"));
    bad = good;
    bad.timeout = 0s;
    CHECK_THAT(complaint(bad), ContainsSubstring("timeout is 0 ns; allowed: a duration above 0"));
    bad.timeout = kForever;
    CHECK_THAT(complaint(bad), ContainsSubstring("timeout is never"));
    bad = good;
    bad.cacheTime = -1s;
    CHECK_THAT(complaint(bad), ContainsSubstring("cacheTime is -1 s; allowed: a duration from 0"));
    CHECK(complaint(good).empty());
    CHECK(manager.executeHealthChecks().checks.size() == 2);
    CHECK_THROWS_AS(HealthCheckManager({.shutdownTimeout = -1s}), ConfigError);
}

TEST_CASE("Reports under load: many readers, one run of each check at a time") {
    std::atomic<int> inside{0};
    std::atomic<int> most{0};
    HealthCheckManager manager{{.checks = {checkOf("alone", [&] {
                                    const int now = ++inside;
                                    if (now > most) most = now;
                                    --inside;
                                })}}};
    std::atomic<int> failures{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 100; ++i) {
                if (!manager.executeHealthChecks().ready()) ++failures;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(failures == 0);
    CHECK(most == 1);
}
