// SPDX-License-Identifier: MIT

#include "server_process.hpp"

#include <array>
#include <cerrno>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <httplib.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace flaky {

ServerProcess::ServerProcess(const std::string& program, const Script& script) {
    try {
        spawn(program, script);
        readPorts();
    } catch (...) {
        end();
        throw;
    }
}

ServerProcess::~ServerProcess() {
    end();
}

void ServerProcess::spawn(const std::string& program, const Script& script) {
    std::array<int, 2> ends{};  // ours, the child's
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) != 0) {
        throw std::system_error{errno, std::generic_category(), "socketpair"};
    }
    channel_ = ends[0];
    // The child must not hold our end, or it would never see it close.
    ::fcntl(channel_, F_SETFD, FD_CLOEXEC);

    std::vector<std::string> words{program};
    for (const milliseconds length : script.lengths()) {
        words.push_back(std::to_string(length.count()));
    }
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    const int error =
        ::posix_spawnp(&pid_, program.c_str(), &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) {
        pid_ = -1;
        throw std::system_error{error, std::generic_category(), "cannot start " + program};
    }
}

void ServerProcess::readPorts() {
    std::string line;
    char letter = 0;
    while (::read(channel_, &letter, 1) == 1 && letter != '\n') line += letter;
    if (!(std::istringstream{line} >> port_ >> adminPort_)) {
        throw std::runtime_error{
            fmt::format("flaky_server did not tell its ports, but '{}'", line)};
    }
}

void ServerProcess::end() noexcept {
    if (channel_ >= 0) ::close(channel_);
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
}

void ServerProcess::order(const char* path) const {
    const auto answer = httplib::Client{"127.0.0.1", adminPort_}.Post(path);
    if (!answer || answer->status != 200) {
        throw std::runtime_error{fmt::format("flaky_server did not answer POST {}", path)};
    }
}

PerPhase<int> ServerProcess::requestsReached() const {
    const auto answer = httplib::Client{"127.0.0.1", adminPort_}.Get("/stats");
    if (!answer || answer->status != 200) {
        throw std::runtime_error{"flaky_server did not answer GET /stats"};
    }
    PerPhase<int> reached{};
    std::istringstream lines{answer->body};
    std::string name;
    for (const Phase phase : kPhases) {
        if (!(lines >> name >> reached[indexOf(phase)]) || name != toString(phase)) {
            throw std::runtime_error{fmt::format("unexpected /stats: '{}'", answer->body)};
        }
    }
    return reached;
}

}  // namespace flaky
