// SPDX-License-Identifier: MIT
#include "drills/fault_proxy.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <deque>
#include <exception>
#include <future>
#include <list>
#include <random>
#include <string_view>
#include <thread>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/post.hpp>
#include <asio/read.hpp>
#include <asio/read_until.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <asio/write.hpp>

namespace fusebox::test {
namespace {

using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;
using Kind = Fault::Kind;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::string_view kEndOfHead = "\r\n\r\n";
constexpr int kBacklog = 128;

/// The length of an answer whose head is complete.
std::size_t lengthOf(std::string_view head) {
    constexpr std::string_view kField = "Content-Length: ";
    std::size_t body = 0;
    if (const auto at = head.find(kField); at != head.npos) {
        const std::string_view value = head.substr(at + kField.size());
        std::from_chars(value.data(), value.data() + value.size(), body);
    }
    return head.find(kEndOfHead) + kEndOfHead.size() + body;
}

/// Ended at once: the other side is told that there is no such connection.
void reset(tcp::socket& socket) {
    asio::error_code ignored;
    socket.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket.close(ignored);
}

/// Whether the other side has ended the connection, or its half of it.
bool isGone(tcp::socket& socket) {
    if (!socket.is_open()) return true;
    char byte = 0;
    const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

}  // namespace

class FaultProxy::Engine {
    // First, because others must know what it returns.
    /// Runs `action` on the proxy's thread, and gives what it returns.
    template <class Action>
    auto inside(Action action) {
        std::packaged_task<decltype(action())()> task{action};
        asio::post(io_, [&task] { task(); });
        return task.get_future().get();
    }

public:
    Engine(int serverPort, std::uint32_t seed)
        : server_(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(serverPort)),
          random_(seed) {
        // Never listens, and keeps the port while nobody does. Shared only once it is its own: or
        // the kernel might give it one that another proxy is about to share.
        reservation_.open(tcp::v4());
        reservation_.bind({asio::ip::address_v4::loopback(), 0});
        reservation_.set_option(tcp::acceptor::reuse_address{true});
        endpoint_ = reservation_.local_endpoint();
        listen();
        spawn(accept());
        thread_ = std::thread{[this] { io_.run(); }};
    }
    ~Engine() {
        io_.stop();
        thread_.join();
    }

    [[nodiscard]] int port() const { return endpoint_.port(); }

    void play(FaultScript script) {
        inside([&] {
            script_ = std::move(script);
            ++scriptsPlayed_;
            take(script_.steps.empty() ? Fault{} : script_.steps.front().fault);
            if (script_.steps.size() > 1) spawn(perform(scriptsPlayed_, Clock::now()));
        });
    }

    [[nodiscard]] std::vector<SeenRequest> requests() {
        return inside([&] {
            noteDepartures();
            return std::vector<SeenRequest>{requests_.begin(), requests_.end()};
        });
    }

    [[nodiscard]] int connections() {
        return inside([&] { return static_cast<int>(connections_.size()); });
    }

private:
    struct Connection {
        explicit Connection(tcp::socket s) : socket(std::move(s)), server(socket.get_executor()) {}
        tcp::socket socket;
        tcp::socket server;  // Open once it was needed.
        std::string received{};
        SeenRequest* request = nullptr;  // In flight.
    };
    using Place = std::list<Connection>::iterator;

    void spawn(awaitable<void> work) {
        asio::co_spawn(io_, std::move(work), [](const std::exception_ptr& error) {
            if (error) std::rethrow_exception(error);
        });
    }

    awaitable<void> sleepUntil(Clock::time_point time) {
        asio::steady_timer timer{io_, time};
        co_await timer.async_wait(use_awaitable);
    }

    // The script.

    /// All but the first step, which was taken at `zero`.
    awaitable<void> perform(int script, Clock::time_point zero) {
        for (std::size_t i = 1;; ++i) {
            if (i == script_.steps.size()) {
                if (script_.period == milliseconds{0}) co_return;
                zero += script_.period;
                i = 0;
            }
            co_await sleepUntil(zero + script_.steps[i].from);
            if (script != scriptsPlayed_) co_return;
            take(script_.steps[i].fault);
        }
    }

