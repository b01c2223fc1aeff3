// SPDX-License-Identifier: MIT
// The dashboard in a browser: what it shows, and what its buttons do.
//
// needs: httplib
// needs: nlohmann_json
// needs: program chromium
// needs: program chromedriver
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include <nlohmann/json.hpp>

#include "adapters/browser.hpp"
#include "adapters/dashboard_scene.hpp"
#include "adapters/http_loopback.hpp"
#include "fusebox/adapters/httplib_admin.hpp"
#include "fusebox/fusebox.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using Catch::Matchers::ContainsSubstring;
using fusebox::test::Browser;
using fusebox::test::LoopbackServer;
using nlohmann::json;

namespace {

constexpr const char* kHostile =
    "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>";
constexpr const char* kEnter = "\uE007";
constexpr const char* kEscape = "\uE00C";
constexpr const char* kDown = "\uE015";

/// A server with a dashboard.
struct Service {
    explicit Service(CircuitBreakerRegistry& registry, int port = 0,
                     AdminHook authorizeReading = {}) {
        mountAdmin(loopback.server(), registry,
                   {.authorize =
                        [](const httplib::Request& request) {
                            return request.get_header_value("Authorization") == "Bearer secret";
                        },
                    .authorizeReading = std::move(authorizeReading)});
        loopback.start(port);
    }
    [[nodiscard]] std::string url() const {
        return "http://127.0.0.1:" + std::to_string(loopback.port()) + "/";
    }
    LoopbackServer loopback{16};
};

void fail(NamedCircuitBreaker& breaker, int times) {
    for (int i = 0; i < times; ++i) {
        try {
            breaker.execute([] { throw std::runtime_error{"connection refused"}; });
        } catch (const std::exception&) {
        }
    }
}

/// Waits until the body of a function returns true in the page; as long as a busy machine may need.
bool waitUntil(Browser& browser, const std::string& body, const json& arguments = json::array()) {
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (browser.run(body, arguments) != true) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

/// For bodies of functions.
const std::string kHelpers = R"(
    const row = (name) => [...document.querySelectorAll('.row')]
        .find((one) => one.querySelector('bdi').textContent === name);
    const names = () => [...document.querySelectorAll('.row bdi')].map((one) => one.textContent);
    const text = (selector) => document.querySelector(selector)?.textContent ?? '';
    const type = (selector, value) => {
        const input = document.querySelector(selector);
        input.value = value;
        input.dispatchEvent(new Event('input', { bubbles: true }));
        input.dispatchEvent(new Event('change', { bubbles: true }));
    };
)";
bool isShown(Browser& browser, const std::string& name, const std::string& state) {
    return waitUntil(browser, kHelpers + "return row(arguments[0])?.dataset.is === arguments[1];",
                     {name, state});
}
bool says(Browser& browser, const std::string& selector, const std::string& part) {
    return waitUntil(browser, kHelpers + "return text(arguments[0]).includes(arguments[1]);",
                     {selector, part});
}

/// Whether the dialog is through with its work.
bool isDone(Browser& browser) {
    return waitUntil(browser, "return !document.querySelector('#ask').open;");
}

}  // namespace

