// SPDX-License-Identifier: MIT
// Bytes that a client sends to the administrators' endpoints.
//
// The input is what comes over the connection: any number of requests. httplib reads them, as it
// does in a server; what goes back must be well formed, and what has no authority changes nothing.
//
// needs: httplib httplib::httplib
// needs: nlohmann_json nlohmann_json::nlohmann_json
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <httplib.h>

#include "fusebox/adapters/httplib_admin.hpp"
#include "fusebox/registry/registry.hpp"
#include "fuzz/strict_text.hpp"
#include "fuzz/targets.hpp"

namespace fusebox::test {
namespace {

/// A connection whose other end has said everything, and listens.
class Connection : public httplib::Stream {
public:
    explicit Connection(std::string_view said) : said_(said) {}

    [[nodiscard]] bool is_readable() const override { return true; }
    [[nodiscard]] bool is_writable() const override { return open_; }
    ssize_t read(char* to, std::size_t size) override {
        const std::size_t taken = std::min(size, said_.size());
        std::memcpy(to, said_.data(), taken);
        said_.remove_prefix(taken);
        return static_cast<ssize_t>(taken);
    }
    ssize_t write(const char* from, std::size_t size) override {
        if (!open_) return -1;
        answer_.append(from, size);
        // A stream of events has no end: whoever reads it goes after the first.
        open_ = std::string_view{from, size}.find("event: SNAPSHOT") == std::string_view::npos;
        return open_ ? static_cast<ssize_t>(size) : -1;
    }
    void get_remote_ip_and_port(std::string& ip, int& port) const override {
        ip = "127.0.0.1";
        port = 1;
    }
    void get_local_ip_and_port(std::string& ip, int& port) const override {
        get_remote_ip_and_port(ip, port);
    }
    using Socket = decltype(std::declval<const httplib::Stream&>().socket());
    [[nodiscard]] Socket socket() const override { return INVALID_SOCKET; }

    [[nodiscard]] bool done() const { return said_.empty() || !open_; }
    [[nodiscard]] std::string take() { return std::exchange(answer_, {}); }

private:
    std::string_view said_;
    std::string answer_{};
    bool open_ = true;
};

constexpr std::string_view kSecret = "let me in";

/// The server and what it tells of; kept, since it takes long to make.
class Site : public httplib::Server {
public:
    Site() {
        for (const char* name : {"payments", "a b/c%", "\xff\xfe", "x"}) {
            (void)registry_.create(name, ConsecutiveFailures{1});
        }
        HttplibAdminOptions options;
        options.prefix = "/in";
        options.authorize = [](const httplib::Request& request) {
            return request.get_header_value("X-Token") == kSecret;
        };
        options.authorizeReading = [](const httplib::Request& request) {
            return !request.has_header("X-Stranger");
        };
        mountAdmin(*this, registry_, std::move(options));
    }

    /// As it was.
    void restart() {
        for (const auto& view : registry_.getAll()) {
            view->setMode(ControlMode::Automatic);
            view->reset();
        }
    }
    /// Reads one request and answers it; false if there is no more to come.
    bool serve(Connection& connection) {
        bool closed = false;
        const bool good = process_request(connection, false, closed, nullptr);
        return good && !closed && !connection.done();
    }
    [[nodiscard]] bool isUntouched() const {
        return std::ranges::all_of(registry_.getAll(), [](const auto& view) {
            return view->state() == CircuitState::Closed &&
                   view->mode() == ControlMode::Automatic && view->stats().timesOpened == 0;
        });
    }

private:
    CircuitBreakerRegistry registry_;
};

/// An answer in its parts.
struct Answer {
    int status = 0;
    std::map<std::string, std::string> headers{};
    std::string body{};
};

/// One answer as a client reads it.
Answer read(std::string_view text) {
    Answer answer;
    const auto line = [&] {
        const std::size_t end = text.find("\r\n");
        demand(end != text.npos, "an answer that breaks off", text);
        const std::string_view taken = text.substr(0, end);
        demand(taken.find_first_of("\r\n") == taken.npos, "a lone line feed in a header", taken);
        text.remove_prefix(end + 2);
        return taken;
    };
    const std::string_view first = line();
    demand(first.starts_with("HTTP/1.") && first.size() > 12, "no status line", first);
    answer.status = std::atoi(std::string{first.substr(9, 3)}.c_str());
    for (std::string_view header = line(); !header.empty(); header = line()) {
        const std::size_t colon = header.find(": ");
        demand(colon != header.npos, "a header that is none", header);
        answer.headers.emplace(header.substr(0, colon), header.substr(colon + 2));
    }
    answer.body = text;
    return answer;
}

void check(const std::string& text, bool isHead) {
    // 100 Continue goes before the answer.
    const Answer answer = read(text);
    if (answer.status == 100) return check(text.substr(text.find("\r\n\r\n") + 4), isHead);
    static constexpr int kExpected[] = {200, 308, 400, 403, 404, 405, 413, 414, 416, 417, 503};
    demand(std::ranges::count(kExpected, answer.status) == 1, "another status", text);
    const auto length = answer.headers.find("Content-Length");
    const auto type = answer.headers.find("Content-Type");
    if (length == answer.headers.end() || type == answer.headers.end() || isHead) return;
    demand(length->second == std::to_string(answer.body.size()), "another length", text);
    if (answer.headers.contains("Content-Encoding")) return;
    if (type->second.find("json") != std::string::npos) {
        demand(strictJson(answer.body).is_structured(), "JSON that is no structure", text);
        demand(answer.headers.contains("Cache-Control"), "an answer to be kept", text);
    } else if (type->second == kPrometheusContentType) {
        checkPrometheus(answer.body, 4);
    }
}

}  // namespace

void fuzzAdmin(Input input) {
    static Site site;
    Bytes bytes{input};
    const std::string said = bytes.rest();
    site.restart();
    Connection connection{said};
    for (bool more = true; more;) {
        more = site.serve(connection);
        const std::string answer = connection.take();
        if (answer.empty()) break;
        check(answer, said.find("HEAD") != said.npos);
    }
    demand(site.isUntouched() || said.find(kSecret) != said.npos, "a stranger changed a breaker",
           said);
}

}  // namespace fusebox::test
