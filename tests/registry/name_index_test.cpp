// SPDX-License-Identifier: MIT
#include "fusebox/registry/name_index.hpp"

#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fusebox/registry/hazard_pointers.hpp"
#include "support/catch.hpp"

namespace {

/// An entry whose hash is whatever the test wants.
class HashedEntry {
public:
    HashedEntry(std::string name, std::size_t hash) : name_(std::move(name)), hash_(hash) {}
    explicit HashedEntry(std::string name)
        : name_(std::move(name)), hash_(std::hash<std::string_view>{}(name_)) {}
    [[nodiscard]] std::string_view name() const noexcept { return name_; }
    [[nodiscard]] std::size_t hash() const noexcept { return hash_; }

private:
    std::string name_;
    std::size_t hash_;
};

using Index = fusebox::detail::NameIndex<HashedEntry>;
constexpr std::size_t kWindow = fusebox::detail::NameTable<HashedEntry>::kWindow;

/// A hazard pointer that lets something happen just before it is seen for the first time.
class Meddler {
public:
    explicit Meddler(std::function<void()> meddle) : meddle_(std::move(meddle)) {}

    void store(const void* address, std::memory_order) noexcept {
        if (address != nullptr) {
            if (const auto meddle = std::exchange(meddle_, nullptr)) meddle();
        }
        seen = address;
    }

    const void* seen = nullptr;

private:
    std::function<void()> meddle_;
};

/// What a search says: the entry, surely nothing, or nothing that it could find.
enum class Answer { Found, Nothing, Unsure };

Answer ask(const Index& index, const HashedEntry& entry) {
    fusebox::detail::HazardSlot hazard{nullptr};
    const auto certainty = index.certainty();
    const HashedEntry* found = index.find(entry.name(), entry.hash(), hazard);
    CHECK(found == hazard.load());
    if (found) {
        CHECK(found == &entry);
        return Answer::Found;
    }
    return index.isProof(certainty) ? Answer::Nothing : Answer::Unsure;
}

std::vector<std::unique_ptr<HashedEntry>> entries(std::size_t count) {
    std::vector<std::unique_ptr<HashedEntry>> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(std::make_unique<HashedEntry>("name " + std::to_string(i)));
    }
    return all;
}

/// Each in a slot of its own, one behind the other.
std::vector<std::unique_ptr<HashedEntry>> inARow(std::size_t count) {
    std::vector<std::unique_ptr<HashedEntry>> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(std::make_unique<HashedEntry>("in a row " + std::to_string(i), i));
    }
    return all;
}

/// All with one hash.
std::vector<std::unique_ptr<HashedEntry>> flood(std::size_t count, std::size_t hash) {
    std::vector<std::unique_ptr<HashedEntry>> all;
    for (std::size_t i = 0; i < count; ++i) {
        all.push_back(std::make_unique<HashedEntry>("flood " + std::to_string(i), hash));
    }
    return all;
}

}  // namespace

