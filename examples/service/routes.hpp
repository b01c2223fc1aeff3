// SPDX-License-Identifier: MIT
// The shop over HTTP: what it answers, also to those who ask for nonsense.
#pragma once

#include <charconv>
#include <exception>
#include <functional>
#include <string>
#include <utility>

#include <httplib.h>
#include <fusebox/adapters/httplib_unavailable.hpp>
#include <fusebox/exposition/json.hpp>
#include <fusebox/fusebox.hpp>
#include <nlohmann/json.hpp>

#include "payment_request.hpp"
#include "shop.hpp"

namespace shop {

using httplib::Request;
using httplib::Response;
/// Says whether a request may change something.
using Authorize = std::function<bool(const Request&)>;

inline void answer(Response& response, int status, const Json& json) {
    response.status = status;
    response.set_header("Cache-Control", "no-store");
    response.set_content(fusebox::jsonText(json), "application/json");
}
inline void answerError(Response& response, int status, const char* text) {
    answer(response, status, {{"error", text}});
}

/// Puts the shop onto a server, and must live for as long as that listens.
class Routes {
public:
    Routes(httplib::Server& server, Shop& shop, Authorize authorize)
        : server_(server), shop_(shop), authorize_(std::move(authorize)) {}
    Routes(const Routes&) = delete;
    Routes& operator=(const Routes&) = delete;

    void mount() {
        get(R"(/users/([0-9]{1,9}))", &Routes::user);
        get("/external/data", &Routes::externalData);
        post("/payments", &Routes::pay);
        get("/jobs", &Routes::jobs);
        get("/faults", &Routes::faults);
        post(R"(/faults/([a-z-]{1,32})/([a-z]{1,32}))", &Routes::setFault);
        // What no route answers, and what httplib itself refuses.
        server_.set_error_handler([](const Request&, Response& response) {
            if (!response.body.empty()) return;
            const int status = response.status;
            answerError(response, status, status == 404 ? "there is nothing here" : "bad request");
        });
    }

private:
    using Handler = void (Routes::*)(const Request&, const std::string& body, Response&);

    void user(const Request& request, const std::string&, Response& response) {
        int id = 0;
        const std::string digits = request.matches[1];
        std::from_chars(digits.data(), digits.data() + digits.size(), id);
        const auto name = shop_.user(id);
        if (!name) return answerError(response, 404, "there is no such user");
        answer(response, 200, {{"user", {{"id", id}, {"name", *name}}}});
    }

    void externalData(const Request&, const std::string&, Response& response) {
        const auto rates = shop_.rates();
        if (!rates) return answer(response, 200, {{"data", Json::object()}, {"cached", true}});
        answer(response, 200, {{"data", *rates}, {"cached", false}});
    }

    void pay(const Request&, const std::string& body, Response& response) {
        const bool charged = shop_.pay(paymentFrom(body)) == Shop::Paid::Charged;
        answer(response, charged ? 200 : 202, {{"status", charged ? "charged" : "queued"}});
    }

    void jobs(const Request&, const std::string&, Response& response) {
        answer(response, 200, {{"jobs", shop_.jobs()}, {"queuedPayments", shop_.queuedPayments()}});
    }

    void faults(const Request&, const std::string&, Response& response) {
        Json json = Json::object();
        for (const char* name : {"database", "cache", "external-api"}) {
            json[name] = toString(shop_.dependency(name)->fault());
        }
        answer(response, 200, json);
    }

    void setFault(const Request& request, const std::string& body, Response& response) {
        if (!authorize_(request)) return answerError(response, 403, "not authorized");
        Dependency* const dependency = shop_.dependency(request.matches[1].str());
        if (!dependency) return answerError(response, 404, "there is no such dependency");
        const auto fault = faultOf(request.matches[2].str());
        if (!fault) return answerError(response, 404, "there is no such fault; ok, fail or hang");
        dependency->setFault(*fault);
        faults(request, body, response);
    }

    // [guarded]
    /// A handler that answers whatever goes wrong: 503 with Retry-After for a breaker that rejects,
    /// 504 and 502 for a dependency that is late or fails.
    [[nodiscard]] auto guarded(Handler handler, std::string body = {}) {
        return fusebox::answeringUnavailable(
            [this, handler, body = std::move(body)](const Request& request, Response& response) {
                try {
                    (this->*handler)(request, body, response);
                } catch (const fusebox::CircuitOpenError&) {
                    throw;
                } catch (const BadRequest& error) {
                    answerError(response, 400, error.what());
                } catch (const fusebox::CallTimeoutError&) {
                    answerError(response, 504, "a dependency did not answer in time");
                } catch (const std::exception&) {
                    answerError(response, 502, "a dependency failed");
                }
            });
    }
    // [/guarded]

    void get(const char* pattern, Handler handler) {
        server_.Get(pattern, guarded(handler));
        server_.Post(pattern, refusing("GET, HEAD"));
        refuseOthers(pattern, "GET, HEAD");
    }
    void post(const char* pattern, Handler handler) {
        server_.Post(pattern, withBody([this, handler](const Request& request, Response& response,
                                                       std::string body) {
                         guarded(handler, std::move(body))(request, response);
                     }));
        server_.Get(pattern, [](const Request&, Response& response) { refuse(response, "POST"); });
        refuseOthers(pattern, "POST");
    }
    void refuseOthers(const char* pattern, const char* allowed) {
        server_.Put(pattern, refusing(allowed));
        server_.Patch(pattern, refusing(allowed));
        // One for those with a body and one for those without.
        server_.Delete(pattern, refusing(allowed));
        server_.Delete(
            pattern, [allowed](const Request&, Response& response) { refuse(response, allowed); });
    }

    static void refuse(Response& response, const char* allowed) {
        response.set_header("Allow", allowed);
        answerError(response, 405, "the method is not allowed here");
    }
    [[nodiscard]] static httplib::Server::HandlerWithContentReader refusing(const char* allowed) {
        return withBody([allowed](const Request&, Response& response, const std::string&) {
            refuse(response, allowed);
        });
    }

    /// Reads the body first. httplib by itself waits for one until the connection ends if a request
    /// does not say how long it is; such a request has none (RFC 9112, 6.3).
    template <class Handle>
    [[nodiscard]] static httplib::Server::HandlerWithContentReader withBody(Handle handle) {
        return [handle](const Request& request, Response& response,
                        const httplib::ContentReader& content) {
            std::string body;
            const auto keep = [&](const char* data, std::size_t size) {
                body.append(data, size);
                return true;
            };
            const bool has =
                request.has_header("Content-Length") || request.has_header("Transfer-Encoding");
            if (has && !content(keep)) {
                const bool tooLarge = response.status == 413;
                return answerError(response, tooLarge ? 413 : 400, "the body cannot be read");
            }
            handle(request, response, std::move(body));
        };
    }

    httplib::Server& server_;
    Shop& shop_;
    Authorize authorize_;
};

}  // namespace shop
