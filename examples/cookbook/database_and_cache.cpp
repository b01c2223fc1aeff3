// SPDX-License-Identifier: MIT
// Three dependencies, three breakers. Users come from the database, or from the cache when the
// database is not asked; both are guarded. An external service is replaced by an empty answer.

#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>
#include <fusebox/testing/manual_clock.hpp>

#include "promises.hpp"

using namespace std::chrono_literals;
using fusebox::CircuitState;
using fusebox::ConsecutiveFailures;
using fusebox::test::ManualClock;

namespace {

/// Stands for a database or a cache server.
class Store {
public:
    std::string get(int id) {
        ++asked;
        if (!up) throw std::runtime_error{"connection lost"};
        const auto found = rows.find(id);
        if (found == rows.end()) throw std::out_of_range{"no such row"};
        return found->second;
    }
    void put(int id, const std::string& row) {
        if (up) rows[id] = row;
    }

    std::map<int, std::string> rows;
    bool up = true;
    int asked = 0;
};

struct Dependencies {
    Store database;
    Store cache;
    bool externalIsUp = true;
};

struct ExternalData {
    std::vector<int> values{};
    bool cached = false;
};

struct Reply {
    int status = 200;
    std::string body{};
    std::chrono::seconds retryAfter{0};
};

using Breaker = fusebox::CircuitBreaker<ManualClock, ConsecutiveFailures>;

// [service]
class Service {
public:
    Service(Dependencies& dependencies, fusebox::CircuitBreakerRegistry& registry,
            ManualClock clock)
        : dependencies_(dependencies),
          database_(join(registry, clock, "database", 5, 30s)),
          cache_(join(registry, clock, "cache", 10, 10s)),
          external_(join(registry, clock, "external-api", 3, 60s)) {}

    /// From the database; from the cache if the database's breaker rejects. The cache's breaker is
    /// asked in the fallback: what it throws leaves.
    std::string user(int id) {
        return database_->execute(
            [&] {
                auto row = dependencies_.database.get(id);
                dependencies_.cache.put(id, row);
                return row;
            },
            fusebox::fallback([&](const fusebox::Rejection&) {
                return cache_->execute([&] { return dependencies_.cache.get(id); });
            }));
    }

    /// An empty answer, marked as such, while the external service is not asked.
    ExternalData external() {
        return external_->execute(
            [&] {
                if (!dependencies_.externalIsUp) throw std::runtime_error{"gateway timeout"};
                return ExternalData{.values = {1, 2, 3}};
            },
            fusebox::fallback(
                [](const fusebox::Rejection&) { return ExternalData{.cached = true}; }));
    }

private:
    /// A breaker that others find by name, to watch and to steer. One probe decides.
    static std::shared_ptr<Breaker> join(fusebox::CircuitBreakerRegistry& registry,
                                         ManualClock clock, const char* name, int threshold,
                                         std::chrono::nanoseconds recovery) {
        auto breaker = std::make_shared<Breaker>(
            name, ConsecutiveFailures{threshold},
            fusebox::CircuitBreakerOptions{.recoveryTimeout = recovery,
                                           .successThreshold = 1,
                                           .classifyError = fusebox::ignoring<std::out_of_range>()},
            clock);
        registry.add(breaker);
        return breaker;
    }

    Dependencies& dependencies_;
    std::shared_ptr<Breaker> database_;
    std::shared_ptr<Breaker> cache_;
    std::shared_ptr<Breaker> external_;
};
// [/service]

/// The HTTP answer to "GET /users/<id>".
Reply getUser(Service& service, int id) {
    try {
        return {200, service.user(id)};
    } catch (const std::out_of_range& error) {
        return {404, error.what()};
    } catch (const fusebox::CircuitOpenError& error) {
        return {503, error.what(), std::chrono::ceil<std::chrono::seconds>(error.retryAfter())};
    } catch (const std::exception& error) {
        return {502, error.what()};
    }
}

// [any_open]
/// Degraded as long as any breaker is open.
bool isDegraded(const fusebox::CircuitBreakerRegistry& registry) {
    for (const auto& breaker : registry.getAll()) {
        if (breaker->isOpen()) return true;
    }
    return false;
}
// [/any_open]

// [reset_one]
/// What stands behind "POST /admin/breaker/<name>/reset".
Reply resetBreaker(fusebox::CircuitBreakerRegistry& registry, std::string_view name) {
    if (!registry.reset(name)) return {404, "breaker not found"};
    return {200, fmt::format("{} was reset", name)};
}
// [/reset_one]

}  // namespace

int main() {
    Promises promises;
    ManualClock clock;
    Dependencies dependencies;
    fusebox::CircuitBreakerRegistry registry;
    Service service{dependencies, registry, clock};
    dependencies.database.rows = {{1, "ada"}, {2, "grace"}};

    // [monitor]
    const auto monitor = registry.on<fusebox::StateChanged>([](const fusebox::StateChanged& event) {
        if (event.to == CircuitState::Open) fmt::print("alert: {} is open\n", event.breaker);
        if (event.to == CircuitState::Closed) fmt::print("{} is well again\n", event.breaker);
    });
    // [/monitor]

    promises.check(getUser(service, 1).body == "ada", "users come from the database");
    for (int i = 0; i < 20; ++i) getUser(service, 99);
    promises.check(!isDegraded(registry), "a missing row is not the database's failure");

    dependencies.database.up = false;
    for (int i = 0; i < 5; ++i) promises.check(getUser(service, 1).status == 502, "502");
    promises.check(isDegraded(registry), "five failures open the database's circuit");
    dependencies.database.asked = 0;
    promises.check(getUser(service, 1).body == "ada", "then users come from the cache");
    promises.check(getUser(service, 2).status == 404, "if it has them");
    promises.check(dependencies.database.asked == 0, "and the database is not asked");

    dependencies.cache.up = false;
    for (int i = 0; i < 10; ++i) getUser(service, 1);
    const Reply both = getUser(service, 1);
    fmt::print("{} {}\n", both.status, both.body);
    promises.check(both.status == 503 && both.retryAfter == 10s,
                   "with both circuits open: 503, and the cache's time to retry");

    dependencies.externalIsUp = false;
    for (int i = 0; i < 3; ++i) {
        try {
            service.external();
        } catch (const std::exception&) {
        }
    }
    promises.check(service.external().cached, "the external service is replaced");

    clock.advance(30s);
    dependencies.database.up = true;
    promises.check(getUser(service, 2).body == "grace", "one probe finds the database well");
    promises.check(registry.view("database")->state() == CircuitState::Closed, "and closes it");
    promises.check(resetBreaker(registry, "external-api").status == 200, "reset by hand");
    promises.check(resetBreaker(registry, "nonsense").status == 404, "or not, if unknown");

    // [metrics]
    for (const auto& stats : registry.getAllStats()) {
        fmt::print("{:<14}{:<10}opened {} times, closed {} times, {} failures\n", stats.name,
                   toString(stats.state), stats.timesOpened, stats.timesClosed,
                   stats.totalFailures);
    }
    // [/metrics]
    promises.check(registry.view("database")->stats().timesOpened == 1, "openings are counted");
    return promises.exitCode();
}
