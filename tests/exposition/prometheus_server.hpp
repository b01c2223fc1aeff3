// SPDX-License-Identifier: MIT
// A registry's metrics over HTTP, and a real Prometheus that scrapes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <httplib.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "fusebox/exposition/prometheus.hpp"
#include "fusebox/registry/registry.hpp"

extern char** environ;

namespace fusebox::test {

/// Serves the metrics of a registry.
class MetricsServer {
public:
    explicit MetricsServer(const CircuitBreakerRegistry& registry) {
        server_.Get("/metrics", [&](const httplib::Request&, httplib::Response& response) {
            response.set_content(prometheusText(registry, {.labels = {{"application", "demo"}}}),
                                 kPrometheusContentType);
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
    }
    MetricsServer(const MetricsServer&) = delete;
    MetricsServer& operator=(const MetricsServer&) = delete;
    ~MetricsServer() {
        // Else it may begin to listen after it was told to stop.
        while (!server_.is_running()) std::this_thread::yield();
        server_.stop();
        thread_.join();
    }
    [[nodiscard]] int port() const { return port_; }

private:
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};

/// A port that was free a moment ago.
[[nodiscard]] inline std::uint16_t freePort() {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    const bool bound = ::bind(socket, any, size) == 0 && ::getsockname(socket, any, &size) == 0;
    ::close(socket);
    if (!bound) throw std::runtime_error{"no port"};
    return ntohs(address.sin_port);
}

/// A Prometheus that scrapes one target once a second; gone when this is.
class Prometheus {
public:
    using Json = nlohmann::json;

    explicit Prometheus(int target) : port_(freePort()) {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
        const auto config = folder_ / "prometheus.yml";
        std::ofstream{config} << "global: {scrape_interval: 1s}\n"
                                 "scrape_configs:\n"
                                 "- job_name: demo\n"
                                 "  static_configs: [{targets: ['127.0.0.1:"
                              << target << "']}]\n";
        std::vector<std::string> words{"prometheus", "--config.file=" + config.string(),
                                       "--storage.tsdb.path=" + (folder_ / "data").string(),
                                       "--web.listen-address=127.0.0.1:" + std::to_string(port_),
                                       "--log.level=error"};
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const int error =
            ::posix_spawnp(&process_, "prometheus", nullptr, nullptr, arguments.data(), environ);
        if (error != 0) throw std::system_error{error, std::generic_category(), "prometheus"};
    }
    Prometheus(const Prometheus&) = delete;
    Prometheus& operator=(const Prometheus&) = delete;
    ~Prometheus() {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    /// What it answers; null while it does not.
    [[nodiscard]] Json ask(const std::string& path, const httplib::Params& parameters = {}) const {
        httplib::Client client{"127.0.0.1", port_};
        const auto response = client.Get(path.c_str(), parameters, httplib::Headers{});
        if (!response || response->status != 200) return nullptr;
        return Json::parse(response->body).at("data");
    }
    /// The time series that an expression gives now.
    [[nodiscard]] Json query(const std::string& expression) const {
        const Json data = ask("/api/v1/query", {{"query", expression}});
        return data.is_null() ? Json::array() : data.at("result");
    }

private:
    std::filesystem::path folder_ = std::filesystem::temp_directory_path() /
                                    ("fusebox_prometheus_" + std::to_string(::getpid()));
    std::uint16_t port_;
    pid_t process_ = -1;
};

}  // namespace fusebox::test
