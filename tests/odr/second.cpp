// SPDX-License-Identifier: MIT
#include "view.hpp"

View secondView() {
    return look();
}

void tripInSecond() {
    fusebox::createCircuitBreaker(breakerName)->open();
}
