// SPDX-License-Identifier: MIT
// One target, run by libFuzzer; see the script `run`.
#include <cstddef>
#include <cstdint>

#include "fuzz/targets.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fusebox::test::FUSEBOX_FUZZ_TARGET({data, size});
    return 0;
}
