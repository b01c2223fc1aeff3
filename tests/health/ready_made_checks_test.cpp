// SPDX-License-Identifier: MIT
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fusebox/fusebox.hpp"
#include "fusebox/health/health.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
namespace fs = std::filesystem;

namespace {

CheckReport run(HealthCheck check, std::chrono::nanoseconds timeout = 10min) {
    check.timeout = timeout;
    HealthCheckManager manager{{.checks = {std::move(check)}}};
    return manager.executeHealthChecks().checks.at(0);
}

/// A folder of its own, removed in the end.
class Folder {
public:
    Folder() {
        std::string path = (fs::temp_directory_path() / "fusebox.XXXXXX").string();
        if (::mkdtemp(path.data())) path_ = path;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }

    void write(const std::string& name, const std::string& text) const {
        fs::create_directories((path_ / name).parent_path());
        std::ofstream{path_ / name} << text;
    }
    [[nodiscard]] std::string operator/(const char* name) const { return (path_ / name).string(); }

private:
    fs::path path_;
};

/// Listens on loopback, and accepts nobody.
class Listener {
public:
    explicit Listener(int backlog) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        socklen_t size = sizeof address;
        (void)::bind(socket_, generic, size);
        if (backlog >= 0) (void)::listen(socket_, backlog);
        (void)::getsockname(socket_, generic, &size);
        port_ = ntohs(address.sin_port);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { (void)::close(socket_); }
    [[nodiscard]] std::uint16_t port() const { return port_; }

private:
    int socket_;
    std::uint16_t port_ = 0;
};

}  // namespace

TEST_CASE("Environment variables that are missing or empty are named, values never") {
    ::setenv("FUSEBOX_TEST_SET", "a secret", 1);
    ::setenv("FUSEBOX_TEST_EMPTY", "", 1);
    ::unsetenv("FUSEBOX_TEST_MISSING");
    const CheckReport good = run(createEnvVarHealthCheck({"FUSEBOX_TEST_SET"}));
    CHECK(good.status == HealthStatus::Healthy);
    CHECK(good.critical);
    CHECK(good.message == "All required variables present");
    const CheckReport bad = run(createEnvVarHealthCheck(
        {"FUSEBOX_TEST_MISSING", "FUSEBOX_TEST_SET", "FUSEBOX_TEST_EMPTY"}));
    CHECK(bad.status == HealthStatus::Unhealthy);
    CHECK(bad.message == "Missing: FUSEBOX_TEST_MISSING, FUSEBOX_TEST_EMPTY");
}

TEST_CASE("Memory is that of the tightest cgroup, without what the kernel would give back") {
    const Folder root;
    root.write("proc/self/cgroup", "1:name=systemd:/old\n0::/pods/one\n");
    root.write("proc/meminfo", "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 400 kB\n");
    root.write("cgroup/pods/one/memory.max", "max\n");
    root.write("cgroup/pods/one/memory.current", "77\n");
    const auto usage = [&] { return memoryUsage(root / "proc", root / "cgroup"); };

    SECTION("no limit: the machine's") {
        REQUIRE(usage());
        CHECK(usage()->limit == 1000 * 1024);
        CHECK(usage()->used == 600 * 1024);
    }
    SECTION("a limit around it") {
        root.write("cgroup/pods/memory.max", "5000\n");
        root.write("cgroup/pods/memory.current", "4000\n");
        root.write("cgroup/pods/memory.stat", "anon 5\ninactive_file 1500\nactive_file 3\n");
        REQUIRE(usage());
        CHECK(usage()->limit == 5000);
        CHECK(usage()->used == 2500);
    }
    SECTION("two limits: the one nearer to being reached") {
        root.write("cgroup/pods/one/memory.max", "100\n");
        root.write("cgroup/pods/memory.max", "5000\n");
        root.write("cgroup/pods/memory.current", "4000\n");
        REQUIRE(usage());
        CHECK(usage()->limit == 5000);
        CHECK(usage()->used == 4000);
        root.write("cgroup/pods/memory.current", "3000\n");
        CHECK(usage()->limit == 100);
        CHECK(usage()->used == 77);
    }
    SECTION("more inactive than current") {
        root.write("cgroup/pods/one/memory.max", "100\n");
        root.write("cgroup/pods/one/memory.stat", "inactive_file 78\n");
        CHECK(usage()->used == 0);
    }
    SECTION("files that make no sense") {
        root.write("proc/self/cgroup", "nonsense");
        root.write("proc/meminfo", "MemTotal: 10 kB\nMemAvailable: many\n");
        CHECK_FALSE(usage());
        root.write("proc/meminfo", "MemTotal: 10 kB\nMemAvailable: 11 kB\n");
        CHECK_FALSE(usage());
        CHECK_FALSE(memoryUsage("/nowhere", "/nowhere"));
    }
}

TEST_CASE("Usage is judged against its bound") {
    CHECK(detail::judgeUsage("Memory", 45.225, 100, 90).message == "Memory usage at 45.23 %");
    CHECK(detail::judgeUsage("Memory", 89.9, 100, 90).status == HealthStatus::Healthy);
    const HealthCheckResult full = detail::judgeUsage("Disk", 90, 100, 90);
    CHECK(full.status == HealthStatus::Unhealthy);
    CHECK(full.message == "Disk usage at 90 %; allowed: below 90 %");
    CHECK(detail::judgeUsage("Disk", 0, 0, 90).status == HealthStatus::Unhealthy);
}

TEST_CASE("Memory and disk of this machine can be told") {
    CHECK_THAT(run(createMemoryHealthCheck()).message, ContainsSubstring("Memory usage"));
    const CheckReport disk = run(createDiskSpaceHealthCheck("/", 100));
    CHECK_THAT(disk.message, ContainsSubstring("Disk usage at "));
    CHECK(run(createDiskSpaceHealthCheck("/", 1e-9)).status == HealthStatus::Unhealthy);
    const CheckReport nowhere = run(createDiskSpaceHealthCheck("/no/such/folder"));
    CHECK(nowhere.status == HealthStatus::Unhealthy);
    CHECK_THAT(nowhere.message, ContainsSubstring("Disk: "));
    CHECK_FALSE(nowhere.critical);
}

TEST_CASE("Bounds that cannot work are refused") {
    for (const double bad : {0.0, -1.0, 100.5, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_AS(createMemoryHealthCheck(bad), ConfigError);
        CHECK_THROWS_AS(createDiskSpaceHealthCheck("/", bad), ConfigError);
    }
}

TEST_CASE("A TCP check connects") {
    const Listener listener{8};
    const CheckReport good = run(createTcpHealthCheck("orders-db", "127.0.0.1", listener.port()));
    CHECK(good.name == "orders-db");
    CHECK(good.status == HealthStatus::Healthy);
    CHECK(good.message == "127.0.0.1:" + std::to_string(listener.port()) + " accepts connections");
    const Listener deaf{-1};  // Bound, so that nobody else listens there.
    const CheckReport bad = run(createTcpHealthCheck("orders-db", "127.0.0.1", deaf.port()));
    CHECK(bad.status == HealthStatus::Unhealthy);
    CHECK_THAT(bad.message, ContainsSubstring("refused"));
    const CheckReport unknown = run(createTcpHealthCheck("x", "not a host name", 1));
    CHECK(unknown.status == HealthStatus::Unhealthy);
    CHECK_THAT(unknown.message, ContainsSubstring("not a host name:1: "));
}
