# What examples/run and tests/run share; to be sourced at the top of the repository.

# need_packages <debian package>...: installs those that are missing, as root on Debian and its
# kin. Anyone else is told what is missing, and the build then says what it cannot do without.
need_packages() {
    if ! command -v dpkg-query >/dev/null; then
        command -v cmake >/dev/null || echo "Needed, by their Debian names: $*" >&2
        return
    fi
    local package missing=()
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    if ((EUID != 0)); then
        echo "Missing packages. As root: apt-get install ${missing[*]}" >&2
        return
    fi
    echo "==> installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# configure <preset> [<option of CMake>...]: says which dependencies were found and which parts are
# skipped.
configure() {
    local log
    echo "==> $1: configure"
    if ! log=$(cmake --preset "$@" 2>&1); then
        printf '%s\n' "$log" >&2
        return 1
    fi
    grep '^-- fusebox' <<<"$log" || true
}