TEST_CASE("The dashboard shows a trip, and resets it for who may") {
    CircuitBreakerRegistry registry;
    const auto payments = registry.create("payments", {.recoveryTimeout = 1h});
    (void)registry.create(kHostile);
    (void)registry.create("line\nfeed \xE2\x80\xAEgnp.exe");
    auto service = std::make_unique<Service>(registry);
    Browser browser;
    browser.resize(1280, 900);
    browser.open(service->url());
    REQUIRE(says(browser, "#link-text", "Live"));
    REQUIRE(isShown(browser, "payments", "closed"));

    fail(*payments, 5);
    const auto tripped = std::chrono::steady_clock::now();
    REQUIRE(isShown(browser, "payments", "open"));
    const auto shown = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - tripped);
    INFO("the page showed the trip after " << shown.count() << " ms");
    CHECK(shown < 10s);
    CHECK(says(browser, ".row[data-is=open] .word", "Open"));
    CHECK(says(browser, ".row[data-is=open] .probe", "probe in "));
    CHECK(says(browser, ".row[data-is=open] .why",
               "5 of 5 calls failed (100 %): connection refused"));
    CHECK(says(browser, "[data-show=open] b", "1"));
    CHECK(waitUntil(browser, "return document.title.startsWith('(1 open)');"));

    browser.click(".row[data-is=open] .name button");
    CHECK(says(browser, ".trip .lead", "5 of 5 calls failed (100 %)"));
    CHECK(says(browser, ".trip dl", "connection refused"));
    CHECK(says(browser, ".trip dl", payments->stats().policy));
    CHECK(browser.run("return document.querySelectorAll('.calls .FAILURE').length;") == 5);

    // Without a token, with a wrong one, with the right one.
    browser.click("[data-action=reset]");
    CHECK(says(browser, "#ask-title", "Reset: payments"));
    browser.click("#ask-yes");
    CHECK(says(browser, "#ask-error", "Refused (403): not authorized to change circuit breakers"));
    browser.press(std::string{"guess"} + kEnter);
    CHECK(says(browser, "#ask-error", "Nothing was changed"));
    CHECK(payments->isOpen());
    CHECK(isShown(browser, "payments", "open"));
    (void)browser.run(kHelpers + "type('#token', 'secret');");
    browser.press(kEnter);
    CHECK(isShown(browser, "payments", "closed"));
    CHECK(isDone(browser));
    CHECK_FALSE(payments->isOpen());
    CHECK(says(browser, ".trip .lead", "It has not opened"));

    // Whatever it is called, it is text.
    CHECK(browser.run(kHelpers + "return names().includes(arguments[0]);", {kHostile}) == true);
    CHECK(browser.run("return document.querySelectorAll('#rows script, #rows img').length;") == 0);
    CHECK(browser.run(kHelpers + "return names().includes(arguments[0]);",
                      {R"(line\u000afeed \u202egnp.exe)"}) == true);
    browser.click("[data-action=force-open]");
    browser.click("#ask-yes");
    CHECK(isDone(browser));
    CHECK(says(browser, ".row[data-hand] .word", "Forced open"));
    CHECK(payments->mode() == ControlMode::ForcedOpen);
    CHECK(says(browser, "[data-mode=FORCED_OPEN][aria-pressed=true]", "Force open"));

    // With keys alone.
    browser.press(kEscape);
    CHECK(waitUntil(browser, "return !document.querySelector('.details');"));
    browser.press("/");
    CHECK(browser.run("return document.activeElement.id;") == "find");
    browser.press(kHostile);
    CHECK(waitUntil(browser, kHelpers + "return names().length === 1;"));
    browser.press(kDown);
    browser.press(kEnter);
    CHECK(says(browser, ".trip .lead", "It has not opened"));
    browser.click("[data-action=open]");
    CHECK(says(browser, "#ask-title", kHostile));
    browser.click("#ask-yes");
    CHECK(isDone(browser));
    CHECK(isShown(browser, kHostile, "open"));
    CHECK(browser.run("return window.hacked === undefined;") == true);

    // The server goes, and comes again.
    const int port = service->loopback.port();
    service.reset();
    CHECK(says(browser, "#lost-text", "The connection to the server is lost"));
    CHECK(browser.run("return document.querySelector('#lost').checkVisibility();") == true);
    service = std::make_unique<Service>(registry, port);
    REQUIRE(service->loopback.port() == port);
    CHECK(says(browser, "#link-text", "Live"));
    CHECK(browser.run("return document.querySelector('#lost').checkVisibility();") == false);
    CHECK(browser.complaints() == std::vector<std::string>{});
}

