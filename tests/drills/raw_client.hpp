// SPDX-License-Identifier: MIT
// A TCP client that sees what really comes over the wire.
#pragma once

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fusebox::test {

/// One connection to a port of this host; never waits for longer than it is told.
class RawClient {
public:
    enum class End { None, Closed, Reset };

    struct Received {
        std::string text{};
        End end = End::None;
        int pieces = 0;
    };

    explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
            error_ = errno;
        }
    }
    RawClient(RawClient&& other) noexcept
        : socket_(std::exchange(other.socket_, -1)), error_(other.error_) {}
    RawClient& operator=(RawClient&&) = delete;
    ~RawClient() { close(); }

    /// 0, the error of connect(), or EINPROGRESS if there was no answer in time.
    [[nodiscard]] int connected(std::chrono::milliseconds patience) {
        if (error_ != EINPROGRESS || !await(POLLOUT, patience)) return error_;
        socklen_t size = sizeof error_;
        ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error_, &size);
        return error_;
    }

    /// Whether it could be handed to the kernel.
    bool send(std::string_view text) {
        return await(POLLOUT, std::chrono::seconds{10}) &&
               ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
                   static_cast<ssize_t>(text.size());
    }
    bool ask() { return send("GET /work HTTP/1.1\r\nHost: here\r\n\r\n"); }

    /// What comes until the connection ends, `until` is its end, or nothing came for so long.
    [[nodiscard]] Received receive(std::chrono::milliseconds patience,
                                   std::string_view until = "\n\n") {
        Received received;
        while (await(POLLIN, patience)) {
            char bytes[512];
            const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
            if (got <= 0) {
                received.end = got == 0 ? End::Closed : End::Reset;
                break;
            }
            received.text.append(bytes, static_cast<std::size_t>(got));
            ++received.pieces;
            if (received.text.ends_with(until)) break;
        }
        return received;
    }

    void close() {
        if (socket_ >= 0) ::close(std::exchange(socket_, -1));
    }

private:
    [[nodiscard]] bool await(short event, std::chrono::milliseconds patience) const {
        pollfd poll{socket_, event, 0};
        return ::poll(&poll, 1, static_cast<int>(patience.count())) > 0;
    }

    int socket_;
    int error_ = 0;
};

}  // namespace fusebox::test
