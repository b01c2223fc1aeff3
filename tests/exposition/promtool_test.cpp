// SPDX-License-Identifier: MIT
// What Prometheus's own checker says of the text.
//
// needs: program promtool
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "fusebox/exposition/prometheus.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"

using namespace fusebox;

namespace {

/// A file that is there as long as this.
class TemporaryFile {
public:
    TemporaryFile()
        : path_(std::filesystem::temp_directory_path() /
                ("fusebox_promtool_" + std::to_string(::getpid()))) {}
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::filesystem::remove(path_); }

    [[nodiscard]] std::string name() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

/// Whether `promtool check metrics` has nothing to say against the text.
bool passes(const std::string& text) {
    const TemporaryFile file;
    std::ofstream{file.name(), std::ios::binary} << text;
    return std::system(("promtool check metrics < '" + file.name() + "'").c_str()) == 0;
}

}  // namespace

TEST_CASE("promtool refuses what is wrong") {
    CHECK_FALSE(passes("a_metric{x=\"y} 1\n"));
    CHECK_FALSE(passes("# TYPE a_total gauge\na_total 1\n"));
}

TEST_CASE("promtool has nothing to say against the text, whatever the breakers are") {
    CircuitBreakerRegistry registry;
    CHECK(passes(prometheusText(registry)));
    (void)registry.create("idle");
    CHECK(passes(prometheusText(registry)));

    const auto busy =
        registry.create("busy", anyOf(FailureRate{.minimumCalls = 2}, Cusum{}),
                        {.trackInFlight = true, .tags = {{"team", "pay"}, {"9 lives", "\"\\\n"}}});
    (void)busy->stats();
    (void)busy->tryAcquire().success();
    (void)busy->tryAcquire().ignore();
    for (int i = 0; i < 5; ++i) (void)busy->tryAcquire().failure();
    registry.create("forced")->setMode(ControlMode::ForcedOpen);
    registry.create("disabled")->setMode(ControlMode::ForcedClosed);
    registry.create("shadow")->setMode(ControlMode::Shadow);
    (void)registry.create("strange \" \\ \n \xff { } name");
    (void)registry.create(std::string(5000, 'x'));
    CHECK(passes(prometheusText(registry)));
    CHECK(passes(prometheusText(registry, {.labels = {{"application", "a\"b"}}})));
    CHECK(passes(prometheusText(registry, {.prefix = "shop_breaker_", .ownPrefix = "shop_own_"})));
}
