// SPDX-License-Identifier: MIT
// What was to be seen was seen when the project was configured.
int main() {}
