// SPDX-License-Identifier: MIT
// A proxy on loopback between an HTTP client and its server, that breaks what goes through it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "drills/fault.hpp"

namespace fusebox::test {

/// A request as the proxy saw it.
struct SeenRequest {
    using Time = std::chrono::steady_clock::time_point;

    std::string line{};       ///< Such as "GET /work HTTP/1.1".
    Time arrived{};           ///< When it was complete.
    Time left = Time::max();  ///< When its answer went, or its client was seen to be gone.
    bool forwarded = false;   ///< Whether the server got it.
};

/// Knows just enough of HTTP to see where a request ends (it has no body) and where an answer does.
/// A client's connection keeps one of its own to the server, which the next one inherits: resets
/// and their like are no events to the server.
///
/// **Time.** A request that arrives after another client left is seen to: before it is noted, those
/// that are in flight are looked at. **Threads.** One of its own; everything may be called
/// concurrently.
class FaultProxy {
public:
    /// Passes everything on to that port of this host. The seed draws jitter and shares.
    /// @throws std::system_error if it cannot listen.
    explicit FaultProxy(int serverPort, std::uint32_t seed = 1);
    ~FaultProxy();
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;

    /// Of 127.0.0.1; stays its own also while it refuses.
    [[nodiscard]] int port() const;

    /// From now on that script holds, instead of the one before; its first step when this returns.
    void play(FaultScript script);
    void heal() { play({}); }

    /// In the order of their arrival.
    [[nodiscard]] std::vector<SeenRequest> requests() const;
    /// How many clients are connected, as far as it knows.
    [[nodiscard]] int connections() const;

private:
    class Engine;
    std::unique_ptr<Engine> engine_;
};

}  // namespace fusebox::test
