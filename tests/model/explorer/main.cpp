#include "litmus.hpp"
int main() { return fusebox::model::checkLitmus() ? 0 : 1; }
