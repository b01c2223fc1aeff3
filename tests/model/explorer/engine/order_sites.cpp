// SPDX-License-Identifier: MIT
#include "engine/order_sites.hpp"

#include <string_view>

namespace fusebox::model {
namespace {

[[nodiscard]] std::string_view shortened(std::string_view file) {
    const auto at = file.rfind("fusebox/");
    return at == std::string_view::npos ? file : file.substr(at);
}

}  // namespace

std::string toString(std::memory_order order) {
    switch (order) {
        case std::memory_order_relaxed: return "relaxed";
        case std::memory_order_consume: return "consume";
        case std::memory_order_acquire: return "acquire";
        case std::memory_order_release: return "release";
        case std::memory_order_acq_rel: return "acq_rel";
        case std::memory_order_seq_cst: return "seq_cst";
    }
    return "?";
}

std::string toString(const OrderSite& site) {
    constexpr const char* kParts[] = {"load", "store", "update", "success", "failure"};
    return site.file + ":" + std::to_string(site.line) + " " +
           kParts[static_cast<std::size_t>(site.part)];
}

std::vector<std::memory_order> weakerThan(const OrderSite& site) {
    switch (site.order) {
        case std::memory_order_acquire:
        case std::memory_order_release: return {std::memory_order_relaxed};
        case std::memory_order_acq_rel:
            return {std::memory_order_acquire, std::memory_order_release,
                    std::memory_order_relaxed};
        case std::memory_order_seq_cst:
            if (site.part == Part::Load || site.part == Part::Failure)
                return {std::memory_order_acquire, std::memory_order_relaxed};
            if (site.part == Part::Store)
                return {std::memory_order_release, std::memory_order_relaxed};
            return {std::memory_order_acq_rel, std::memory_order_relaxed};
        default: return {};
    }
}

std::memory_order OrderSites::orderAt(Where where, Part part, std::memory_order order) {
    if (weakened_ && stands(*weakened_, where, part)) return weaker_;
    if (collecting_) collected_.insert({where.file, where.line, part, order});
    return order;
}

std::set<OrderSite> OrderSites::takeCollected() {
    std::set<OrderSite> sites;
    for (const auto& [file, line, part, order] : collected_)
        sites.insert({std::string{shortened(file)}, line, part, order});
    collected_.clear();
    return sites;
}

void OrderSites::weaken(const OrderSite& site, std::memory_order to) {
    weakened_ = site;
    weaker_ = to;
}

bool OrderSites::stands(const OrderSite& site, Where where, Part part) {
    return site.line == where.line && site.part == part && shortened(where.file) == site.file;
}

OrderSites& orderSites() {
    static OrderSites sites;
    return sites;
}

}  // namespace fusebox::model
