// SPDX-License-Identifier: MIT
#include "fusebox/registry/hazard_pointers.hpp"

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "support/allocations.hpp"
#include "support/catch.hpp"

using fusebox::detail::HazardDomain;
using fusebox::detail::HazardSlot;
using fusebox::detail::Retirable;

namespace {

class Object : public Retirable {
public:
    explicit Object(int& ended) : ended_(ended) {}
    Object(const Object&) = delete;
    Object& operator=(const Object&) = delete;
    ~Object() override { ++ended_; }

private:
    int& ended_;
};

/// On a thread of its own, which has worked with no domain yet.
void onThread(const std::function<void()>& work) {
    std::thread{work}.join();
}

void protect(HazardSlot& slot, const Retirable& object) {
    slot.store(&object, std::memory_order_seq_cst);
}
void release(HazardSlot& slot) {
    slot.store(nullptr, std::memory_order_release);
}

}  // namespace

TEST_CASE("What is retired lives as long as it is protected") {
    HazardDomain domain;
    onThread([&] {
        int ended = 0;
        auto object = std::make_shared<Object>(ended);
        const Object& address = *object;
        HazardSlot* const slot = domain.claim();
        REQUIRE(slot);
        protect(*slot, address);
        CHECK(domain.isProtected(&address));
        CHECK_FALSE(address.retired());
        domain.retire(std::exchange(object, nullptr));
        CHECK(address.retired());
        domain.sweep();
        CHECK(ended == 0);
        release(*slot);
        CHECK_FALSE(domain.isProtected(&address));
        domain.sweep();
        CHECK(ended == 1);
    });
}

TEST_CASE("What nobody protects goes at once, however much it is") {
    HazardDomain domain;
    int ended = 0;
    for (int i = 0; i < 100'000; ++i) domain.retire(std::make_shared<Object>(ended));
    CHECK(ended == 0);
    domain.sweep();
    CHECK(ended == 100'000);
}

TEST_CASE("A thread has six slots, of one domain at a time, until it ends") {
    HazardDomain first;
    HazardDomain second;
    onThread([&] {
        int ended = 0;
        const Object object{ended};
        for (std::size_t i = 0; i < HazardDomain::kSlots; ++i) {
            HazardSlot* const slot = first.claim();
            REQUIRE(slot);
            protect(*slot, object);
        }
        CHECK(first.claim() == nullptr);
        CHECK(second.claim() == nullptr);
    });
    // Its record is used again; what it left in there is nobody's but who put it there.
    onThread([&] { CHECK(first.claim() == nullptr); });
    onThread([&] { CHECK(second.claim() != nullptr); });
}

TEST_CASE("No two threads have one slot, also when records are used again") {
    HazardDomain domain;
    // The second time there are records to use again.
    for (int round = 0; round < 2; ++round) {
        onThread([&] {
            HazardSlot* const mine = domain.claim();
            onThread([&] {
                HazardSlot* const others = domain.claim();
                CHECK(others != mine);
                onThread([&] {
                    HazardSlot* const third = domain.claim();
                    CHECK(third != mine);
                    CHECK(third != others);
                });
            });
        });
    }
}

TEST_CASE("Slots may be emptied by other threads, and records are used again") {
    HazardDomain domain;
    HazardSlot* left = nullptr;
    int ended = 0;
    auto object = std::make_shared<Object>(ended);
    onThread([&] {
        left = domain.claim();
        protect(*left, *object);
    });
    domain.retire(std::exchange(object, nullptr));
    domain.sweep();
    CHECK(ended == 0);
    onThread([&] {
        HazardSlot* const next = domain.claim();
        CHECK(next == left + 1);
        release(*left);
        CHECK(domain.claim() == left);
    });
    domain.sweep();
    CHECK(ended == 1);
}

TEST_CASE("A thread that is past its end does without") {
    static HazardDomain domain;
    static HazardSlot* late = nullptr;
    onThread([] {
        // Made before the domain's own guard, so destroyed after it.
        struct AtEnd {
            ~AtEnd() { late = domain.claim(); }
        };
        static thread_local AtEnd atEnd;
        (void)&atEnd;
        late = domain.claim();
        CHECK(late != nullptr);
    });
    CHECK(late == nullptr);
}

#if !defined(FUSEBOX_TEST_CANNOT_COUNT)

TEST_CASE("A domain that goes gives back the memory of its slots") {
    using fusebox::test::allocations;
    std::optional<HazardDomain> domain{std::in_place};
    std::size_t taken = 0;
    const auto claim = [&] {
        fusebox::test::allocationsIn([&] { (void)domain->claim(); });
        taken += allocations().heldBytes;
    };
    onThread([&] {
        claim();
        onThread(claim);  // A second record, as the first is in use.
    });
    allocations().heldBytes = 0;
    fusebox::test::allocationsIn([&] { domain.reset(); });
    CHECK(taken > 0);
    CHECK(taken + allocations().heldBytes == 0);
}

#endif
