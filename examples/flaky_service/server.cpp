// SPDX-License-Identifier: MIT
// flaky_server: a real HTTP server on loopback that is healthy, then fails, then hangs, then
// recovers. flaky_service starts it; by hand:  flaky_server 4000 5000 5000 6000
//
//   GET  /work    (service port)  answers as the present phase says, and is counted
//   GET  /hello   (service port)  always 200, not counted: for connecting before the clock runs
//   POST /start   (admin port)    the script begins now
//   POST /hang    (admin port)    requests are held from now on, whatever the script says
//   POST /heal    (admin port)    those are answered, and the script goes on
//   GET  /stats   (admin port)    the requests that reached /work, one line a phase; a request
//                                 that is held counts as one of the phase "hangs"
//
// The first line on stdout is "<service port> <admin port>". It ends when its stdin closes, so that
// it cannot survive the program that started it, however that program ended.

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <httplib.h>

#include "arguments.hpp"
#include "script.hpp"

namespace flaky {
namespace {

class Service {
public:
    explicit Service(const Script& script) : script_{script} {}

    void start() { zero_ = Clock::now(); }

    void hang() {
        if (!hangs(changes_)) ++changes_;
    }
    void heal() {
        if (hangs(changes_)) ++changes_;
        changes_.notify_all();
    }

    void work(httplib::Response& response) {
        const unsigned changes = changes_;
        const Phase phase = hangs(changes) ? Phase::Hangs : script_.at(Clock::now() - zero_.load());
        const int number = ++reached_[indexOf(phase)];
        response.status = 200;
        if (hangs(changes)) {
            changes_.wait(changes);
        } else if (phase == Phase::Hangs) {
            std::this_thread::sleep_for(kHold);
        }
        // A sick service is rarely sick all through: every tenth request gets by.
        if (phase == Phase::Errors && number % 10 != 0) response.status = number % 2 ? 500 : 503;
        response.set_content(fmt::format("{}\n", toString(phase)), "text/plain");
    }

    [[nodiscard]] std::string stats() const {
        std::string text;
        for (const Phase phase : kPhases) {
            text += fmt::format("{} {}\n", toString(phase), reached_[indexOf(phase)].load());
        }
        return text;
    }

private:
    [[nodiscard]] static bool hangs(unsigned changes) { return changes % 2 == 1; }

    Script script_;
    // From healthy to hanging and back: a number, so that whoever waits for one hang to end cannot
    // miss that by the next.
    std::atomic<unsigned> changes_{0};
    std::atomic<Clock::time_point> zero_{Clock::time_point::max()};  // healthy until started
    PerPhase<std::atomic<int>> reached_{};
};

Script scriptFrom(int argc, char** argv) {
    PerPhase<milliseconds> lengths{};
    if (argc != 1 + static_cast<int>(lengths.size())) {
        throw BadArgument{"expected four lengths in milliseconds: HEALTHY ERRORS HANGS RECOVERED"};
    }
    for (const Phase phase : kPhases) {
        const char* const text = argv[1 + indexOf(phase)];
        lengths[indexOf(phase)] = milliseconds{parseNumber(toString(phase), text, 1, 3'600'000)};
    }
    return Script{lengths};
}

int bindTo(httplib::Server& server, std::size_t threads) {
    server.new_task_queue = [threads] { return new httplib::ThreadPool(threads); };
    const int port = server.bind_to_any_port("127.0.0.1");
    if (port <= 0) throw std::runtime_error{"cannot bind a port on 127.0.0.1"};
    return port;
}

void serve(const Script& script) {
    Service service{script};

    httplib::Server front;
    front.Get("/work", [&](const httplib::Request&, httplib::Response& out) { service.work(out); });
    front.Get("/hello", [](const httplib::Request&, httplib::Response& out) { out.status = 200; });
    // A connection lives as long as its client: one that the server closed just as a request came
    // would look like a failure that is in no script.
    front.set_keep_alive_timeout(3600);
    front.set_keep_alive_max_count(1'000'000'000);
    front.set_tcp_nodelay(true);

    // A server of its own, so that requests which hang cannot hold up the questions about them.
    httplib::Server admin;
    const auto onPost = [&](const char* path, void (Service::*order)()) {
        admin.Post(path, [&service, order](const httplib::Request&, httplib::Response& out) {
            (service.*order)();
            out.status = 200;
        });
    };
    onPost("/start", &Service::start);
    onPost("/hang", &Service::hang);
    onPost("/heal", &Service::heal);
    admin.Get("/stats", [&](const httplib::Request&, httplib::Response& out) {
        out.set_content(service.stats(), "text/plain");
    });

    // Each caller keeps one thread busy, and kHold / kCallTimeout more with requests it gave up on.
    // While the server hangs by order, there are some 70 callers.
    const int port = bindTo(front, 128);
    const int adminPort = bindTo(admin, 2);
    std::thread{[&] { front.listen_after_bind(); }}.detach();
    std::thread{[&] { admin.listen_after_bind(); }}.detach();

    fmt::print("{} {}\n", port, adminPort);
    std::fflush(stdout);
    while (std::getchar() != EOF) continue;
    // Not `return`: that would wait for requests that are held.
    std::_Exit(EXIT_SUCCESS);
}

}  // namespace
}  // namespace flaky

int main(int argc, char** argv) try {
    flaky::serve(flaky::scriptFrom(argc, argv));
} catch (const flaky::BadArgument& error) {
    fmt::print(stderr, "flaky_server: {}\n", error.what());
    return 2;
} catch (const std::exception& error) {
    fmt::print(stderr, "flaky_server: {}\n", error.what());
    return EXIT_FAILURE;
}
