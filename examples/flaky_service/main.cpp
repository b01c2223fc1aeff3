// SPDX-License-Identifier: MIT
// flaky_service: what a circuit breaker is for. Eight callers ask a real HTTP server that is
// healthy, then fails, then hangs, then recovers: once directly, once through a breaker. Then it
// only hangs, and calls are guarded in every form there is.

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "arguments.hpp"
#include "guard.hpp"
#include "hang_report.hpp"
#include "interrupt.hpp"
#include "recording.hpp"
#include "report.hpp"
#include "script.hpp"

namespace flaky {
namespace {

constexpr std::string_view kUsage =
    "usage: flaky_service [--seconds N | --quick | --hang | --help]\n"
    "  --seconds N  length of each of the two runs, 7 to 3600; default 20\n"
    "  --quick      the same as --seconds 7\n"
    "  --hang       instead of them, only the hang that follows\n"
    "Exit status: 0 if the guarded calls were protected, 1 if not, 2 for bad arguments.\n";

struct Arguments {
    int seconds = 20;
    bool onlyHang = false;
};

Arguments argumentsFrom(int argc, char** argv) {
    Arguments given;
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--help") {
            fmt::print("{}", kUsage);
            std::exit(EXIT_SUCCESS);
        } else if (argument == "--quick") {
            given.seconds = 7;
        } else if (argument == "--hang") {
            given.onlyHang = true;
        } else if (argument == "--seconds") {
            if (++i == argc) throw BadArgument{"--seconds: needs a number from 7 to 3600"};
            given.seconds = parseNumber(argument, argv[i], 7, 3600);
        } else {
            throw BadArgument{fmt::format(
                "'{}' is not an option; there are --seconds N, --quick, --hang and --help",
                argument)};
        }
    }
    return given;
}

/// flaky_server stands where this program does; a program found through PATH has no folder, and
/// then neither has the server.
std::string serverBeside(const char* program) {
    return std::filesystem::path{program}.replace_filename("flaky_server").string();
}

/// Both runs of the script; true if the guarded one was protected.
bool compareRuns(const std::string& server, const Script& script) {
    fmt::print("Unguarded: {} callers ask the server directly.\n\n", kCallers);
    const Recording unguarded = record(
        server, script, [](ServiceClient& client) { return client.work(kCallTimeout); },
        [] { return std::string_view{"-"}; });

    fmt::print("\nGuarded: the same, through the breaker \"{}\".\n\n", Guard::kName);
    Guard guard;
    const Recording guarded = record(
        server, script, [&](ServiceClient& client) { return guard.call(client); },
        [&] { return toString(guard.state()); });

    const Summary before = summarize(unguarded, script, {});
    const Summary after = summarize(guarded, script, guard.transitions());
    printTable(before, after);
    return printVerdict(before, after);
}

int run(int argc, char** argv) {
    const Arguments given = argumentsFrom(argc, argv);
    const std::string server = serverBeside(argv[0]);
    catchInterrupts();
    // Lines come out as they are printed, also into a pipe.
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);

    const auto script = Script::lasting(std::chrono::seconds{given.seconds});
    const bool isProtected = given.onlyHang || compareRuns(server, script);
    const bool keptPromises = tryForms(server);
    return isProtected && keptPromises ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace flaky

int main(int argc, char** argv) try {
    return flaky::run(argc, argv);
} catch (const flaky::BadArgument& error) {
    fmt::print(stderr, "flaky_service: {}\n", error.what());
    return 2;
} catch (const flaky::Interrupted&) {
    fmt::print(stderr, "flaky_service: interrupted; the server is stopped\n");
    return 130;
} catch (const std::exception& error) {
    fmt::print(stderr, "flaky_service: {}\n", error.what());
    return EXIT_FAILURE;
}
