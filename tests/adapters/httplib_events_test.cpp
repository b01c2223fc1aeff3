// SPDX-License-Identifier: MIT
// The stream of events: readers that read, and readers that do not.
//
// needs: httplib
// needs: nlohmann_json
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include "adapters/http_loopback.hpp"
#include "fusebox/adapters/httplib_admin.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"
#include "support/wait_until.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::LoopbackServer;
using fusebox::test::RawConnection;
using fusebox::test::waitUntil;
using nlohmann::json;

namespace {

/// Reads events on a thread of its own, until its end.
class Reader {
public:
    explicit Reader(const LoopbackServer& server, const std::string& path = "/events")
        : client_(server.client()) {
        thread_ = std::thread{[this, path] {
            const auto result = client_.Get(
                path,
                [this](const httplib::Response& response) {
                    const std::lock_guard lock{mutex_};
                    status_ = response.status;
                    type_ = response.get_header_value("Content-Type");
                    changed_.notify_all();
                    return true;
                },
                [this](const char* data, std::size_t size) {
                    const std::lock_guard lock{mutex_};
                    text_.append(data, size);
                    changed_.notify_all();
                    return !stop_;
                });
            const std::lock_guard lock{mutex_};
            ended_ = true;
            changed_.notify_all();
        }};
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() {
        stop_ = true;
        client_.stop();
        thread_.join();
    }

    /// Waits, for as long as a busy machine may need.
    bool waitFor(const std::string& part) {
        std::unique_lock lock{mutex_};
        const auto isThere = [&] { return text_.find(part) != std::string::npos; };
        return changed_.wait_for(lock, 5min, [&] { return ended_ || isThere(); }) && isThere();
    }
    bool waitForEnd() {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, 5min, [&] { return ended_; });
    }
    [[nodiscard]] std::string text() {
        const std::lock_guard lock{mutex_};
        return text_;
    }
    [[nodiscard]] int status() {
        const std::lock_guard lock{mutex_};
        return status_;
    }
    [[nodiscard]] std::string type() {
        const std::lock_guard lock{mutex_};
        return type_;
    }
    /// The data of the events of a kind.
    [[nodiscard]] std::vector<json> events(const std::string& kind) {
        std::vector<json> all;
        const std::string all_text = text();
        const std::string head = "event: " + kind + "\ndata: ";
        for (auto at = all_text.find(head); at != std::string::npos;
             at = all_text.find(head, at + 1)) {
            const auto begin = at + head.size();
            const auto end = all_text.find("\n\n", begin);
            if (end != std::string::npos) {
                all.push_back(json::parse(all_text.substr(begin, end - begin), nullptr, false));
            }
        }
        return all;
    }

private:
    httplib::Client client_;
    std::atomic<bool> stop_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string text_;
    std::string type_;
    int status_ = 0;
    bool ended_ = false;
    std::thread thread_;
};

struct EventService {
    explicit EventService(HttplibAdminOptions options = {}) {
        payments = registry.create("payments");
        mountAdmin(loopback.server(), registry, std::move(options));
        loopback.start();
    }

    CircuitBreakerRegistry registry;
    std::shared_ptr<NamedCircuitBreaker> payments;
    LoopbackServer loopback;
};

constexpr const char* kRequest = "GET /events HTTP/1.1\r\nHost: x\r\n\r\n";

}  // namespace

TEST_CASE("A reader gets a snapshot, and then what happens") {
    EventService service;
    Reader reader{service.loopback};
    REQUIRE(reader.waitFor("\n\n"));
    CHECK(reader.status() == 200);
    CHECK(reader.type() == "text/event-stream");
    const auto snapshots = reader.events("SNAPSHOT");
    REQUIRE(snapshots.size() == 1);
    CHECK(snapshots[0]["circuitBreakers"][0]["name"] == "payments");
    CHECK(snapshots[0]["circuitBreakers"][0]["state"] == "CLOSED");

    service.payments->open();
    service.payments->setMode(ControlMode::Shadow);
    (void)service.registry.create("two\nlines\n\nevent: FAKE\ndata: 1");
    service.registry.remove("payments");
    REQUIRE(reader.waitFor("BREAKER_REMOVED\ndata: {"));
    REQUIRE(waitUntil([&] { return reader.events("BREAKER_REMOVED").size() == 1; }));
    const auto changes = reader.events("STATE_CHANGED");
    REQUIRE(changes.size() == 1);
    CHECK(changes[0]["breaker"] == "payments");
    CHECK(changes[0]["to"] == "OPEN");
    CHECK(changes[0]["reason"] == "MANUAL");
    CHECK(reader.events("MODE_CHANGED").at(0)["to"] == "SHADOW");
    CHECK(reader.events("BREAKER_ADDED").at(0)["breaker"] == "two\nlines\n\nevent: FAKE\ndata: 1");
    CHECK(reader.events("FAKE").empty());
}