    void take(const Fault& fault) {
        const bool listened = fault_.kind != Kind::Refuse;
        fault_ = fault;
        happened_ = 0;
        if (fault.kind == Kind::Refuse) acceptor_.close();
        if (fault.kind != Kind::Refuse && !listened) listen();
        if (fault.kind == Kind::NoAccept) acceptor_.cancel();
        if (fault.kind != Kind::Refuse)
            acceptor_.listen(fault.kind == Kind::NoAccept ? 0 : kBacklog);
        if (fault.breaksConnections()) {
            for (Connection& connection : connections_) reset(connection.socket);
        }
        changed_.cancel();
    }

    void listen() {
        acceptor_.open(tcp::v4());
        acceptor_.set_option(tcp::acceptor::reuse_address{true});
        acceptor_.bind(endpoint_);
        acceptor_.listen(kBacklog);
    }

    /// What happens to the next request.
    Fault draw() {
        Fault fault = fault_;
        const int number = happened_++;
        if (fault.burst > 0 && number % (fault.burst + fault.calm) >= fault.burst) return {};
        if (fault.share < 1.0 && std::uniform_real_distribution{}(random_) >= fault.share)
            return {};
        if (fault.jitter.count() > 0) {
            fault.delay += milliseconds{std::uniform_int_distribution<int>{
                0, static_cast<int>(fault.jitter.count())}(random_)};
        }
        return fault;
    }

    // Connections.

    awaitable<void> accept() {
        for (;;) {
            asio::error_code error;
            if (fault_.kind == Kind::Refuse || fault_.kind == Kind::NoAccept) {
                co_await changed_.async_wait(asio::redirect_error(use_awaitable, error));
                continue;
            }
            tcp::socket socket{io_};
            co_await acceptor_.async_accept(socket, asio::redirect_error(use_awaitable, error));
            if (error) continue;
            if (fault_.breaksConnections()) {
                reset(socket);
                continue;
            }
            socket.set_option(tcp::no_delay{true}, error);
            spawn(serve(connections_.emplace(connections_.end(), std::move(socket))));
        }
    }

    awaitable<void> serve(Place connection) {
        try {
            while (co_await receive(*connection)) co_await answer(*connection, draw());
        } catch (const std::system_error&) {
            // The connection has ended, by whichever side.
        }
        leave(*connection);
        if (connection->server.is_open()) servers_.push_back(std::move(connection->server));
        connections_.erase(connection);
    }

    /// Whether a request has come, rather than the end.
    awaitable<bool> receive(Connection& connection) {
        asio::error_code error;
        const std::size_t length = co_await asio::async_read_until(
            connection.socket, asio::dynamic_buffer(connection.received), kEndOfHead,
            asio::redirect_error(use_awaitable, error));
        if (error) co_return false;
        noteDepartures();
        const auto line = connection.received.substr(0, connection.received.find('\r'));
        connection.request = &requests_.emplace_back(SeenRequest{line, Clock::now()});
        connection.received.erase(0, length);
        // It may have waited in the backlog for longer than its client did.
        co_return !isGone(connection.socket);
    }

    /// Of clients that left before what is noted next was sent.
    void noteDepartures() {
        for (Connection& connection : connections_) {
            if (connection.request && isGone(connection.socket)) leave(connection);
        }
    }

    void leave(Connection& connection) {
        if (connection.request) connection.request->left = Clock::now();
        connection.request = nullptr;
    }

    // Answers. A request has left before the last of its answer goes: its client may be quick.

    awaitable<void> answer(Connection& connection, Fault fault) {
        switch (fault.kind) {
            case Kind::Error: co_return co_await finish(connection, errorOf(fault.status));
            case Kind::Garbage:
                co_await finish(connection, "\x15\x03 this is not HTTP\r\n");
                co_return connection.socket.close();
            case Kind::HalfClose:
                leave(connection);
                connection.socket.shutdown(tcp::socket::shutdown_send);
                co_return;
            case Kind::NoAccept:
            case Kind::BlackHole: co_return co_await awaitDeparture(connection);
            case Kind::Refuse:
            case Kind::ResetOnAccept:
            case Kind::ResetOnRequest: leave(connection); co_return reset(connection.socket);
            default: co_await spoil(connection, fault, co_await forward(connection));
        }
    }

