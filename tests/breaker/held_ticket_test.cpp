// SPDX-License-Identifier: MIT
#include "fusebox/breaker/held_ticket.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include "breaker/rig.hpp"
#include "fusebox/breaker/circuit_breaker.hpp"
#include "support/catch.hpp"

using namespace std::chrono_literals;
using namespace fusebox;
using fusebox::test::Rig;

namespace {

using Held = detail::HeldTicket<
    std::remove_reference_t<decltype(detail::CoreAccess::coreOf(std::declval<Rig<>&>().breaker))>>;

Held heldOf(Rig<>& rig) {
    return Held{detail::CoreAccess::coreOf(rig.breaker)};
}

}  // namespace

TEST_CASE("A ticket that is held is cancelled when it goes, whatever unwinds then") {
    Rig rig;
    {
        Held held = heldOf(rig);
        CHECK_FALSE(held.held());
        CHECK(held.acquire());
        CHECK(held.held());
    }
    CHECK(rig.stats().totalCancelled == 1);
    try {
        Held held = heldOf(rig);
        REQUIRE(held.acquire());
        throw std::runtime_error{"unrelated"};
    } catch (const std::runtime_error&) {
    }
    CHECK(rig.stats().totalCancelled == 2);
    CHECK(rig.stats().totalFailures == 0);
}

TEST_CASE("A ticket that was moved or taken over is its new holder's") {
    Rig rig;
    {
        Held first = heldOf(rig);
        REQUIRE(first.acquire());
        Held second{std::move(first)};
        CHECK_FALSE(first.held());  // NOLINT(bugprone-use-after-move)
        second.core().succeed(second.take());
        CHECK_FALSE(second.held());
    }
    CHECK(rig.stats().totalSuccesses == 1);
    CHECK(rig.stats().totalCancelled == 0);
}

TEST_CASE("A ticket that was rejected is not held") {
    Rig rig;
    rig.breaker.open();
    {
        Held held = heldOf(rig);
        CHECK_FALSE(held.acquire());
        CHECK(held.ticket().rejected());
    }
    CHECK(rig.stats().totalCancelled == 0);
}