TEST_CASE("The dashboard finds and orders 500 breakers, on a phone, too") {
    CircuitBreakerRegistry registry;
    for (int i = 0; i < 500; ++i) {
        const auto breaker = registry.create("breaker " + std::to_string(i),
                                             {.tags = {{"team", i % 50 == 0 ? "blue" : "red"}}});
        breaker->execute([] {});
        if (i % 100 == 7) breaker->open();
    }
    const Service service{registry, 0, [](const httplib::Request& request) {
                              return request.get_header_value("X-Reader") == "me";
                          }};
    Browser browser;
    browser.resize(390, 844);
    browser.open(service.url());
    CHECK(says(browser, "#lost-text", "does not let this page read (403): not authorized to read"));
    browser.click("#key");
    browser.press("me");
    (void)browser.run(kHelpers + "type('#header', 'no name:');");
    browser.click("#ask-yes");
    CHECK(says(browser, "#ask-error", "This cannot be sent as a header"));
    (void)browser.run(kHelpers + "type('#header', 'X-Reader');");
    browser.click("#ask-yes");
    REQUIRE(waitUntil(browser, kHelpers + "return names().length === 500;"));
    CHECK(browser.run(kHelpers + "return names().slice(0, 3);") ==
          json{"breaker 7", "breaker 107", "breaker 207"});

    const auto filtering = browser.run(kHelpers + R"(
        const begin = performance.now();
        type('#find', 'team=BLUE');
        document.body.getBoundingClientRect();
        return performance.now() - begin;)");
    const auto ordering = browser.run(kHelpers + R"(
        const begin = performance.now();
        type('#find', '');
        type('#order', 'name');
        document.body.getBoundingClientRect();
        return performance.now() - begin;)");
    INFO("to filter 500 breakers took " << filtering << " ms, to order them " << ordering << " ms");
    CHECK(filtering < 5000);
    CHECK(ordering < 5000);
    CHECK(browser.run(kHelpers + "return names().slice(0, 3);") ==
          json{"breaker 0", "breaker 1", "breaker 2"});
    CHECK(browser.run(kHelpers + "return names().length;") == 500);
    (void)browser.run(kHelpers + "type('#find', 'blue');");
    CHECK(browser.run(kHelpers + "return names();") ==
          json{"breaker 0", "breaker 50", "breaker 100", "breaker 150", "breaker 200",
               "breaker 250", "breaker 300", "breaker 350", "breaker 400", "breaker 450"});
    (void)browser.run(kHelpers + "type('#find', '');");
    browser.click("[data-show=open]");
    CHECK(browser.run(kHelpers + "return names();") ==
          json{"breaker 7", "breaker 107", "breaker 207", "breaker 307", "breaker 407"});
    CHECK(browser.run("return document.documentElement.scrollWidth;") == 390);
    registry.remove("breaker 7");
    CHECK(waitUntil(browser, kHelpers + "return names().length === 4;"));
    CHECK(browser.complaints() == std::vector<std::string>{});
}

// tests/screenshots runs it.
TEST_CASE("Screenshots of the dashboard", "[.][screenshots]") {
    const char* const given = std::getenv("FUSEBOX_SCREENSHOTS");
    const std::filesystem::path folder = given ? given : ".";
    test::DashboardScene scene;
    auto service = std::make_unique<Service>(scene.registry());
    scene.play(5s);
    Browser browser;
    browser.resize(1280, 900);
    browser.runFirst(test::kMadeUpHour);
    browser.open(service->url());
    REQUIRE(says(browser, "#link-text", "Live"));
    scene.play(125s);
    for (const char* scheme : {"light", "dark"}) {
        browser.prefer(scheme);
        browser.resize(1280, 860);
        browser.screenshot(folder / (std::string{"desktop-"} + scheme + ".png"));
        browser.click(".row[data-is=open] .name button");
        browser.screenshot(folder / (std::string{"details-"} + scheme + ".png"));
        browser.resize(390, 844, 2);
        browser.screenshot(folder / (std::string{"phone-details-"} + scheme + ".png"));
        browser.press(kEscape);
        (void)browser.run("scrollTo(0, 0);");
        browser.screenshot(folder / (std::string{"phone-"} + scheme + ".png"));
    }
    browser.resize(1280, 860);
    browser.prefer("light");
    browser.click(".row[data-is=open] .name button");
    browser.click("[data-action=reset]");
    browser.click("#ask-yes");
    CHECK(says(browser, "#ask-error", "Refused"));
    browser.screenshot(folder / "refused.png");
    browser.press(kEscape);
    service.reset();
    CHECK(says(browser, "#lost-text", "lost"));
    browser.resize(820, 1100);
    browser.screenshot(folder / "lost.png");
    CHECK(browser.complaints() == std::vector<std::string>{});
}