TEST_CASE("A quiet stream has comments, and snapshots if asked for") {
    EventService service{{.eventHeartbeat = 1ms}};
    Reader reader{service.loopback};
    CHECK(reader.waitFor(": alive\n\n: alive\n\n"));
    CHECK(reader.events("SNAPSHOT").size() == 1);

    EventService other{{.snapshotInterval = 1ms}};
    Reader second{other.loopback};
    CHECK(waitUntil([&] { return second.events("SNAPSHOT").size() >= 3; }));
}

TEST_CASE("A reader that asks for figures gets them, and whole statistics of what has changed") {
    EventService service;
    (void)service.registry.create("mail");
    Reader reader{service.loopback, "/events?figuresMs=100"};
    REQUIRE(waitUntil([&] { return reader.events("FIGURES").size() >= 2; }));
    const json first = reader.events("FIGURES").front();
    CHECK(first["changed"].empty());  // The snapshot has told.
    REQUIRE(first["figures"].size() == 2);
    CHECK(first["figures"][1]["name"] == "payments");
    CHECK(first["figures"][1]["state"] == "CLOSED");
    CHECK(first["figures"][1]["retryAfterMs"].is_null());
    CHECK_FALSE(first["figures"][1].contains("policy"));

    service.payments->execute([] { std::this_thread::sleep_for(1ms); });
    service.payments->open();
    (void)service.registry.create("new");
    const auto find = [&](auto&& holds) {
        return waitUntil([&] {
            const auto all = reader.events("FIGURES");
            return std::any_of(all.begin(), all.end(), holds);
        });
    };
    CHECK(find([](const json& told) {
        return std::any_of(told["changed"].begin(), told["changed"].end(), [](const json& stats) {
            return stats["name"] == "payments" && stats["lastTrip"]["reason"] == "MANUAL";
        });
    }));
    CHECK(find([](const json& told) {
        return std::any_of(told["changed"].begin(), told["changed"].end(),
                           [](const json& stats) { return stats["name"] == "new"; });
    }));
    CHECK(find([](const json& told) {
        return told["figures"].size() == 3 && told["figures"][2]["state"] == "OPEN" &&
               told["figures"][2]["measuredCalls"] == 1 && told["figures"][2]["measuredMs"] >= 1 &&
               told["figures"][2]["retryAfterMs"] > 0 && told["changed"].empty();
    }));
}

TEST_CASE("Figures come soon after an event, however seldom they are asked for") {
    EventService service;
    Reader reader{service.loopback, "/events?figuresMs=60000"};
    REQUIRE(waitUntil([&] { return reader.events("FIGURES").size() == 1; }));
    service.payments->open();
    CHECK(waitUntil([&] { return reader.events("FIGURES").size() == 2; }));
    CHECK(reader.events("FIGURES").back()["changed"].size() == 1);
    for (const char* wrong : {"", "99", "60001", "1e3", "-100", "100x", "99999999999999999999"}) {
        CAPTURE(wrong);
        const auto answer =
            service.loopback.client().Get("/events?figuresMs=" + std::string{wrong});
        REQUIRE(answer);
        CHECK(answer->status == 400);
        CHECK_THAT(answer->body, ContainsSubstring("figuresMs must be a number from 100 to 60000"));
    }
}

TEST_CASE("There are as many readers as there may be, and a place is free when one goes") {
    EventService service{{.maxEventReaders = 2}};
    Reader first{service.loopback};
    auto second = std::make_unique<Reader>(service.loopback);
    REQUIRE(first.waitFor("\n\n"));
    REQUIRE(second->waitFor("\n\n"));
    const auto third = service.loopback.client().Get("/events");
    REQUIRE(third);
    CHECK(third->status == 503);
    CHECK(third->get_header_value("Retry-After") == "10");
    CHECK_THAT(third->body, ContainsSubstring("too many readers"));
    CHECK(service.loopback.client().Head("/events")->status == 200);
    second.reset();
    CHECK(waitUntil([&] {
        Reader fourth{service.loopback};
        return fourth.waitFor("\n\n") && fourth.status() == 200;
    }));
}

