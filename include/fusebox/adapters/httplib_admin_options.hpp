// SPDX-License-Identifier: MIT
// What mountAdmin is told.
//
// needs: httplib
// needs: nlohmann_json
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include <httplib.h>

#include "fusebox/exposition/metric_options.hpp"
#include "fusebox/health/health_check_manager.hpp"
#include "fusebox/vocabulary/text.hpp"
#include "fusebox/vocabulary/validation.hpp"

namespace fusebox {

/// Decides about a request; called concurrently, on the server's threads. What throws refuses.
using AdminHook = std::function<bool(const httplib::Request&)>;

/// What `mountAdmin` mounts.
struct HttplibAdminOptions {
    /// Who may change breakers. Empty: nobody, whoever asks is answered 403. A hook that trusts a
    /// cookie alone lets other sites' pages act for whoever is logged in: ask for a header.
    AdminHook authorize{};
    /// Who may read. Empty: everyone who reaches the server. Probes of liveness and readiness are
    /// always answered, to those who may not read with the status alone.
    AdminHook authorizeReading{};
    /// Null: the breakers of the registry are all that is known. Must outlive the server.
    HealthCheckManager* health = nullptr;
    /// Before every path: empty, or such as "/internal" (letters, digits, `-`, `_`, `/`; no slash
    /// at its end).
    std::string prefix{};
    MetricOptions metrics{};
    /// Readers of `/events` at once (1 to 10,000); more are answered 503. Each holds one of the
    /// server's threads, of which httplib makes 8 or more: leave some to others.
    int maxEventReaders = 4;
    /// Events that may wait for a reader (1 to 100,000); one that falls behind by more loses its
    /// connection, and finds everything in the snapshot when it comes again.
    int eventQueueLength = 256;
    /// Silence after which a reader gets a comment, so that nothing on the way gives up (> 0).
    std::chrono::nanoseconds eventHeartbeat = std::chrono::seconds{15};
    /// How often a reader gets a snapshot of all breakers (>= 0). 0: when it comes, and not again.
    std::chrono::nanoseconds snapshotInterval{0};
    /// Whether `/` is the dashboard. The page is for everyone; what it shows is not, see
    /// `authorizeReading`. Each page that is open is a reader of `/events`.
    bool dashboard = true;
};

/// What is wrong with the options: field, value and what is allowed; empty if nothing is.
[[nodiscard]] inline Complaint validate(const HttplibAdminOptions& options) {
    constexpr std::chrono::nanoseconds kZero{0};
    const auto isPlain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"-_/"}.find(c) != std::string_view::npos;
    };
    const std::string& prefix = options.prefix;
    const bool isPrefix = prefix.empty() || (prefix.starts_with('/') && !prefix.ends_with('/') &&
                                             std::ranges::all_of(prefix, isPlain));
    if (!isPrefix) {
        return detail::complain("prefix", "\"" + prefix + "\"",
                                "empty, or a slash and letters, digits, - _ and /, with none at "
                                "the end");
    }
    if (options.snapshotInterval < kZero) {
        return detail::complain("snapshotInterval", detail::toText(options.snapshotInterval),
                                "a duration from 0");
    }
    return detail::firstOf(
        validate(options.metrics),
        detail::requireCount("maxEventReaders", options.maxEventReaders, 1, 10'000),
        detail::requireCount("eventQueueLength", options.eventQueueLength, 1, 100'000),
        detail::requirePositive("eventHeartbeat", options.eventHeartbeat));
}

}  // namespace fusebox
