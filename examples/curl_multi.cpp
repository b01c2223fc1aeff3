// SPDX-License-Identifier: MIT
// The two-step form in callback code: a loop of libcurl's multi interface, with a permit in each
// transfer.
// needs: curl
// needs: httplib

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>
#include <httplib.h>
#include <fusebox/fusebox.hpp>

namespace {

using namespace std::chrono_literals;
using Breaker = fusebox::CircuitBreaker<>;

/// A real server on loopback that answers, fails, or hangs.
class Server {
public:
    Server() {
        server_.Get("/good", [](const httplib::Request&, httplib::Response& out) {
            out.set_content("good", "text/plain");
        });
        server_.Get("/bad",
                    [](const httplib::Request&, httplib::Response& out) { out.status = 503; });
        server_.Get("/hangs", [](const httplib::Request&, httplib::Response& out) {
            std::this_thread::sleep_for(400ms);
            out.set_content("too late", "text/plain");
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
    }
    ~Server() {
        server_.stop();
        thread_.join();
    }
    [[nodiscard]] std::string url(const std::string& path) const {
        return fmt::format("http://127.0.0.1:{}/{}", port_, path);
    }

private:
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
};

// [transfers]
/// Transfers under way, each with its permit. Those that are dropped cancel theirs.
class Transfers {
public:
    explicit Transfers(Breaker& breaker)
        : breaker_(breaker),
          timeout_(std::chrono::duration_cast<std::chrono::milliseconds>(
              breaker.options().requestTimeout)) {}

    /// False: rejected, nothing was started.
    bool start(const std::string& url) {
        auto permit = breaker_.tryAcquire();
        if (!permit) {
            fmt::print("{}: {}\n", url, toString(permit.rejection()));
            return false;
        }
        transfers_.push_back(std::make_unique<Transfer>(std::move(permit)));
        Transfer& transfer = *transfers_.back();
        CURL* const easy = transfer.easy.get();
        curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
        // 0 would mean "no timeout"; a deadline below a millisecond is one millisecond.
        curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout_.count()) + 1);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::receive);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
        curl_multi_add_handle(multi_.get(), easy);
        return true;
    }

    /// Drives all transfers to their end.
    void run() {
        int running = 1;
        while (running > 0) {
            curl_multi_perform(multi_.get(), &running);
            int left = 0;
            while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
                if (message->msg == CURLMSG_DONE) done(message->easy_handle, message->data.result);
            }
            if (running > 0) curl_multi_poll(multi_.get(), nullptr, 0, 1000, nullptr);
        }
    }

    ~Transfers() {
        for (const auto& transfer : transfers_) {
            curl_multi_remove_handle(multi_.get(), transfer->easy.get());
        }
    }
    Transfers(const Transfers&) = delete;
    Transfers& operator=(const Transfers&) = delete;

private:
    struct Transfer {
        explicit Transfer(Breaker::Permit p) : permit(std::move(p)) {}

        static std::size_t receive(const char* data, std::size_t size, std::size_t n, void* to) {
            static_cast<Transfer*>(to)->body.append(data, size * n);
            return size * n;
        }

        Breaker::Permit permit;
        std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy{curl_easy_init(),
                                                                 &curl_easy_cleanup};
        std::string body{};
    };

    /// Reports how a transfer ended, and forgets it.
    void done(CURL* easy, CURLcode result) {
        Transfer* transfer = nullptr;
        long status = 0;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (result == CURLE_OPERATION_TIMEDOUT) {
            transfer->permit.timeout();
        } else if (result != CURLE_OK || status >= 500) {
            transfer->permit.failure();
        } else {
            transfer->permit.success();
        }
        fmt::print("{}, status {}: {}\n", curl_easy_strerror(result), status, transfer->body);
        curl_multi_remove_handle(multi_.get(), easy);
        std::erase_if(transfers_, [&](const auto& each) { return each.get() == transfer; });
    }

    Breaker& breaker_;
    std::chrono::milliseconds timeout_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_{curl_multi_init(),
                                                                 &curl_multi_cleanup};
    std::vector<std::unique_ptr<Transfer>> transfers_{};
};
// [/transfers]

}  // namespace

int main() {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int unstarted = 0;
    Breaker breaker{"http", fusebox::ConsecutiveFailures{3}, {.requestTimeout = 150ms}};
    {
        const Server server;
        Transfers transfers{breaker};
        for (const char* path : {"good", "bad", "good"}) transfers.start(server.url(path));
        transfers.run();
        for (int i = 0; i < 3; ++i) transfers.start(server.url("hangs"));
        transfers.run();
        for (int i = 0; i < 2; ++i) unstarted += transfers.start(server.url("good")) ? 0 : 1;
        breaker.close();
        transfers.start(server.url("good"));  // Dropped with the loop: neither success nor failure.
    }
    curl_global_cleanup();

    const auto stats = breaker.stats();
    fmt::print("{} good, {} bad, {} timeouts, {} cancelled, {} rejected\n", stats.totalSuccesses,
               stats.totalFailures, stats.totalTimeouts, stats.totalCancelled, stats.totalRejected);
    return unstarted == 2 && stats.totalTimeouts == 3 && stats.totalCancelled == 1 ? 0 : 1;
}
