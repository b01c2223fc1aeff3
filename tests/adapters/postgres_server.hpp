// SPDX-License-Identifier: MIT
// A PostgreSQL of our own in a folder that goes with it, reached through a socket in that folder.
#pragma once

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fusebox::test {

/// Runs from `start()` to `stop()`, or its end. PostgreSQL refuses to be run by root: then it runs
/// as nobody.
class PostgresServer {
public:
    PostgresServer() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "fusebox_pg_XXXXXX").string();
        if (!::mkdtemp(pattern.data())) throw std::runtime_error{"no folder for PostgreSQL"};
        folder_ = pattern;
        if (isRoot() && ::chown(pattern.c_str(), kNobody, kNobody) != 0) {
            throw std::runtime_error{"cannot give the folder of PostgreSQL away"};
        }
        const pid_t child = run({program("initdb"), "-D", data(), "-U", "fusebox", "--auth=trust",
                                 "--no-sync", "--encoding=UTF8", "--locale=C"});
        int status = 0;
        if (::waitpid(child, &status, 0) != child || status != 0) {
            throw std::runtime_error{"initdb failed"};
        }
    }
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;
    ~PostgresServer() {
        stop();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    void start() {
        process_ =
            run({program("postgres"), "-D", data(), "-k", folder_.string(), "-F", "-c",
                 "listen_addresses=", "-c", "max_connections=10", "-c", "shared_buffers=1MB"});
    }
    /// At once: its connections end.
    void stop() {
        if (process_ <= 0) return;
        signal(SIGCONT);
        signal(SIGQUIT);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }
    /// It accepts connections and does not answer.
    void hang() const { signal(SIGSTOP); }
    void goOn() const { signal(SIGCONT); }

    [[nodiscard]] std::string connectionString(std::string_view database = "postgres") const {
        return "host=" + folder_.string() +
               " user=fusebox connect_timeout=30 dbname=" + std::string{database};
    }

private:
    static constexpr unsigned kNobody = 65534;

    [[nodiscard]] static bool isRoot() { return ::geteuid() == 0; }
    [[nodiscard]] std::string data() const { return (folder_ / "data").string(); }
    void signal(int number) const { ::kill(process_, number); }

    /// Debian keeps these programs out of the path: the newest is taken.
    [[nodiscard]] static std::string program(const std::string& name) {
        std::vector<std::string> found;
        std::error_code none;
        for (const auto& version :
             std::filesystem::directory_iterator{"/usr/lib/postgresql", none}) {
            const auto file = version.path() / "bin" / name;
            if (std::filesystem::exists(file)) found.push_back(file.string());
        }
        return found.empty() ? name : *std::ranges::max_element(found);
    }

    [[nodiscard]] static pid_t run(std::vector<std::string> words) {
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const bool asNobody = isRoot();
        const pid_t child = ::fork();
        if (child != 0) return child;
        // From here on only what is safe in the child of a program with threads.
        const int nothing = ::open("/dev/null", O_RDWR);
        for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            ::dup2(nothing, stream);
        }
        const bool became = !asNobody || (::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 &&
                                          ::setuid(kNobody) == 0);
        if (became && ::chdir("/") == 0) ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }

    std::filesystem::path folder_;
    pid_t process_ = -1;
};

}  // namespace fusebox::test
