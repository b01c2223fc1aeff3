// SPDX-License-Identifier: MIT
// A payment from the body of a request, which may hold anything.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "dependency.hpp"

namespace shop {

using Json = nlohmann::ordered_json;

/// The request cannot be understood; the sentence says why, and repeats nothing of it.
struct BadRequest : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

inline Payment paymentFrom(const std::string& body) {
    const Json json = Json::parse(body, nullptr, false);
    if (!json.is_object()) throw BadRequest{"the body is no JSON object"};
    const auto id = json.find("id");
    const auto cents = json.find("cents");
    if (id == json.end() || !id->is_string() || cents == json.end() ||
        !cents->is_number_integer()) {
        throw BadRequest{"a payment has an id, a text, and cents, a whole number"};
    }
    Payment payment{id->get<std::string>(), 0};
    if (payment.id.empty() || payment.id.size() > 64) throw BadRequest{"id has 1 to 64 bytes"};
    // One that is unsigned may be more than a signed one holds.
    const bool fits = !cents->is_number_unsigned() || cents->get<std::uint64_t>() <= 100'000'000;
    if (!fits || cents->get<std::int64_t>() < 1) throw BadRequest{"cents are 1 to 100000000"};
    payment.cents = cents->get<int>();
    return payment;
}

}  // namespace shop