    static std::string errorOf(int status) {
        return "HTTP/1.1 " + std::to_string(status) +
               " Made up\r\nContent-Length: 8\r\n\r\nmade up\n";
    }

    awaitable<void> spoil(Connection& connection, Fault fault, std::string text) {
        switch (fault.kind) {
            case Kind::Delay: co_await sleepUntil(Clock::now() + fault.delay); break;
            case Kind::Drip:
                for (std::size_t i = 0; i + 1 < text.size(); ++i) {
                    co_await write(connection, text.substr(i, 1));
                    co_await sleepUntil(Clock::now() + fault.delay);
                }
                text.erase(0, text.size() - 1);
                break;
            case Kind::ResetInResponse:
                co_await finish(connection, text.substr(0, text.size() / 2));
                // What is not read yet would be lost by a reset: it is the middle, not the request.
                co_await sleepUntil(Clock::now() + milliseconds{5});
                co_return reset(connection.socket);
            case Kind::Truncate:
                co_await finish(connection, text.substr(0, text.size() - 3));
                co_return connection.socket.close();
            default: break;
        }
        co_await finish(connection, std::move(text));
    }

    awaitable<void> finish(Connection& connection, std::string text) {
        leave(connection);
        co_await write(connection, std::move(text));
    }

    awaitable<void> write(Connection& connection, std::string text) {
        co_await asio::async_write(connection.socket, asio::buffer(text), use_awaitable);
    }

    awaitable<void> awaitDeparture(Connection& connection) {
        std::array<char, 64> unexpected{};
        for (;;) {
            co_await connection.socket.async_read_some(asio::buffer(unexpected), use_awaitable);
        }
    }

    /// The server's answer, complete.
    awaitable<std::string> forward(Connection& connection) {
        SeenRequest& seen = *connection.request;  // It may leave meanwhile.
        // Not the connection's while its state is in between.
        tcp::socket server = std::exchange(connection.server, tcp::socket{io_});
        if (!server.is_open()) server = co_await connect();
        const std::string request = seen.line + "\r\nHost: 127.0.0.1\r\n\r\n";
        seen.forwarded = true;
        co_await asio::async_write(server, asio::buffer(request), use_awaitable);
        std::string text;
        co_await asio::async_read_until(server, asio::dynamic_buffer(text), kEndOfHead,
                                        use_awaitable);
        if (const std::size_t length = lengthOf(text); length > text.size()) {
            co_await asio::async_read(server, asio::dynamic_buffer(text),
                                      asio::transfer_exactly(length - text.size()), use_awaitable);
        }
        connection.server = std::move(server);
        co_return text;
    }

    awaitable<tcp::socket> connect() {
        tcp::socket server{io_};
        if (!servers_.empty()) {
            server = std::move(servers_.back());
            servers_.pop_back();
            co_return server;
        }
        co_await server.async_connect(server_, use_awaitable);
        server.set_option(tcp::no_delay{true});
        co_return server;
    }

    // What coroutines that end with `io_` refer to is before it.
    std::deque<SeenRequest> requests_{};
    FaultScript script_{};
    Fault fault_{};
    int scriptsPlayed_ = 0;
    int happened_ = 0;  // Requests since the present fault began.
    tcp::endpoint server_;
    tcp::endpoint endpoint_{};
    std::mt19937 random_;
    asio::io_context io_{1};
    tcp::acceptor reservation_{io_};
    tcp::acceptor acceptor_{io_};
    asio::steady_timer changed_{io_, Clock::time_point::max()};
    std::list<Connection> connections_{};
    std::vector<tcp::socket> servers_{};  // Connected, and not needed at present.
    std::thread thread_{};
};

FaultProxy::FaultProxy(int serverPort, std::uint32_t seed)
    : engine_(std::make_unique<Engine>(serverPort, seed)) {}
FaultProxy::~FaultProxy() = default;

int FaultProxy::port() const {
    return engine_->port();
}
void FaultProxy::play(FaultScript script) {
    engine_->play(std::move(script));
}
std::vector<SeenRequest> FaultProxy::requests() const {
    return engine_->requests();
}
int FaultProxy::connections() const {
    return engine_->connections();
}

}  // namespace fusebox::test
