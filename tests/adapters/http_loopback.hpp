// SPDX-License-Identifier: MIT
// An HTTP server on loopback, and a connection that sends and receives bytes as they are.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace fusebox::test {

/// httplib lets 5 connections wait to be accepted; the others, which the system drops, would try
/// again after seconds.
class PatientServer : public httplib::Server {
public:
    void deepenBacklog() { (void)::listen(svr_sock_, 1024); }
};

/// Listens from `start()` to its end, on any port, or on that which is given.
class LoopbackServer {
public:
    explicit LoopbackServer(std::size_t threads = 8) {
        server_.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
    }
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;
    ~LoopbackServer() { stop(); }

    [[nodiscard]] httplib::Server& server() { return server_; }

    void start(int port = 0) {
        port_ = port != 0 && server_.bind_to_port("127.0.0.1", port)
                    ? port
                    : server_.bind_to_any_port("127.0.0.1");
        server_.deepenBacklog();
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) std::this_thread::yield();
    }
    void stop() {
        if (!thread_.joinable()) return;
        server_.stop();
        thread_.join();
    }

    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] httplib::Client client() const {
        httplib::Client client{"127.0.0.1", port_};
        client.set_url_encode(false);
        client.set_read_timeout(std::chrono::minutes{5});
        return client;
    }

private:
    PatientServer server_;
    int port_ = 0;
    std::thread thread_;
};

/// A connection to it.
class RawConnection {
public:
    explicit RawConnection(int port, int receiveBuffer = 0)
        : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        if (receiveBuffer > 0) {
            ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, sizeof receiveBuffer);
        }
        const timeval patience{120, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        isConnected_ =
            ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;
    ~RawConnection() { close(); }

    [[nodiscard]] bool isConnected() const { return isConnected_; }

    bool send(std::string_view text) const {
        return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }
    /// Receives until the text contains that, or the connection ends.
    std::string receiveUntil(std::string_view end) {
        while (received_.find(end) == std::string::npos && receiveMore()) {
        }
        return received_;
    }
    /// Receives until the connection ends; keeps nothing. Says how much came.
    std::size_t receiveAll() {
        std::size_t size = received_.size();
        while (receiveMore()) {
            size += received_.size();
            received_.clear();
        }
        return size;
    }
    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

private:
    bool receiveMore() {
        char buffer[4096];
        const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
        if (size > 0) received_.append(buffer, static_cast<std::size_t>(size));
        return size > 0;
    }

    int socket_;
    bool isConnected_ = false;
    std::string received_;
};

}  // namespace fusebox::test
