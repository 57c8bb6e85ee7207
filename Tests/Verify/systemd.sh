#!/usr/bin/env bash
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
#
# systemd reads every unit in Deploy/ without a complaint.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

if ! command -v systemd-analyze >/dev/null; then
    echo "skipped: systemd units: systemd-analyze is not installed"
    exit 0
fi
count=0
for unit in Deploy/*.service; do
    complaints=$(systemd-analyze verify "$unit" 2>&1) || true
    if [ -n "$complaints" ]; then
        echo "$unit:1: systemd: $complaints"
        exit 1
    fi
    count=$((count + 1))
done
echo "gate: $count units"
