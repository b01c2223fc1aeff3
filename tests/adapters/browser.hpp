// SPDX-License-Identifier: MIT
// A headless Chromium, driven by W3C WebDriver. https://www.w3.org/TR/webdriver2/
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <httplib.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "support/child_process.hpp"

namespace fusebox::test {

/// One window, with a profile of its own; closed when this goes. What fails throws.
class Browser {
public:
    using Json = nlohmann::json;

    Browser() : driver_({"chromedriver", "--port=" + std::to_string(port_), "--log-level=OFF"}) {
        waitForDriver();
        const Json options{
            {"args",
             {"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
              "--disable-background-networking", "--disable-component-update", "--disable-sync",
              "--disable-dev-shm-usage", "--hide-scrollbars",
              "--user-data-dir=" + profile_.string()}}};
        const Json wanted{{"browserName", "chrome"},
                          {"goog:chromeOptions", options},
                          {"goog:loggingPrefs", {{"browser", "ALL"}}}};
        const Json session = ask("POST", "/session", {{"capabilities", {{"alwaysMatch", wanted}}}});
        session_ = "/session/" + session.at("sessionId").get<std::string>();
    }
    Browser(const Browser&) = delete;
    Browser& operator=(const Browser&) = delete;
    ~Browser() {
        (void)client().Delete(session_.c_str());
        std::error_code ignored;
        std::filesystem::remove_all(profile_, ignored);
    }

    void open(const std::string& url) { (void)post("/url", {{"url", url}}); }
    /// What the body of a function returns there.
    Json run(const std::string& body, const Json& arguments = Json::array()) {
        return post("/execute/sync", {{"script", body}, {"args", arguments}});
    }
    /// As a hand would: what is covered, or cannot be seen, cannot be clicked.
    void click(const std::string& selector) {
        (void)post(found(selector) + "/click", Json::object());
    }
    /// Keys for what has the focus; keys without a letter are at U+E000, as the standard says.
    void press(const std::string& keys) {
        const Json element = ask("GET", session_ + "/element/active");
        (void)post(pathOf(element) + "/value", {{"text", keys}});
    }

    /// Errors and warnings of the page since it was last asked, but for requests that were refused.
    [[nodiscard]] std::vector<std::string> complaints() {
        std::vector<std::string> all;
        for (const Json& entry : post("/se/log", {{"type", "browser"}})) {
            const bool isComplaint = entry["level"] == "SEVERE" || entry["level"] == "WARNING";
            if (isComplaint && entry["source"] != "network") all.push_back(entry["message"]);
        }
        return all;
    }

    /// Shows the page as on a screen of that size.
    void resize(int width, int height, double scale = 1) {
        command("Emulation.setDeviceMetricsOverride", {{"width", width},
                                                       {"height", height},
                                                       {"deviceScaleFactor", scale},
                                                       {"mobile", width < 500}});
    }
    /// To be run in each page before its own scripts.
    void runFirst(const std::string& script) {
        command("Page.addScriptToEvaluateOnNewDocument", {{"source", script}});
    }
    void prefer(const char* scheme) {
        const Json feature{{"name", "prefers-color-scheme"}, {"value", scheme}};
        command("Emulation.setEmulatedMedia", {{"features", Json::array({feature})}});
    }
    void screenshot(const std::filesystem::path& file) {
        const auto text = ask("GET", session_ + "/screenshot").get<std::string>();
        std::ofstream{file, std::ios::binary} << decoded(text);
    }

private:
    [[nodiscard]] httplib::Client client() const {
        httplib::Client client{"127.0.0.1", port_};
        client.set_read_timeout(std::chrono::minutes{2});
        return client;
    }

    Json ask(const std::string& method, const std::string& path, const Json& body = nullptr) {
        auto http = client();
        const auto result = method == "GET"
                                ? http.Get(path.c_str())
                                : http.Post(path.c_str(), body.dump(), "application/json");
        if (!result) throw std::runtime_error{"WebDriver: no answer to " + path};
        Json answer = Json::parse(result->body, nullptr, false);
        if (result->status != 200) {
            throw std::runtime_error{"WebDriver: " + path + ": " + result->body.substr(0, 600)};
        }
        return std::move(answer.at("value"));
    }
    Json post(const std::string& path, const Json& body) {
        return ask("POST", session_ + path, body);
    }
    void command(const char* name, const Json& parameters) {
        (void)post("/goog/cdp/execute", {{"cmd", name}, {"params", parameters}});
    }

    [[nodiscard]] static std::string pathOf(const Json& element) {
        return "/element/" + element.begin()->get<std::string>();
    }
    [[nodiscard]] std::string found(const std::string& selector) {
        return pathOf(post("/element", {{"using", "css selector"}, {"value", selector}}));
    }

    void waitForDriver() const {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{1};
        while (!client().Get("/status")) {
            if (std::chrono::steady_clock::now() > deadline) {
                throw std::runtime_error{"chromedriver does not answer"};
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
        }
    }

    [[nodiscard]] static std::string decoded(const std::string& base64) {
        const std::string letters =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        std::string bytes;
        std::uint32_t bits = 0;
        int count = 0;
        for (const char letter : base64) {
            const auto value = letters.find(letter);
            if (value == std::string::npos) break;
            bits = bits << 6 | static_cast<std::uint32_t>(value);
            count += 6;
            if (count < 8) continue;
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xFF);
        }
        return bytes;
    }

    const std::filesystem::path profile_ =
        std::filesystem::temp_directory_path() / ("fusebox_browser_" + std::to_string(::getpid()));
    const std::uint16_t port_ = freePort();
    ChildProcess driver_;
    std::string session_;
};

}  // namespace fusebox::test
