// SPDX-License-Identifier: MIT
// What each fault looks like over the wire. Where something must not happen, it is given a moment.
#include "drills/fault_proxy.hpp"

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "drills/raw_client.hpp"
#include "support/catch.hpp"

using namespace fusebox::test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using Clock = std::chrono::steady_clock;
using End = RawClient::End;
using Kind = Fault::Kind;

namespace {

constexpr auto kFar = 10'000ms;  // For what must come.
constexpr auto kMoment = 40ms;   // For what must not.
const std::string kEnd = "made up\n";

FaultScript all(Fault fault) {
    return {.steps = {{0ms, fault}}};
}

/// A proxy, and a server behind it that answers everything.
struct Scene {
    Scene() { server.play(all({.kind = Kind::Error, .status = 200})); }

    [[nodiscard]] RawClient connect() {
        RawClient client{proxy.port()};
        CHECK(client.connected(kFar) == 0);
        return client;
    }
    /// What a client that is connected gets for one request.
    RawClient::Received answerTo(RawClient& client) {
        CHECK(client.ask());
        return client.receive(kFar, kEnd);
    }
    [[nodiscard]] int statusFor(RawClient& client) {
        const auto text = answerTo(client).text;
        return text.size() < 12 ? 0 : std::stoi(text.substr(9, 3));
    }
    [[nodiscard]] std::size_t reached() const { return server.requests().size(); }

    FaultProxy server{0};
    FaultProxy proxy{server.port()};
};

}  // namespace

TEST_CASE("A healthy proxy passes on every request of a connection, and its answer") {
    Scene scene;
    RawClient client = scene.connect();
    const auto first = scene.answerTo(client);
    CHECK(first.text == "HTTP/1.1 200 Made up\r\nContent-Length: 8\r\n\r\nmade up\n");
    CHECK(scene.statusFor(client) == 200);
    CHECK(scene.reached() == 2);
    CHECK(scene.server.connections() == 1);
    CHECK(scene.proxy.connections() == 1);
    const auto seen = scene.proxy.requests();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].line == "GET /work HTTP/1.1");
    CHECK(seen[0].forwarded);
    CHECK(seen[0].arrived <= seen[0].left);
    CHECK(seen[0].left <= seen[1].arrived);
}

TEST_CASE("A refusing proxy resets who is there, refuses who comes, and keeps its port") {
    Scene scene;
    RawClient before = scene.connect();
    CHECK(scene.statusFor(before) == 200);
    for (int i = 0; i < 3; ++i) {
        scene.proxy.play(all({.kind = Kind::Refuse}));
        RawClient refused{scene.proxy.port()};
        CHECK(refused.connected(kFar) == ECONNREFUSED);
        scene.proxy.heal();
        RawClient after = scene.connect();
        CHECK(scene.statusFor(after) == 200);
    }
    CHECK(before.receive(kFar).end == End::Reset);
}

TEST_CASE("A proxy that resets when it accepts does so, and resets who is there") {
    Scene scene;
    RawClient before = scene.connect();
    CHECK(scene.statusFor(before) == 200);
    scene.proxy.play(all({.kind = Kind::ResetOnAccept}));
    CHECK(before.receive(kFar).end == End::Reset);
    RawClient client{scene.proxy.port()};
    const int error = client.connected(kFar);
    CHECK((error == ECONNRESET || client.receive(kFar).end == End::Reset));
    CHECK(scene.proxy.requests().size() == 1);
}

TEST_CASE("A proxy that does not accept leaves clients to the backlog, which is short") {
    Scene scene;
    RawClient before = scene.connect();
    CHECK(scene.statusFor(before) == 200);
    scene.proxy.play(all({.kind = Kind::NoAccept}));
    CHECK(before.receive(kFar).end == End::Reset);
    RawClient waiting = scene.connect();  // By the kernel.
    CHECK(waiting.ask());
    CHECK(waiting.receive(kMoment).text.empty());
    std::vector<RawClient> others;
    for (int i = 0; i < 4; ++i) others.emplace_back(scene.proxy.port());
    CHECK(others.back().connected(kMoment) == EINPROGRESS);
    CHECK(scene.proxy.connections() == 0);

    SECTION("When it is healed, those are served") {
        scene.proxy.heal();
        CHECK_THAT(waiting.receive(kFar, kEnd).text, StartsWith("HTTP/1.1 200"));
    }
    SECTION("Who left meanwhile is noted, and not passed on") {
        waiting.close();
        scene.proxy.heal();
        RawClient after = scene.connect();
        CHECK(scene.statusFor(after) == 200);
        const auto seen = scene.proxy.requests();
        REQUIRE(seen.size() == 3);
        CHECK_FALSE(seen[1].forwarded);
        CHECK(seen[1].left <= seen[2].arrived);
    }
}

TEST_CASE("A proxy that resets on a request does not pass it on") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::ResetOnRequest}));
    RawClient client = scene.connect();
    const auto received = scene.answerTo(client);
    CHECK(received.text.empty());
    CHECK(received.end == End::Reset);
    CHECK_FALSE(scene.proxy.requests().front().forwarded);
    CHECK(scene.reached() == 0);
}

TEST_CASE("A proxy that resets in the answer sends half of it") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::ResetInResponse}));
    RawClient client = scene.connect();
    const auto received = scene.answerTo(client);
    CHECK_THAT(received.text, StartsWith("HTTP/1.1 200"));
    CHECK(received.text.size() == 25);
    CHECK(received.end == End::Reset);
    CHECK(scene.reached() == 1);
}

TEST_CASE("A truncated answer lacks its end, and the connection is closed in order") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::Truncate}));
    RawClient client = scene.connect();
    const auto received = scene.answerTo(client);
    CHECK_THAT(received.text, StartsWith("HTTP/1.1 200") && EndsWith("made "));
    CHECK(received.end == End::Closed);
}

