#!/usr/bin/env bash
# check_format.sh [--fix]: every C++ file is as clang-format 14 would write it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

mode=(--dry-run -Werror)
[[ ${1-} == --fix ]] && mode=(-i)

clang_format=$(command -v clang-format-14 || command -v clang-format) || {
    echo "clang-format is missing (Debian: clang-format)" >&2
    exit 1
}
find . \( -path ./build -o -path ./.git \) -prune -o \( -name '*.hpp' -o -name '*.cpp' \) -print0 |
    xargs -0 "$clang_format" "${mode[@]}"
