// SPDX-License-Identifier: MIT
// Answers to HTTP requests, for cpp-httplib.
//
// needs: httplib
// needs: nlohmann_json
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "fusebox/adapters/detail/dashboard_page.hpp"
#include "fusebox/exposition/json.hpp"

namespace fusebox::detail {

/// As it is now, and as what it is said to be.
inline void setSafeHeaders(httplib::Response& response) {
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
}

inline void answerJson(httplib::Response& response, int status, const nlohmann::ordered_json& json,
                       const char* type = "application/json") {
    setSafeHeaders(response);
    response.status = status;
    response.set_content(jsonText(json), type);
}

/// The page. It runs its own script alone, asks its own server alone, and is in nobody's frame:
/// there a click could be led astray.
inline void answerDashboard(httplib::Response& response) {
    setSafeHeaders(response);
    response.set_header("Content-Security-Policy", std::string{kDashboardPolicy});
    response.set_header("X-Frame-Options", "DENY");
    response.set_header("Referrer-Policy", "no-referrer");
    response.set_content(dashboardPage(), "text/html; charset=utf-8");
}

/// `{"error": text}`. The text is ours: nothing that was sent is sent back.
inline void answerError(httplib::Response& response, int status, std::string_view text) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    json["error"] = text;
    answerJson(response, status, json);
}

inline void answerNotAllowed(httplib::Response& response, const char* allowed) {
    response.set_header("Allow", allowed);
    answerError(response, 405, std::string{"the method is not allowed here; allowed: "} + allowed);
}

/// What came of reading a body that nobody wants.
enum class Body { Small, TooLarge, Broken };

/// Reads it to its end without keeping it, since what stays unread would be taken for the next
/// request.
[[nodiscard]] inline Body drain(const httplib::Request& request,
                                const httplib::ContentReader& content) {
    constexpr std::size_t kMost = 4096;
    // Without either there is none (RFC 9112, 6.3); httplib would wait for the connection's end.
    if (!request.has_header("Content-Length") && !request.has_header("Transfer-Encoding")) {
        return Body::Small;
    }
    std::size_t size = 0;
    const bool whole = content([&](const char*, std::size_t length) {
        size += length;
        return true;
    });
    if (!whole) return Body::Broken;
    return size <= kMost ? Body::Small : Body::TooLarge;
}

/// Says whether the request can go on; else it is answered.
[[nodiscard]] inline bool acceptBody(const httplib::Request& request, httplib::Response& response,
                                     const httplib::ContentReader& content) {
    switch (drain(request, content)) {
        case Body::Small: return true;
        case Body::TooLarge:
            answerError(response, 413, "the body is too large; allowed: up to 4096 bytes");
            return false;
        case Body::Broken:
            answerError(response, response.status == 413 ? 413 : 400, "the body cannot be read");
            return false;
    }
    return false;
}

}  // namespace fusebox::detail
