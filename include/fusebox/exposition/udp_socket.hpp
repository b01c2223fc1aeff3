// SPDX-License-Identifier: MIT
// Datagrams to one address, on POSIX systems.
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <netdb.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "fusebox/vocabulary/errors.hpp"

namespace fusebox::detail {

/// A connected datagram socket, closed when destroyed. Sending neither waits nor raises a signal.
class UdpSocket {
public:
    /// Resolves the host, once.
    /// @throws ConfigError if it has no address, or none that a socket can be connected to.
    UdpSocket(const std::string& host, std::uint16_t port) {
        addrinfo wanted{};
        wanted.ai_family = AF_UNSPEC;
        wanted.ai_socktype = SOCK_DGRAM;
        addrinfo* found = nullptr;
        const std::string service = std::to_string(port);
        const int error = ::getaddrinfo(host.c_str(), service.c_str(), &wanted, &found);
        if (error != 0) fail(host, ::gai_strerror(error));
        const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses{found, ::freeaddrinfo};
        for (const addrinfo* address = found; address; address = address->ai_next) {
            if (connectTo(*address)) return;
        }
        fail(host, "no address that can be connected to");
    }
    UdpSocket(UdpSocket&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
    UdpSocket& operator=(UdpSocket&& other) noexcept {
        std::swap(socket_, other.socket_);
        return *this;
    }
    ~UdpSocket() { close(); }

    /// Says whether the system took the datagram whole. That it arrives, nobody says; that the one
    /// before did not is known sometimes, and then this one fails.
    [[nodiscard]] bool send(std::string_view datagram) noexcept {
#if defined(MSG_NOSIGNAL)
        constexpr int kFlags = MSG_DONTWAIT | MSG_NOSIGNAL;
#else
        constexpr int kFlags = MSG_DONTWAIT;
#endif
        for (;;) {
            const ssize_t sent = ::send(socket_, datagram.data(), datagram.size(), kFlags);
            if (sent < 0 && errno == EINTR) continue;
            return sent == static_cast<ssize_t>(datagram.size());
        }
    }

private:
    [[noreturn]] static void fail(const std::string& host, const char* reason) {
        raise(ConfigError{"host is \"" + host + "\" (" + reason +
                          "); allowed: a name or address that can be resolved"});
    }

    [[nodiscard]] bool connectTo(const addrinfo& address) noexcept {
        close();
#if defined(SOCK_CLOEXEC)
        constexpr int kType = SOCK_DGRAM | SOCK_CLOEXEC;
#else
        constexpr int kType = SOCK_DGRAM;
#endif
        socket_ = ::socket(address.ai_family, kType, address.ai_protocol);
        return socket_ >= 0 && ::connect(socket_, address.ai_addr, address.ai_addrlen) == 0;
    }

    void close() noexcept {
        if (socket_ >= 0) (void)::close(socket_);
        socket_ = -1;
    }

    int socket_ = -1;
};

}  // namespace fusebox::detail
