#!/bin/sh
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
#
# Writes protoc-c's output for every file of Proto/tributary into a directory laid out as Sources/CTributaryWire:
# headers under include/, sources beside it. Usage: Proto/generate.sh [DIRECTORY]
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target=${1:-$root/Sources/CTributaryWire}

if ! command -v protoc-c >/dev/null 2>&1; then
    echo "generate.sh: protoc-c is not installed; install Debian's protobuf-c-compiler (make setup does)" >&2
    exit 69
fi

mkdir -p "$target/include"
target=$(cd "$target" && pwd)
rm -rf "$target/tributary" "$target/include/tributary"
cd "$root/Proto"
find tributary -name '*.proto' | LC_ALL=C sort | xargs protoc-c -I . --c_out="$target"
cd "$target"
find tributary -name '*.pb-c.h' | while read -r header; do
    mkdir -p "include/$(dirname "$header")"
    mv "$header" "include/$header"
done
