// SPDX-License-Identifier: MIT
// A registry's metrics over HTTP, and a real Prometheus that scrapes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <httplib.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "fusebox/exposition/prometheus.hpp"
#include "fusebox/registry/registry.hpp"
#include "support/child_process.hpp"

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
        process_.emplace(std::vector<std::string>{
            "prometheus", "--config.file=" + config.string(),
            "--storage.tsdb.path=" + (folder_ / "data").string(),
            "--web.listen-address=127.0.0.1:" + std::to_string(port_), "--log.level=error"});
    }
    Prometheus(const Prometheus&) = delete;
    Prometheus& operator=(const Prometheus&) = delete;
    ~Prometheus() {
        process_.reset();
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
    std::optional<ChildProcess> process_;
};

}  // namespace fusebox::test
