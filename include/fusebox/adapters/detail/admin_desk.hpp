// SPDX-License-Identifier: MIT
// What the administrators' endpoints answer.
//
// needs: httplib
// needs: nlohmann_json
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "fusebox/adapters/detail/admin_actions.hpp"
#include "fusebox/adapters/detail/breaker_path.hpp"
#include "fusebox/adapters/detail/event_broadcast.hpp"
#include "fusebox/adapters/detail/event_reader.hpp"
#include "fusebox/adapters/detail/health_answers.hpp"
#include "fusebox/adapters/detail/httplib_answers.hpp"
#include "fusebox/adapters/detail/state_history.hpp"
#include "fusebox/adapters/httplib_admin_options.hpp"
#include "fusebox/exposition/json.hpp"
#include "fusebox/exposition/prometheus.hpp"
#include "fusebox/health/health_check_manager.hpp"
#include "fusebox/health/health_report.hpp"
#include "fusebox/registry/circuit_breaker_registry.hpp"

namespace fusebox::detail {

/// Answers one request at a time of many at once.
class AdminDesk {
public:
    using Request = httplib::Request;
    using Response = httplib::Response;

    AdminDesk(CircuitBreakerRegistry& registry, HttplibAdminOptions options)
        : registry_(registry),
          options_(std::move(options)),
          breakersPath_(options_.prefix + "/circuit-breakers/"),
          ownHealth_({.registry = &registry}),
          broadcast_(std::make_shared<EventBroadcast>(
              registry, static_cast<std::size_t>(options_.maxEventReaders),
              static_cast<std::size_t>(options_.eventQueueLength))),
          history_(registry) {}

    /// For everyone: it holds nothing but itself. What it asks for is asked with its reader's word.
    void dashboard(const Request&, Response& response) { answerDashboard(response); }
    /// A browser would take the page's relative addresses for those of the folder above.
    void toDashboard(const Request&, Response& response) {
        response.set_redirect(options_.prefix + "/", 308);
    }

    /// Who may not read gets the status alone: a probe needs no more.
    void liveness(const Request& request, Response& response) {
        answerProbe(request, response, health().liveness());
    }
    void readiness(const Request& request, Response& response) {
        answerProbe(request, response, health().readiness());
    }
    void fullHealth(const Request& request, Response& response) {
        if (!acceptReader(request, response)) return;
        answerHealth(request, response, health().executeHealthChecks());
    }

    void breakersHealth(const Request& request, Response& response) {
        if (!acceptReader(request, response)) return;
        answerBreakersHealth(response, registry_.getAllStats());
    }

    void metrics(const Request& request, Response& response) {
        if (!acceptReader(request, response)) return;
        setSafeHeaders(response);
        response.set_content(prometheusText(registry_, options_.metrics), kPrometheusContentType);
    }

    void allBreakers(const Request& request, Response& response) {
        if (!acceptReader(request, response)) return;
        answerJson(response, 200, registry_.getAllStats());
    }

    void oneBreaker(const Request& request, Response& response) {
        if (!acceptReader(request, response)) return;
        const auto path = pathOf(request, response);
        if (!path) return;
        if (!path->action.empty()) return answerWrongMethod(*path, response);
        const auto view = viewOf(*path, response);
        if (view) answerJson(response, 200, view->stats());
    }

    void control(const Request& request, Response& response) {
        if (!acceptController(request, response)) return;
        const auto path = pathOf(request, response);
        if (!path) return;
        if (path->action.empty()) return answerNotAllowed(response, "GET, HEAD");
        const AdminAction* const action = actionOf(path->action);
        if (!action) return answerError(response, 404, "there is no such action");
        const auto view = viewOf(*path, response);
        if (!view) return;
        action->act(*view);
        nlohmann::ordered_json json = nlohmann::ordered_json::object();
        json["breaker"] = view->name();
        json["action"] = action->word;
        json["state"] = view->state();
        json["mode"] = view->mode();
        answerJson(response, 200, json);
    }