TEST_CASE("A reader that vanishes without a word gives its place back") {
    EventService service{{.maxEventReaders = 1}};
    for (int i = 0; i < 4; ++i) {
        // The server notices within moments that the one before is gone.
        CHECK(waitUntil([&] {
            RawConnection raw{service.loopback.port()};
            if (!raw.send(kRequest)) return false;
            return raw.receiveUntil("\n\n").find("200 OK") != std::string::npos;
        }));
    }
}

TEST_CASE(
    "A reader that never reads blocks neither breakers nor others, and loses its connection") {
    EventService service{{.eventQueueLength = 64}};
    RawConnection slow{service.loopback.port(), 4096};
    CHECK(slow.send(kRequest));
    CHECK_THAT(slow.receiveUntil("SNAPSHOT"), ContainsSubstring("200 OK"));
    // Each is a message of more than a kilobyte: far more than sockets and the queue hold.
    constexpr int kRounds = 20'000;
    for (int i = 0; i < kRounds; ++i) {
        service.payments->open();
        service.payments->close();
    }
    CHECK(service.payments->stats().timesOpened == kRounds);
    CHECK(service.payments->stats().listenerErrors == 0);
    CHECK(service.loopback.client().Get("/livez")->status == 200);
    Reader reader{service.loopback};
    REQUIRE(reader.waitFor("SNAPSHOT"));
    service.payments->open();
    CHECK(reader.waitFor("STATE_CHANGED"));
    // It was cut off, well before all that happened.
    CHECK(slow.receiveAll() < 2u * kRounds * 1000u);
}

TEST_CASE("A queue holds what it may, and what is lost stays lost") {
    detail::EventQueue queue{3};
    const auto message = std::make_shared<const std::string>("x");
    std::vector<detail::EventQueue::Message> taken;
    for (int i = 0; i < 3; ++i) queue.push(message);
    CHECK(message.use_count() == 4);
    CHECK(queue.take(0ns, taken));
    CHECK(taken.size() == 3);
    CHECK(queue.take(0ns, taken));
    CHECK(taken.empty());
    for (int i = 0; i < 4; ++i) queue.push(message);
    CHECK(message.use_count() == 1);
    CHECK_FALSE(queue.take(0ns, taken));
    queue.push(message);
    CHECK(message.use_count() == 1);
    CHECK_FALSE(queue.take(1h, taken));
}

TEST_CASE("A server stops while readers listen") {
    EventService service;
    Reader first{service.loopback};
    Reader second{service.loopback};
    REQUIRE(first.waitFor("\n\n"));
    REQUIRE(second.waitFor("\n\n"));
    service.loopback.stop();
    CHECK(first.waitForEnd());
    CHECK(second.waitForEnd());
}

TEST_CASE("Events of many breakers on many threads reach readers that come and go") {
    EventService service{{.maxEventReaders = 8, .eventQueueLength = 100'000}};
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] {
            const auto breaker = service.registry.create("breaker " + std::to_string(t));
            while (!stop) {
                breaker->open();
                breaker->close();
                std::this_thread::sleep_for(1ms);
            }
        });
    }
    Reader steady{service.loopback};
    bool eachGotEvents = true;
    for (int i = 0; i < 5; ++i) {
        Reader brief{service.loopback};
        eachGotEvents = brief.waitFor("STATE_CHANGED") && eachGotEvents;
    }
    const bool steadyGotThem = steady.waitFor("STATE_CHANGED");
    stop = true;
    for (std::thread& thread : threads) thread.join();
    CHECK(eachGotEvents);
    CHECK(steadyGotThem);
    // In order, each `from` the `to` before it.
    std::string last;
    bool inOrder = true;
    for (const json& change : steady.events("STATE_CHANGED")) {
        if (change["breaker"] != "breaker 0") continue;
        inOrder = inOrder && (last.empty() || change["from"] == last);
        last = change["to"];
    }
    CHECK(inOrder);
}
