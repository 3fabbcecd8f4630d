# Sourced by the measurements: installs from Debian's archive what is missing, as root or as
# somebody who may use sudo, and builds what is measured with optimisation.

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing ${missing[*]}" >&2
    # RUNLEVEL=1: the server's package starts no service.
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends "${missing[@]}" >/dev/null
}

build() {
    cargo build --release --locked --bin keepwarm --example bare_fetch
    export KEEPWARM_BENCH_DIR="$PWD/target/release"
}