    void events(const Request& request, Response& response) {
        if (!acceptReader(request, response)) return;
        EventReaderPace pace{options_.eventHeartbeat, options_.snapshotInterval, std::nullopt};
        if (!readFiguresPace(request, pace)) {
            return answerError(response, 400, "figuresMs must be a number from 100 to 60000");
        }
        if (request.method == "HEAD") return setEventHeaders(response);  // It reads nothing.
        auto reader = EventReader::join(broadcast_, registry_, pace);
        if (!reader) {
            response.set_header("Retry-After", "10");
            return answerError(response, 503, "there are too many readers of events");
        }
        setEventHeaders(response);
        response.set_chunked_content_provider(
            "text/event-stream",
            [reader = std::move(reader)](std::size_t, httplib::DataSink& sink) {
                return reader->serve(sink);
            });
    }

    void history(const Request& request, Response& response) {
        if (acceptReader(request, response)) answerJson(response, 200, history_.json());
    }

    void wrongBreakerMethod(const Request& request, Response& response) {
        const auto path = pathOf(request, response);
        if (path) answerWrongMethod(*path, response);
    }

private:
    static void setEventHeaders(Response& response) {
        setSafeHeaders(response);
        response.set_header("X-Accel-Buffering", "no");  // Proxies shall hand it on as it comes.
    }

    [[nodiscard]] HealthCheckManager& health() {
        return options_.health ? *options_.health : ownHealth_;
    }

    [[nodiscard]] static bool allows(const AdminHook& hook, const Request& request) noexcept {
#if defined(__cpp_exceptions)
        try {
            return hook(request);
        } catch (...) {
            return false;
        }
#else
        return hook(request);
#endif
    }
    [[nodiscard]] bool mayRead(const Request& request) const noexcept {
        return !options_.authorizeReading || allows(options_.authorizeReading, request);
    }
    [[nodiscard]] bool acceptReader(const Request& request, Response& response) const {
        if (mayRead(request)) return true;
        answerError(response, 403, "not authorized to read");
        return false;
    }
    [[nodiscard]] bool acceptController(const Request& request, Response& response) const {
        if (!options_.authorize) {
            answerError(response, 403,
                        "circuit breakers cannot be changed over HTTP: the server was given no "
                        "authorization hook (HttplibAdminOptions::authorize)");
            return false;
        }
        if (allows(options_.authorize, request)) return true;
        answerError(response, 403, "not authorized to change circuit breakers");
        return false;
    }

    void answerProbe(const Request& request, Response& response, const HealthReport& report) {
        if (mayRead(request)) return answerHealth(request, response, report);
        answerStatus(response, report);
    }

    [[nodiscard]] std::optional<BreakerPath> pathOf(const Request& request,
                                                    Response& response) const {
        BreakerPath path;
        const PathFault fault = readBreakerPath(request.target, breakersPath_, path);
        if (fault == PathFault::None) return path;
        answerError(response, fault == PathFault::TooManyParts ? 404 : 400, toString(fault));
        return std::nullopt;
    }
    [[nodiscard]] std::shared_ptr<CircuitBreakerView> viewOf(const BreakerPath& path,
                                                             Response& response) const {
        auto view = registry_.view(path.name);
        if (!view) answerError(response, 404, "there is no circuit breaker of that name");
        return view;
    }
    static void answerWrongMethod(const BreakerPath& path, Response& response) {
        if (path.action.empty()) return answerNotAllowed(response, "GET, HEAD");
        if (actionOf(path.action)) return answerNotAllowed(response, "POST");
        answerError(response, 404, "there is no such action");
    }

    CircuitBreakerRegistry& registry_;
    const HttplibAdminOptions options_;
    const std::string breakersPath_;
    HealthCheckManager ownHealth_;
    const std::shared_ptr<EventBroadcast> broadcast_;
    StateHistory history_;
};

}  // namespace fusebox::detail
