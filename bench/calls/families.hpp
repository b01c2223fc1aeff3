// SPDX-License-Identifier: MIT
// What fusebox_calls_bench consists of; each registers its cases.
#pragma once

namespace bench {

void addFloors();
void addClosedSuccess();
void addClosedFailure();
void addOpenRejected();
void addHalfOpen();
void addByName();
void addDeadlines();
void addReadings();

}  // namespace bench
