// SPDX-License-Identifier: MIT
#include "support/work.hpp"

#include <stdexcept>

namespace bench {

int work() {
    return 1;
}
int throwingWork() {
    throw std::runtime_error{"connection refused"};
}
Reply reply() {
    return {1, false};
}
Reply failedReply() {
    return {0, true};
}

}  // namespace bench
