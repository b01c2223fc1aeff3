// SPDX-License-Identifier: MIT
#include "engine/fibers.hpp"

#include <cstdint>

namespace fusebox::model {

void Fibers::begin(std::size_t count, Body body, void* context) {
    body_ = body;
    context_ = context;
    for (std::size_t fiber = 1; fiber <= count; ++fiber) {
        if (!made_[fiber]) make(fiber);
        made_[fiber] = true;
    }
}

void Fibers::make(std::size_t fiber) {
    if (!stacks_[fiber]) stacks_[fiber] = std::make_unique<std::byte[]>(kStackBytes);
    ucontext_t& context = contexts_[fiber];
    getcontext(&context);
    context.uc_stack.ss_sp = stacks_[fiber].get();
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    // makecontext passes ints only.
    const auto self = reinterpret_cast<std::uintptr_t>(this);
    makecontext(&context, reinterpret_cast<void (*)()>(&Fibers::enter), 2,
                static_cast<unsigned>(self >> 32), static_cast<unsigned>(self));
}

void Fibers::switchTo(std::size_t fiber) {
    const std::size_t from = current_;
    current_ = fiber;
    swapcontext(&contexts_[from], &contexts_[fiber]);
}

void Fibers::enter(unsigned high, unsigned low) {
    const auto self = static_cast<std::uintptr_t>(high) << 32 | low;
    reinterpret_cast<Fibers*>(self)->loop();
}

void Fibers::loop() {
    for (;;) body_(context_, current_);
}

}  // namespace fusebox::model
