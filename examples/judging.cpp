// SPDX-License-Identifier: MIT
// What counts as a failure: for one call, by what it returns or throws; or for the whole breaker.

#include <exception>
#include <stdexcept>
#include <system_error>

#include <fmt/format.h>
#include <fusebox/fusebox.hpp>

namespace {

struct NotFound : std::runtime_error {
    using std::runtime_error::runtime_error;
};

int status() {
    return 502;
}
void find() {
    throw NotFound{"no such user"};
}

template <class Call>
void attempt(const Call& call) {
    try {
        call();
    } catch (const std::exception& error) {
        fmt::print("{}\n", error.what());
    }
}

}  // namespace

int main() {
    fusebox::CircuitBreaker breaker{"users"};

    // [judged_result]
    // 502 is an int like any other; only the caller knows that it is a failure.
    const int code = breaker.execute(fusebox::judgedBy(status, [](int result) {
        return result >= 500 ? fusebox::Outcome::Failure : fusebox::Outcome::Success;
    }));
    // [/judged_result]
    fmt::print("{}\n", code);

    // [ignoring]
    // The server is well when it says that there is no such user.
    attempt([&] { breaker.execute(fusebox::judgedBy(find, fusebox::ignoring<NotFound>())); });
    // [/ignoring]

    // [classify_error]
    // The same for all calls: these exceptions are failures, others say nothing.
    fusebox::CircuitBreaker strict{"files",
                                   {.classifyError = fusebox::countingOnly<std::system_error>()}};
    // [/classify_error]
    attempt([&] { strict.execute(find); });

    const auto stats = breaker.stats();
    fmt::print("{} failure, {} ignored; {} ignored\n", stats.totalFailures, stats.totalIgnored,
               strict.stats().totalIgnored);
    return stats.totalFailures == 1 && stats.totalIgnored == 1 && strict.stats().totalIgnored == 1
               ? 0
               : 1;
}
