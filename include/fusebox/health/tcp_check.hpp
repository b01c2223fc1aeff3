// SPDX-License-Identifier: MIT
// A health check: whether something accepts TCP connections. On POSIX systems.
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "fusebox/health/health_check.hpp"

namespace fusebox {
namespace detail {

/// A stream socket that does not block, closed when destroyed.
class ConnectingSocket {
public:
    explicit ConnectingSocket(const addrinfo& address) noexcept
        : socket_(::socket(address.ai_family, address.ai_socktype, address.ai_protocol)) {
        if (socket_ < 0) return;
        (void)::fcntl(socket_, F_SETFD, FD_CLOEXEC);
        (void)::fcntl(socket_, F_SETFL, ::fcntl(socket_, F_GETFL) | O_NONBLOCK);
    }
    ConnectingSocket(const ConnectingSocket&) = delete;
    ConnectingSocket& operator=(const ConnectingSocket&) = delete;
    ~ConnectingSocket() {
        if (socket_ >= 0) (void)::close(socket_);
    }

    /// 0 once it is connected, else an errno.
    [[nodiscard]] int connect(const addrinfo& address, const HealthCheckContext& context) noexcept {
        if (socket_ < 0) return errno;
        if (::connect(socket_, address.ai_addr, address.ai_addrlen) == 0) return 0;
        if (errno != EINPROGRESS && errno != EINTR) return errno;
        return await(context);
    }

private:
    [[nodiscard]] int await(const HealthCheckContext& context) noexcept {
        using std::chrono::milliseconds;
        // Short waits, so that a manager that is being destroyed need not wait long.
        constexpr milliseconds kLongest{100};
        while (!context.stopRequested()) {
            const auto rest = std::chrono::ceil<milliseconds>(context.remaining());
            if (rest == milliseconds::zero()) return ETIMEDOUT;
            pollfd waiting{socket_, POLLOUT, 0};
            const int ready =
                ::poll(&waiting, 1, static_cast<int>(std::min(rest, kLongest).count()));
            if (ready < 0 && errno != EINTR) return errno;
            if (ready <= 0) continue;
            int error = 0;
            socklen_t size = sizeof error;
            if (::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
            return error;
        }
        return ECANCELED;
    }

    int socket_;
};

/// Tries each address of the host until one accepts.
[[nodiscard]] inline HealthCheckResult connectTo(const std::string& host, std::uint16_t port,
                                                 const HealthCheckContext& context) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string service = std::to_string(port);
    const int unresolved = ::getaddrinfo(host.c_str(), service.c_str(), &wanted, &found);
    const std::string place = host + ":" + service;
    if (unresolved != 0) {
        return HealthCheckResult::unhealthy(place + ": " + ::gai_strerror(unresolved));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses{found, ::freeaddrinfo};
    int error = EADDRNOTAVAIL;
    for (const addrinfo* address = found; address; address = address->ai_next) {
        ConnectingSocket socket{*address};
        error = socket.connect(*address, context);
        if (error == 0) return HealthCheckResult::healthy(place + " accepts connections");
    }
    return HealthCheckResult::unhealthy(place + ": " + std::generic_category().message(error));
}

}  // namespace detail

/// Unhealthy unless a connection to that place can be made within the check's timeout; it is closed
/// at once. Not critical. Looking up the name of a host takes as long as the system takes: use an
/// address where that matters.
[[nodiscard]] inline HealthCheck createTcpHealthCheck(std::string name, std::string host,
                                                      std::uint16_t port) {
    return createHealthCheck(name,
                             [host = std::move(host), port](const HealthCheckContext& context) {
                                 return detail::connectTo(host, port, context);
                             });
}

}  // namespace fusebox
