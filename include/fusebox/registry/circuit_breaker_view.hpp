// SPDX-License-Identifier: MIT
// A breaker of whatever clock and policy, as those see it who watch and steer but do not call.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "fusebox/breaker/event_hub.hpp"
#include "fusebox/breaker/named_circuit_breaker.hpp"
#include "fusebox/breaker/stats.hpp"
#include "fusebox/vocabulary/state.hpp"

namespace fusebox {

/// Name, state, mode, stats and control of one breaker; no calls. Every member means what it means
/// in CircuitBreaker.
class CircuitBreakerView {
public:
    virtual ~CircuitBreakerView() = default;

    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    [[nodiscard]] virtual CircuitState state() const noexcept = 0;
    [[nodiscard]] virtual bool isOpen() const noexcept = 0;
    [[nodiscard]] virtual std::optional<std::chrono::nanoseconds> retryAfter() const noexcept = 0;
    [[nodiscard]] virtual ControlMode mode() const noexcept = 0;
    [[nodiscard]] virtual CircuitBreakerStats stats() const = 0;
    virtual void setMode(ControlMode mode) noexcept = 0;
    virtual void open() noexcept = 0;
    virtual void open(std::chrono::nanoseconds wait) = 0;
    virtual void close() noexcept = 0;
    virtual void reset() noexcept = 0;
};

namespace detail {

/// Tells types apart without RTTI: one address a type.
using TypeTag = const void*;

template <class T>
[[nodiscard]] TypeTag typeTag() noexcept {
    static constexpr char tag{};
    return &tag;
}

/// A view that can be asked for its breaker.
class TypedView : public CircuitBreakerView {
public:
    [[nodiscard]] virtual TypeTag type() const noexcept = 0;
    /// Null unless it is one; tags differ where shared objects hide their symbols, this does not.
    [[nodiscard]] virtual NamedCircuitBreaker* named() const noexcept = 0;
    [[nodiscard]] virtual const std::shared_ptr<void>& breaker() const noexcept = 0;
    [[nodiscard]] virtual EventHub<>& events() const noexcept = 0;
};

template <class Breaker>
class BreakerView final : public TypedView {
public:
    explicit BreakerView(std::shared_ptr<Breaker> breaker)
        : owned_(std::move(breaker)), breaker_(static_cast<Breaker*>(owned_.get())) {}

    [[nodiscard]] std::string_view name() const noexcept override { return breaker_->name(); }
    [[nodiscard]] CircuitState state() const noexcept override { return breaker_->state(); }
    [[nodiscard]] bool isOpen() const noexcept override { return breaker_->isOpen(); }
    [[nodiscard]] std::optional<std::chrono::nanoseconds> retryAfter() const noexcept override {
        return breaker_->retryAfter();
    }
    [[nodiscard]] ControlMode mode() const noexcept override { return breaker_->mode(); }
    [[nodiscard]] CircuitBreakerStats stats() const override { return breaker_->stats(); }
    void setMode(ControlMode mode) noexcept override { breaker_->setMode(mode); }
    void open() noexcept override { breaker_->open(); }
    void open(std::chrono::nanoseconds wait) override { breaker_->open(wait); }
    void close() noexcept override { breaker_->close(); }
    void reset() noexcept override { breaker_->reset(); }

    [[nodiscard]] TypeTag type() const noexcept override { return typeTag<Breaker>(); }
    [[nodiscard]] NamedCircuitBreaker* named() const noexcept override {
        if constexpr (std::is_same_v<Breaker, NamedCircuitBreaker>) return breaker_;
        return nullptr;
    }
    [[nodiscard]] const std::shared_ptr<void>& breaker() const noexcept override { return owned_; }
    [[nodiscard]] EventHub<>& events() const noexcept override {
        return CoreAccess::coreOf(*breaker_).hub();
    }

private:
    std::shared_ptr<void> owned_;
    Breaker* breaker_;
};

}  // namespace detail
}  // namespace fusebox
