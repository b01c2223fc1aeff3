// SPDX-License-Identifier: MIT

#include "hang_forms.hpp"

#include <fusebox/async/execute_on.hpp>
#include <fusebox/async/thread_pool.hpp>

#include <memory>
#include <stop_token>
#include <utility>

namespace flaky {
namespace {

using Client = std::shared_ptr<ServiceClient>;

template <class Ask>
Form overHttp(std::string_view name, Spares spares, Ask ask) {
    return {name, spares, [ask = std::move(ask)](int port) -> Caller {
                return [ask, client = std::make_shared<ServiceClient>(port)](Breaker& breaker) {
                    return ask(breaker, client);
                };
            }};
}

Response askPlainly(Breaker& breaker, const Client& client) {
    return breaker.execute([&] { return client->workHoweverLong(); });
}

Form plain() {
    return overHttp("execute, plain", Spares::Nobody, askPlainly);
}

Form timeLimited() {
    return overHttp("execute, remaining()", Spares::Everybody,
                    [](Breaker& breaker, const Client& client) {
                        return breaker.execute([&](const fusebox::CallContext& context) {
                            return client->work(context.remaining());
                        });
                    });
}

Form stoppable() {
    return overHttp("execute, stop_token", Spares::Everybody,
                    [](Breaker& breaker, const Client& client) {
                        return breaker.execute(
                            [&](const std::stop_token& stop) { return client->workUntil(stop); });
                    });
}

Form inPool() {
    // Eight calls may hang, and others wait for them, but neither for longer than their deadline.
    const auto pool = std::make_shared<fusebox::ThreadPool>(8, 100);
    return overHttp(
        "executeOn, ThreadPool", Spares::Everybody, [pool](Breaker& breaker, const Client& client) {
            // The call may go on when its caller has left: it shares the connection.
            return breaker.executeOn(*pool, [client] { return client->workHoweverLong(); });
        });
}

Form watched() {
    Form form = overHttp("execute, detectOverdue", Spares::Newcomers, askPlainly);
    form.detectOverdue = true;
    return form;
}

}  // namespace

std::vector<Form> hangForms() {
    std::vector<Form> forms{plain(), timeLimited(), stoppable(), inPool(), watched()};
    if (auto asio = asioForm()) forms.push_back(*std::move(asio));
    return forms;
}

}  // namespace flaky
