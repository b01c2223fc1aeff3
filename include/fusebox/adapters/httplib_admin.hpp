// SPDX-License-Identifier: MIT
// Endpoints for administrators, on a user's httplib::Server: health, metrics, statistics, control,
// events, and a dashboard that shows them.
//
// needs: httplib
// needs: nlohmann_json
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <httplib.h>

#include "fusebox/adapters/detail/admin_desk.hpp"
#include "fusebox/adapters/detail/httplib_answers.hpp"
#include "fusebox/adapters/detail/httplib_ranges.hpp"
#include "fusebox/adapters/httplib_admin_options.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"
#include "fusebox/vocabulary/errors.hpp"

namespace fusebox {
namespace detail {

/// Puts routes to a desk onto a server.
class AdminRoutes {
public:
    using Request = httplib::Request;
    using Response = httplib::Response;
    using ContentReader = httplib::ContentReader;
    using Answer = void (AdminDesk::*)(const Request&, Response&);

    AdminRoutes(httplib::Server& server, std::shared_ptr<AdminDesk> desk, std::string prefix)
        : server_(server), desk_(std::move(desk)), prefix_(std::move(prefix)) {}

    void read(const char* path, Answer answer) {
        const std::string pattern = prefix_ + path;
        server_.Get(pattern, whole(handler(answer)));
        const auto refuse = [](const Request&, Response& response) {
            answerNotAllowed(response, "GET, HEAD");
        };
        server_.Post(pattern, afterBody(refuse));
        refuseOthers(pattern, refuse);
    }

    void breakers() {
        // httplib matches with std::regex, which in libstdc++ recurses for each character: without
        // a bound, a long path would overflow the stack. The server itself answers longer ones.
        const std::string pattern = prefix_ + R"(/circuit-breakers/[\s\S]{0,400})";
        server_.Get(pattern, whole(handler(&AdminDesk::oneBreaker)));
        server_.Post(pattern, afterBody(handler(&AdminDesk::control)));
        refuseOthers(pattern, handler(&AdminDesk::wrongBreakerMethod));
    }

private:
    [[nodiscard]] httplib::Server::Handler handler(Answer answer) const {
        return [desk = desk_, answer](const Request& request, Response& response) {
            (desk.get()->*answer)(request, response);
        };
    }

    template <class Handler>
    [[nodiscard]] static httplib::Server::Handler whole(Handler handle) {
        return [handle = std::move(handle)](const Request& request, Response& response) {
            ignoreRanges(request);
            handle(request, response);
        };
    }

    template <class Handler>
    [[nodiscard]] static httplib::Server::HandlerWithContentReader afterBody(Handler handle) {
        return [handle = std::move(handle)](const Request& request, Response& response,
                                            const ContentReader& content) {
            ignoreRanges(request);
            if (acceptBody(request, response, content)) handle(request, response);
        };
    }

    template <class Handler>
    void refuseOthers(const std::string& pattern, const Handler& refuse) {
        server_.Put(pattern, afterBody(refuse));
        server_.Patch(pattern, afterBody(refuse));
        // One for those with a body and one for those without.
        server_.Delete(pattern, afterBody(refuse));
        server_.Delete(pattern, whole(refuse));
    }

    httplib::Server& server_;
    std::shared_ptr<AdminDesk> desk_;
    std::string prefix_;
};

}  // namespace detail

/// Mounts, below `options.prefix`:
///
/// | method and path | answer |
/// | --- | --- |
/// | GET `/livez`, `/health/liveness` | 200 while the server answers |
/// | GET `/readyz`, `/health/readiness` | 200, or 503 if a critical check fails |
/// | GET `/health` | the whole report, with the same status |
/// | GET `/health/circuit-breakers` | the breakers' states |
/// | GET `/metrics`, `/metrics/circuit-breakers` | for Prometheus, as JSON |
/// | GET `/circuit-breakers`, `/circuit-breakers/{name}` | statistics |
/// | POST `/circuit-breakers/{name}/{action}` | acts, if `options.authorize` says so |
/// | GET `/events` | server-sent events; with `?figuresMs=2000` also the figures, so often |
/// | GET `/events/history` | how each breaker was over the last hour |
/// | GET `/` | the dashboard, a page that shows all this |
///
/// Actions are reset, open, close, force-open, force-closed, shadow and automatic. Reports have the
/// form that `Accept` asks for: application/health+json, Spring's actuator, else ours. Answers are
/// whole, whatever range of bytes is asked for.
///
/// To be called before the server listens. The registry must outlive the server, and the server the
/// last request.
/// @throws ConfigError if the options cannot work.
inline void mountAdmin(httplib::Server& server, CircuitBreakerRegistry& registry,
                       HttplibAdminOptions options = {}) {
    using detail::AdminDesk;
    if (const auto complaint = validate(options)) {
        detail::raise(ConfigError{"HttplibAdminOptions: " + *complaint});
    }
    const std::string prefix = options.prefix;
    const bool withDashboard = options.dashboard;
    detail::AdminRoutes routes{server, std::make_shared<AdminDesk>(registry, std::move(options)),
                               prefix};
    routes.read("/livez", &AdminDesk::liveness);
    routes.read("/health/liveness", &AdminDesk::liveness);
    routes.read("/readyz", &AdminDesk::readiness);
    routes.read("/health/readiness", &AdminDesk::readiness);
    routes.read("/health", &AdminDesk::fullHealth);
    routes.read("/health/circuit-breakers", &AdminDesk::breakersHealth);
    routes.read("/metrics", &AdminDesk::metrics);
    routes.read("/metrics/circuit-breakers", &AdminDesk::allBreakers);
    routes.read("/circuit-breakers", &AdminDesk::allBreakers);
    routes.read("/events", &AdminDesk::events);
    routes.read("/events/history", &AdminDesk::history);
    if (withDashboard) {
        routes.read("/", &AdminDesk::dashboard);
        if (!prefix.empty()) routes.read("", &AdminDesk::toDashboard);
    }
    routes.breakers();
}

}  // namespace fusebox
