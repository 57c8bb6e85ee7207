#!/bin/sh
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
#
# Proves that the committed protoc-c output is what Proto/ gives: generates it again and compares.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

"$root/Proto/generate.sh" "$fresh"
for part in tributary include/tributary; do
    if ! diff -ru "$root/Sources/CTributaryWire/$part" "$fresh/$part"; then
        echo "check.sh: Sources/CTributaryWire differs from what Proto/ gives; run Proto/generate.sh and commit" >&2
        exit 1
    fi
done
echo "proto-check: Sources/CTributaryWire is what Proto/ gives"
