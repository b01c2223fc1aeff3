// SPDX-License-Identifier: MIT
// A real TCP server on loopback that behaves in one of the ways in which servers do.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/net.hpp"

namespace fusebox::test {

enum class Behaviour {
    Answers,     ///< Sends "pong\n" for every line.
    Refuses,     ///< Nobody listens.
    Resets,      ///< Accepts, and resets.
    BlackHole,   ///< Accepts, and never answers.
    HalfCloses,  ///< Sends "po", and ends its side.
    Drips,       ///< Sends a byte every few milliseconds, and never a whole line.
};

/// Runs on a thread of its own while it lives.
class Loopback {
public:
    explicit Loopback(Behaviour behaviour) : behaviour_(behaviour) {
        acceptor_.listen();
        endpoint_ = acceptor_.local_endpoint();
        if (behaviour == Behaviour::Refuses) {
            acceptor_.close();
            return;
        }
        accept();
        thread_ = std::thread{[this] { io_.run(); }};
    }
    ~Loopback() {
        io_.stop();
        if (thread_.joinable()) thread_.join();
    }

    [[nodiscard]] tcp::endpoint endpoint() const { return endpoint_; }
    [[nodiscard]] int accepted() const { return accepted_.load(); }

private:
    struct Connection {
        explicit Connection(tcp::socket s) : socket(std::move(s)), timer(socket.get_executor()) {}
        tcp::socket socket;
        net::steady_timer timer;
        std::string buffer{};
    };

    void accept() {
        acceptor_.async_accept([this](const ErrorCode& error, tcp::socket socket) {
            if (error) return;
            accepted_.fetch_add(1);
            serve(std::make_shared<Connection>(std::move(socket)));
            accept();
        });
    }

    void serve(const std::shared_ptr<Connection>& connection) {
        switch (behaviour_) {
            case Behaviour::Answers: answer(connection); break;
            case Behaviour::Refuses: break;
            case Behaviour::Resets:
                connection->socket.set_option(net::socket_base::linger(true, 0));
                break;
            case Behaviour::BlackHole: kept_.push_back(connection); break;
            case Behaviour::HalfCloses:
                net::write(connection->socket, net::buffer("po", 2));
                connection->socket.shutdown(tcp::socket::shutdown_send);
                kept_.push_back(connection);
                break;
            case Behaviour::Drips: drip(connection); break;
        }
    }

    void answer(const std::shared_ptr<Connection>& connection) {
        net::async_read_until(connection->socket, net::dynamic_buffer(connection->buffer), '\n',
                              [this, connection](const ErrorCode& error, std::size_t n) {
                                  if (error) return;
                                  connection->buffer.erase(0, n);
                                  net::async_write(
                                      connection->socket, net::buffer("pong\n", 5),
                                      [this, connection](const ErrorCode& e, std::size_t) {
                                          if (!e) answer(connection);
                                      });
                              });
    }

    void drip(const std::shared_ptr<Connection>& connection) {
        connection->timer.expires_after(std::chrono::milliseconds{5});
        connection->timer.async_wait([this, connection](const ErrorCode&) {
            net::async_write(connection->socket, net::buffer(".", 1),
                             [this, connection](const ErrorCode& error, std::size_t) {
                                 if (!error) drip(connection);
                             });
        });
    }

    const Behaviour behaviour_;
    net::io_context io_{1};
    tcp::acceptor acceptor_{io_, tcp::endpoint{net::ip::address_v4::loopback(), 0}, false};
    tcp::endpoint endpoint_{};
    std::atomic<int> accepted_{0};
    std::vector<std::shared_ptr<Connection>> kept_{};
    std::thread thread_{};
};

}  // namespace fusebox::test
