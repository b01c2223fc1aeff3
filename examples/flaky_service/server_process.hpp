// SPDX-License-Identifier: MIT
// The server as a child process: running while this object lives.
#pragma once

#include <string>

#include <sys/types.h>

#include "script.hpp"

namespace flaky {

/// Neither copyable nor movable. Whatever happens to this program, the child ends: killed and
/// reaped by the destructor, and if that never runs, by its stdin closing.
class ServerProcess {
public:
    /// Starts `program` and waits for its ports. Throws `std::runtime_error`.
    ServerProcess(const std::string& program, const Script& script);
    ~ServerProcess();
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    [[nodiscard]] int port() const { return port_; }

    /// The script begins now.
    void startScript() const { order("/start"); }

    /// From now on it accepts, and answers no request for work until it is healed; whatever its
    /// script says.
    void hang() const { order("/hang"); }
    /// It answers what it was asked, and goes on with its script.
    void heal() const { order("/heal"); }

    /// How many requests reached the service in each phase, by the server's own count.
    [[nodiscard]] PerPhase<int> requestsReached() const;

private:
    void spawn(const std::string& program, const Script& script);
    void readPorts();
    void order(const char* path) const;
    void end() noexcept;

    pid_t pid_ = -1;
    int channel_ = -1;  // the child's stdin and stdout
    int port_ = 0;
    int adminPort_ = 0;
};

}  // namespace flaky
