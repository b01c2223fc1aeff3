// SPDX-License-Identifier: MIT
// The places in the source that name a memory order, and one of them made weaker.
#pragma once

#include <atomic>
#include <compare>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace fusebox::model {

/// Where an operation stands in the source: a default argument of the operation.
struct Where {
    const char* file = "";
    int line = 0;

    // Not std::source_location, which clang 14 does not have.
    [[nodiscard]] static constexpr Where here(const char* file = __builtin_FILE(),
                                              int line = __builtin_LINE()) noexcept {
        return {file, line};
    }
};

/// The part of an operation that an order is of.
enum class Part { Load, Store, Update, Success, Failure };

/// One memory order in the source.
struct OrderSite {
    std::string file;  ///< From "fusebox/" on.
    int line = 0;
    Part part = Part::Load;
    std::memory_order order = std::memory_order_relaxed;

    friend auto operator<=>(const OrderSite&, const OrderSite&) = default;
};

[[nodiscard]] std::string toString(std::memory_order order);
[[nodiscard]] std::string toString(const OrderSite& site);
/// The orders that are weaker, strongest first.
[[nodiscard]] std::vector<std::memory_order> weakerThan(const OrderSite& site);

/// Collects the sites that are executed, and weakens at most one.
class OrderSites {
public:
    [[nodiscard]] std::memory_order orderAt(Where where, Part part, std::memory_order order);

    void collect(bool on) noexcept { collecting_ = on; }
    /// Those that were executed since the last time.
    [[nodiscard]] std::set<OrderSite> takeCollected();
    void weaken(const OrderSite& site, std::memory_order to);
    void restore() noexcept { weakened_.reset(); }

private:
    [[nodiscard]] static bool stands(const OrderSite& site, Where where, Part part);

    // The text of one file may be at several addresses: these are put together when taken.
    using Seen = std::tuple<const char*, int, Part, std::memory_order>;

    bool collecting_ = false;
    std::set<Seen> collected_;
    std::optional<OrderSite> weakened_;
    std::memory_order weaker_ = std::memory_order_relaxed;
};

[[nodiscard]] OrderSites& orderSites();

}  // namespace fusebox::model