TEST_CASE("Garbage is no HTTP") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::Garbage}));
    RawClient client = scene.connect();
    const auto received = scene.answerTo(client);
    CHECK_THAT(received.text, !ContainsSubstring("HTTP/1") && ContainsSubstring("not HTTP"));
    CHECK(received.end == End::Closed);
    CHECK(scene.reached() == 0);
}

TEST_CASE("A half-closed connection ends on one side") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::HalfClose}));
    RawClient client = scene.connect();
    const auto received = scene.answerTo(client);
    CHECK(received.text.empty());
    CHECK(received.end == End::Closed);
    CHECK(client.send("still"));
    CHECK(client.send("there"));
    CHECK(scene.proxy.connections() == 1);
}

TEST_CASE("A black hole answers neither at once nor when it is healed") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::BlackHole}));
    RawClient client = scene.connect();
    CHECK(client.ask());
    CHECK(client.receive(kMoment).text.empty());
    scene.proxy.heal();
    const auto received = client.receive(kMoment);
    CHECK(received.text.empty());
    CHECK(received.end == End::None);
    CHECK(scene.reached() == 0);
    CHECK(scene.proxy.requests().front().left == Clock::time_point::max());
    client.close();
    CHECK(scene.proxy.requests().front().left < Clock::time_point::max());
}

TEST_CASE("Who left is noted before who came later") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::BlackHole}));
    for (int i = 0; i < 50; ++i) {
        RawClient client{scene.proxy.port()};
        REQUIRE(client.connected(kFar) == 0);
        REQUIRE(client.ask());
        while (scene.proxy.requests().size() <= static_cast<std::size_t>(i)) {
            std::this_thread::sleep_for(1ms);
        }
    }
    const auto seen = scene.proxy.requests();
    for (std::size_t i = 1; i < seen.size(); ++i) CHECK(seen[i - 1].left <= seen[i].arrived);
}

TEST_CASE("A delayed answer comes whole, and not before its time") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::Delay, .delay = 30ms, .jitter = 10ms}));
    RawClient client = scene.connect();
    for (int i = 0; i < 3; ++i) {
        const auto asked = Clock::now();
        CHECK(scene.statusFor(client) == 200);
        CHECK(Clock::now() - asked >= 30ms);
    }
}

TEST_CASE("A dripping answer comes whole, byte by byte") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::Drip, .delay = 2ms}));
    RawClient client = scene.connect();
    const auto asked = Clock::now();
    const auto received = scene.answerTo(client);
    CHECK_THAT(received.text, StartsWith("HTTP/1.1 200") && EndsWith(kEnd));
    CHECK(received.pieces > 1);
    CHECK(Clock::now() - asked >= 2ms * (received.text.size() - 1));
}

TEST_CASE("Errors are made up, in bursts if so wished") {
    Scene scene;
    scene.proxy.play(all({.kind = Kind::Error, .status = 500, .burst = 3, .calm = 2}));
    RawClient client = scene.connect();
    std::vector<int> statuses;
    for (int i = 0; i < 8; ++i) statuses.push_back(scene.statusFor(client));
    CHECK(statuses == std::vector{500, 500, 500, 200, 200, 500, 500, 500});
    CHECK(scene.reached() == 2);
}

TEST_CASE("A fault can happen to a share of the requests, as the seed draws it") {
    Scene scene;
    FaultProxy same{scene.server.port()};
    const Fault often{.kind = Kind::Error, .status = 503, .share = 0.7};
    scene.proxy.play(all(often));
    same.play(all(often));
    RawClient client = scene.connect();
    RawClient other{same.port()};
    REQUIRE(other.connected(kFar) == 0);
    int sick = 0;
    bool alike = true;
    for (int i = 0; i < 200; ++i) {
        const int status = scene.statusFor(client);
        alike = alike && status == scene.statusFor(other);
        if (status == 503) ++sick;
    }
    CHECK(alike);
    CHECK(sick > 110);
    CHECK(sick < 170);
}

TEST_CASE("A script goes through its steps, and a periodic one begins again") {
    Scene scene;
    RawClient client = scene.connect();
    const auto awaitStatus = [&](int status) {
        const auto limit = Clock::now() + kFar;
        while (scene.statusFor(client) != status && Clock::now() < limit) continue;
        return Clock::now();
    };
    const auto begun = Clock::now();
    const Fault sick{.kind = Kind::Error, .status = 500};
    const Fault sicker{.kind = Kind::Error, .status = 503};
    scene.proxy.play({.steps = {{0ms, sick}, {30ms, sicker}, {60ms, {}}}, .period = 90ms});
    CHECK(scene.statusFor(client) != 200);
    CHECK(awaitStatus(503) - begun >= 30ms);
    CHECK(awaitStatus(200) - begun >= 60ms);
    CHECK(awaitStatus(500) - begun >= 90ms);
    scene.proxy.heal();
    const auto healed = Clock::now();
    while (Clock::now() - healed < 100ms) CHECK(scene.statusFor(client) == 200);
}

TEST_CASE("A proxy can go while clients are there") {
    std::vector<RawClient> clients;
    {
        Scene scene;
        for (const auto kind : {Kind::BlackHole, Kind::Delay, Kind::Drip, Kind::HalfClose}) {
            scene.proxy.play(all({.kind = kind, .delay = 10s}));
            clients.push_back(scene.connect());
            CHECK(clients.back().ask());
        }
        while (scene.proxy.requests().size() < 4) std::this_thread::sleep_for(1ms);
    }
    for (RawClient& client : clients) CHECK(client.receive(kFar).end != End::None);
}