TEST_CASE("An index finds what was added and not what was removed, while it grows") {
    Index index;
    const auto all = entries(10'000);
    CHECK(ask(index, *all[0]) == Answer::Nothing);
    for (const auto& entry : all) index.add(*entry);
    CHECK(index.slots() <= all.size() * 8);
    std::size_t found = 0;
    for (const auto& entry : all) found += ask(index, *entry) != Answer::Nothing;
    CHECK(found == all.size());
    for (std::size_t i = 0; i < all.size(); i += 2) index.remove(*all[i]);
    std::size_t gone = 0;
    for (std::size_t i = 0; i < all.size(); i += 2) gone += ask(index, *all[i]) != Answer::Found;
    CHECK(gone == all.size() / 2);
    CHECK(ask(index, *all[1]) == Answer::Found);
}

TEST_CASE("Names that come and go without end need no more tables") {
    Index index;
    const std::size_t slots = index.slots();
    std::vector<std::unique_ptr<HashedEntry>> present;
    for (int i = 0; i < 100'000; ++i) {
        present.push_back(std::make_unique<HashedEntry>("user " + std::to_string(i)));
        index.add(*present.back());
        if (present.size() < 8) continue;
        index.remove(*present.front());
        present.erase(present.begin());
    }
    CHECK(index.slots() == slots);
    for (const auto& entry : present) CHECK(ask(index, *entry) == Answer::Found);
    CHECK(ask(index, HashedEntry{"user 0"}) == Answer::Nothing);
}

TEST_CASE("Names with one hash are told apart by their text, and make no table grow") {
    Index index;
    const std::size_t slots = index.slots();
    const std::size_t hash = GENERATE(std::size_t{0}, ~std::size_t{0}, std::size_t{12345});
    const auto all = flood(1'000, hash);
    for (const auto& entry : all) index.add(*entry);
    CHECK(index.slots() <= slots * 4);
    std::size_t found = 0;
    for (const auto& entry : all) {
        const Answer answer = ask(index, *entry);
        found += answer == Answer::Found;
        CHECK(answer != Answer::Nothing);
    }
    CHECK(found == kWindow);
    // As long as some are only in the map, no search is proof; then it is again.
    CHECK(ask(index, HashedEntry{"nobody"}) == Answer::Unsure);
    for (const auto& entry : all) index.remove(*entry);
    CHECK(ask(index, HashedEntry{"nobody"}) == Answer::Nothing);
    CHECK(ask(index, *all[0]) == Answer::Nothing);
}

TEST_CASE("What collides in the low bits alone is found, and grows apart or is left to the map") {
    Index index;
    std::vector<std::unique_ptr<HashedEntry>> all;
    for (std::size_t i = 0; i < 64; ++i) {
        all.push_back(std::make_unique<HashedEntry>("n" + std::to_string(i), i << 40));
        index.add(*all.back());
    }
    for (const auto& entry : all) CHECK(ask(index, *entry) != Answer::Nothing);
    CHECK(index.slots() <= 4 * Index::kFirstCapacity);
}

TEST_CASE("Whoever looks at an old table does not find what was removed since") {
    Index index;
    const auto all = entries(2'000);
    index.add(*all[0]);
    // A search that began before the tables grew goes on in the old one.
    for (std::size_t i = 1; i < all.size(); ++i) index.add(*all[i]);
    index.remove(*all[0]);
    CHECK(index.countTables(*all[0]) == 0);
    // Each table has twice the slots of the one before it.
    const auto tables =
        static_cast<std::size_t>(std::bit_width(index.slots() / Index::kFirstCapacity));
    CHECK(tables >= 8);
    CHECK(index.countTables(*all[1]) == tables);
}

TEST_CASE("An entry that is withdrawn is neither found nor missed") {
    Index index;
    const auto all = entries(3);
    for (const auto& entry : all) index.add(*entry);
    const auto before = index.certainty();
    const bool wasInNewest = index.withdraw(*all[1]);
    CHECK(wasInNewest);
    CHECK(ask(index, *all[1]) == Answer::Unsure);
    CHECK(ask(index, *all[2]) == Answer::Found);
    CHECK_FALSE(index.isProof(before));

    SECTION("and put back") {
        index.putBack(*all[1], wasInNewest);
        CHECK(ask(index, *all[1]) == Answer::Found);
        CHECK(ask(index, HashedEntry{"nobody"}) == Answer::Nothing);
        // A search from before may have come by while it was away.
        CHECK_FALSE(index.isProof(before));
    }
    SECTION("and forgotten") {
        index.forget(wasInNewest);
        CHECK(ask(index, *all[1]) == Answer::Nothing);
    }
}

TEST_CASE("An entry that goes just before the hazard pointer is seen is not found") {
    Index index;
    HashedEntry entry{"here"};
    index.add(entry);

    SECTION("removed") {
        const auto certainty = index.certainty();
        Meddler hazard{[&] { index.remove(entry); }};
        CHECK(index.find("here", entry.hash(), hazard) == nullptr);
        CHECK(hazard.seen == nullptr);
        CHECK_FALSE(index.isProof(certainty));
    }
    SECTION("replaced by one of the same name") {
        HashedEntry next{"here"};
        Meddler hazard{[&] {
            index.remove(entry);
            index.add(next);
        }};
        CHECK(index.find("here", entry.hash(), hazard) == &next);
        CHECK(hazard.seen == &next);
    }
    SECTION("replaced by one of another name and the same hash") {
        HashedEntry next{"there", entry.hash()};
        Meddler hazard{[&] {
            index.remove(entry);
            index.add(next);
        }};
        CHECK(index.find("here", entry.hash(), hazard) == nullptr);
        CHECK(hazard.seen == nullptr);
    }
    SECTION("removed after the tables grew") {
        const auto all = entries(1'000);
        Meddler hazard{[&] {
            for (const auto& one : all) index.add(*one);
            index.remove(entry);
        }};
        CHECK(index.find("here", entry.hash(), hazard) == nullptr);
    }
}

TEST_CASE("An entry without a place in the index may be withdrawn and put back as well") {
    Index index;
    const auto all = flood(kWindow + 1, 7);
    for (const auto& entry : all) index.add(*entry);
    const HashedEntry& unplaced = *all.back();
    REQUIRE(ask(index, unplaced) == Answer::Unsure);
    CHECK_FALSE(index.withdraw(unplaced));
    index.putBack(*all.back(), false);
    CHECK(ask(index, unplaced) == Answer::Unsure);
    for (std::size_t i = 0; i < kWindow; ++i) CHECK(ask(index, *all[i]) == Answer::Found);
    CHECK_FALSE(index.withdraw(unplaced));
    index.forget(false);
    CHECK(ask(index, unplaced) == Answer::Nothing);
}

TEST_CASE("An entry that finds no place in a larger table is not taken for missing") {
    // In 64 slots these begin at the end and go round. In 128 they do as well; but there those that
    // went round are moved first, then what stood behind them, and the two at the end come last.
    Index index;
    std::vector<std::unique_ptr<HashedEntry>> apart;
    for (std::size_t i = 0; i < 14; ++i) {
        apart.push_back(std::make_unique<HashedEntry>("apart " + std::to_string(i), 20 + i));
    }
    auto round = flood(14, 126);
    std::vector<std::unique_ptr<HashedEntry>> behind;
    for (std::size_t i = 0; i < 4; ++i) {
        behind.push_back(
            std::make_unique<HashedEntry>("behind " + std::to_string(i), std::size_t{0}));
    }
    for (const auto* group : {&apart, &round, &behind}) {
        for (const auto& entry : *group) index.add(*entry);
    }
    for (const auto& entry : round) CHECK(ask(index, *entry) == Answer::Found);
    HashedEntry last{"the last before it grows", 50};
    index.add(last);
    CHECK(index.slots() == 32 + 64 + 128);
    std::size_t unsure = 0;
    const auto look = [&](const auto& entries) {
        for (const auto& entry : entries) {
            const Answer answer = ask(index, *entry);
            CHECK(answer != Answer::Nothing);
            unsure += answer == Answer::Unsure;
        }
    };
    look(apart);
    look(round);
    look(behind);
    CHECK(unsure == 2);
    // Once they are gone, no search is in doubt, and there is room for half of the slots again.
    for (const auto* group : {&apart, &round, &behind}) {
        for (const auto& entry : *group) index.remove(*entry);
    }
    index.remove(last);
    CHECK(ask(index, HashedEntry{"nobody"}) == Answer::Nothing);
    const auto others = inARow(65);
    for (std::size_t i = 0; i < 64; ++i) index.add(*others[i]);
    CHECK(index.slots() == 32 + 64 + 128);
    index.add(*others[64]);
    CHECK(index.slots() == 32 + 64 + 128 + 256);
}

TEST_CASE("An index doubles when more than half of its slots would be taken") {
    Index index;
    const auto all = inARow(65);
    std::vector<std::size_t> wrong;
    for (std::size_t i = 0; i < all.size(); ++i) {
        index.add(*all[i]);
        const std::size_t expected =
            32 + (i < 16 ? 0 : 64) + (i < 32 ? 0 : 128) + (i < 64 ? 0 : 256);
        if (index.slots() != expected) wrong.push_back(i);
    }
    CHECK(wrong == std::vector<std::size_t>{});
}

TEST_CASE("An index doubles for one that finds no place, but not while it is nearly empty") {
    // 16 in a row, which leave no place to one that begins where they do in 64 slots, not in 128.
    Index index;
    auto all = inARow(kWindow);
    for (const auto& entry : all) index.add(*entry);
    HashedEntry elsewhere{"elsewhere", 40};
    index.add(elsewhere);
    REQUIRE(index.slots() == 32 + 64);
    HashedEntry crowded{"crowded", 64};

    SECTION("more than a quarter is taken") {
        index.add(crowded);
        CHECK(index.slots() == 32 + 64 + 128);
        CHECK(ask(index, crowded) == Answer::Found);
        CHECK(ask(index, HashedEntry{"nobody"}) == Answer::Nothing);
    }
    SECTION("a quarter is taken") {
        index.remove(elsewhere);
        index.add(crowded);
        CHECK(index.slots() == 32 + 64);
        CHECK(ask(index, crowded) == Answer::Unsure);
    }
}

TEST_CASE("A search protects no entry of another hash") {
    // But for the highest bit, which marks the slots that were used.
    const std::size_t hash = GENERATE(std::size_t{0}, std::size_t{0x1234'5678'9abc'def0});
    std::vector<int> wrong;
    for (int bit = 0; bit < std::numeric_limits<std::size_t>::digits - 1; ++bit) {
        Index index;
        HashedEntry entry{"there", hash ^ std::size_t{1} << bit};
        index.add(entry);
        int protections = 0;
        Meddler hazard{[&] { ++protections; }};
        const bool found = index.find("there", hash, hazard) != nullptr;
        if (found || protections != 0) wrong.push_back(bit);
    }
    CHECK(wrong == std::vector<int>{});
}
