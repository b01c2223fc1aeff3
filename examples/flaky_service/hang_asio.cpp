// SPDX-License-Identifier: MIT
// A coroutine of Asio as a guarded call: cancelled at its deadline, wherever it waits.

#include "hang_forms.hpp"

#if FLAKY_HAS_ASIO
#include <asio.hpp>
#include <fusebox/adapters/asio.hpp>
#endif

#if FLAKY_HAS_ASIO && FUSEBOX_ASIO_HAS_AWAITABLE

#include <cstdint>
#include <memory>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "arguments.hpp"

namespace flaky {
namespace {

using asio::ip::tcp;
using Socket = std::shared_ptr<tcp::socket>;

constexpr std::string_view kEndOfHead = "\r\n\r\n";

std::string request(std::string_view path) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: localhost{}", path, kEndOfHead);
}

/// Of an answer that begins with, say, "HTTP/1.1 200 OK".
Response responseOf(std::string_view answer) {
    return {.status = parseNumber("status", answer.substr(9, 3), 100, 599)};
}

/// An event loop on a thread of its own.
class Loop {
public:
    ~Loop() {
        io_.stop();
        thread_.join();
    }
    [[nodiscard]] asio::io_context& io() { return io_; }

private:
    asio::io_context io_;
    asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
    std::thread thread_{[this] { io_.run(); }};
};

/// Connected for sure: the server has answered.
Socket connectTo(int port, asio::io_context& io) {
    auto socket = std::make_shared<tcp::socket>(io);
    socket->connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)});
    asio::write(*socket, asio::buffer(request("/hello")));
    std::string answer;
    asio::read_until(*socket, asio::dynamic_buffer(answer), kEndOfHead);
    return socket;
}

asio::awaitable<Response> work(tcp::socket& socket) {
    const std::string question = request("/work");
    co_await asio::async_write(socket, asio::buffer(question), asio::use_awaitable);
    std::string answer;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(answer), kEndOfHead,
                                    asio::use_awaitable);
    co_return responseOf(answer);
}

}  // namespace

std::optional<Form> asioForm() {
    const auto loop = std::make_shared<Loop>();
    return Form{
        kAsioForm, Spares::Everybody, [loop](int port) -> Caller {
            return [loop, socket = connectTo(port, loop->io())](Breaker& breaker) {
                auto guarded = fusebox::asyncExecute(breaker, [&] { return work(*socket); });
                return asio::co_spawn(loop->io(), std::move(guarded), asio::use_future).get();
            };
        }};
}

}  // namespace flaky

#else

namespace flaky {

std::optional<Form> asioForm() {
    return std::nullopt;
}

}  // namespace flaky

#endif
