#include <array>

int main() {
    // [twice]
    std::array<int, 2> both{1, 2};
    // [inner]
    both[0] = 2 * both[1];

    if (both[0] == 4) {
        both[1] = '\\';
    }
    // [/inner]
    // [/twice]
    return 0;
}
