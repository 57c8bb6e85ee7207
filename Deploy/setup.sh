#!/usr/bin/env bash
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
#
# Installs from Debian what Tributary needs beyond a Swift toolchain. Does nothing, and needs no network, when
# everything is there.
#
#   Deploy/setup.sh           what building and running need
#   Deploy/setup.sh --tests   also the Python environment that the tests use (.build/venv)
#   Deploy/setup.sh --slurm   also Slurm, for Tests/Verify/slurm.sh

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
with_tests=no
with_slurm=no

say() { printf 'setup: %s\n' "$*" >&2; }

fail() {
    printf 'setup: error: %s\n' "$*" >&2
    exit 1
}

for argument in "$@"; do
    case "$argument" in
        --tests) with_tests=yes ;;
        --slurm) with_slurm=yes ;;
        -h | --help)
            sed -n '5,10s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *)
            printf 'setup: error: unknown argument %s (known: --tests --slurm)\n' "$argument" >&2
            exit 64
            ;;
    esac
done

# Package and reason, one a line.
packages() {
    cat <<'LIST'
libzmq3-dev            the buses between devices, edges and the cloud (ZeroMQ with CURVE)
libprotobuf-c-dev      messages on the wire (protobuf-c)
libssl-dev             SHA-256 (libcrypto)
libsodium-dev          devices' signatures (Ed25519)
libsqlite3-dev         the journal: what was promised, in a file that survives a crash
zlib1g-dev             data sets that come as .gz, and NPZ archives
protobuf-compiler      Proto/*.proto: read by protoc-c, and turned into Python for the tests
protobuf-c-compiler    regenerates the committed C of Proto/ (make proto-check)
dataset-fashion-mnist  the pictures that `make demo` learns from
make                   the commands in the README
LIST
    if [ "$with_tests" = yes ]; then
        cat <<'LIST'
git                    the tidy rules read the list of tracked files
python3                oracles, the Python device and the tidy rules
python3-venv           keeps the tests' Python packages out of the system's
LIST
    fi
    if [ "$with_slurm" = yes ]; then
        cat <<'LIST'
slurm-wlm              jobs that host a fleet's shares, on one node
munge                  by which Slurm's daemons know each other
LIST
    fi
}

is_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]
}

install_packages() {
    local missing=() name reason
    command -v dpkg-query >/dev/null ||
        fail "this is not a Debian system; install what matches: $(packages | awk '{printf "%s ", $1}')"
    while read -r name reason; do
        is_installed "$name" && continue
        say "missing: $name ($reason)"
        missing+=("$name")
    done < <(packages)
    [ "${#missing[@]}" -eq 0 ] && return 0

    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "neither root nor sudo; run this as root: apt-get update && apt-get install -y ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing from Debian: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq ||
        say "apt-get update failed; trying with the package lists that are here"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2 ||
        fail "apt-get could not install ${missing[*]}; its messages are above"
}

check_swift() {
    command -v swift >/dev/null ||
        fail "swift is not in PATH; install a Swift 6.2 or later toolchain (https://www.swift.org/install/linux/)"
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    case "$version" in
        "") say "cannot read the version of $(command -v swift); 6.2 or later is needed" ;;
        [0-5].* | 6.0 | 6.1) fail "Swift $version is too old; 6.2 or later is needed" ;;
    esac
}

# The environment is made again when the requirements change or when its Python no longer runs.
make_environment() {
    local requirements=$root/Tests/requirements.txt environment=$root/.build/venv
    local stamp=$environment/requirements.sha256 wanted
    wanted=$(sha256sum <"$requirements")
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && "$environment/bin/python" -c '' 2>/dev/null; then
        return 0
    fi
    say "making the tests' Python environment in .build/venv from Tests/requirements.txt"
    rm -rf "$environment"
    mkdir -p "$root/.build"
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -m venv "$environment" >/dev/null 2>&1 && break
        rm -rf "$environment"
    done
    [ -x "$environment/bin/python" ] ||
        fail "python3 -m venv does not work here; install the venv module of $(command -v python3 || echo python3)"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$requirements" >&2 ||
        fail "pip could not install Tests/requirements.txt; is the package index reachable?"
    printf '%s\n' "$wanted" >"$stamp"
}

install_packages
check_swift
if [ "$with_tests" = yes ]; then
    make_environment
fi
