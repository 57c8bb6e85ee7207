#!/usr/bin/env bash
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
#
# Real Slurm jobs host the devices of a tree: Deploy/slurm/fleet.sbatch as an array of three, then three tasks of one
# srun. Slurm is one node on loopback, its files in a temporary directory; nothing of a system's own Slurm is touched.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
binary=$(realpath "${TRIBUTARY_BINARY:-.build/debug/tributary}")
patience=120
rounds=3
devices=8

skip() {
    echo "skipped: slurm: $*"
    exit 0
}

[ "$(id -u)" -eq 0 ] || skip "its daemons need root"
Deploy/setup.sh --slurm || skip "its packages cannot be installed"

directory=$(mktemp -d)
pids=()

# Ends what this script started, latest first, and waits for it.
finish() {
    local status=$? index
    trap - EXIT
    scancel --me >/dev/null 2>&1 || true
    for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
        kill "${pids[index]}" 2>/dev/null || true
        timeout 20 tail --pid="${pids[index]}" -f /dev/null || kill -9 "${pids[index]}" 2>/dev/null || true
    done
    if [ "$status" -ne 0 ]; then tail -n 30 "$directory"/*.log "$directory"/jobs/*.log 2>/dev/null || true; fi
    rm -rf "$directory"
    exit "$status"
}
trap finish EXIT
trap 'exit 143' TERM INT

fail() {
    echo "error: slurm: $*"
    exit 1
}

# start NAME COMMAND...: runs in the background with its output in NAME.log.
start() {
    local name=$1
    shift
    "$@" >"$directory/$name.log" 2>&1 </dev/null &
    pids+=($!)
}

# within WHAT COMMAND...: repeats the command until it succeeds.
within() {
    local what=$1 end=$((SECONDS + patience))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "waited ${patience} s for $what"
        sleep 0.2
    done
}

free_ports() {
    python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*(socket.getsockname()[1] for socket in sockets))'
}

# --- Slurm: one node that pretends to have eight cores, so that all tasks run at once.

read -r controller_port node_port cloud_port east_port west_port < <(free_ports)
mkdir -m 755 "$directory"/{munge,state,spool,jobs}
chmod 755 "$directory"
(umask 077 && head -c 1024 /dev/urandom >"$directory/munge/munge.key")
host=$(hostname -s)
export SLURM_CONF=$directory/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=tributary
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$directory/munge/munge.socket
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/spool
SlurmctldPidFile=$directory/slurmctld.pid
SlurmdPidFile=$directory/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=8000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF

start munged munged --foreground --socket="$directory/munge/munge.socket" --key-file="$directory/munge/munge.key" \
    --pid-file="$directory/munge/munged.pid" --seed-file="$directory/munge/munged.seed" \
    --log-file="$directory/munge/munged.log"
within "munge's socket" test -S "$directory/munge/munge.socket"
start slurmctld slurmctld -D
start slurmd slurmd -D -N "$host"
within "an idle node" bash -c 'sinfo --noheader --format=%T | grep -qx idle'

# --- A cloud, two edges, eight devices; everybody must take part, and the model is that of `up`.

topology=$directory/topology.yaml
cat >"$topology" <<YAML
tributary: v1
federation: slurm
seed: 4
model: { kind: mlp, hidden: [8] }
data: { kind: synthetic, examples: 400, features: 8, classes: 3 }
rounds: $rounds
tiers:
  - { name: cloud, quorum: 1, deadline: ${patience}s, listen: "tcp://127.0.0.1:$cloud_port" }
  - { name: region, nodes: [east, west], quorum: 1 }
  - { name: device, per-parent: 4, train: { local-epochs: 1, batch: 16 } }
nodes:
  east: { listen: "tcp://127.0.0.1:$east_port" }
  west: { listen: "tcp://127.0.0.1:$west_port" }
YAML
"$binary" key new --topology "$topology" --keys "$directory/keys" >/dev/null
expected=$(timeout "$patience" "$binary" up "$topology" --runs "$directory/runs" --format json 2>"$directory/up.log" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["final"]["model_sha256"])')

# federation NAME COMMAND...: the aggregators, then the jobs that the command submits and waits for.
federation() {
    local name=$1 node last
    shift
    for node in cloud east west; do
        start "$name-$node" "$binary" node "$topology" --name "$node" --keys "$directory/keys" \
            --state "$directory/state-$name/$node" --format jsonl
    done
    last=("${pids[@]: -3}")
    TOPOLOGY=$topology KEYS=$directory/keys STATE=$directory/state-$name/fleet TRIBUTARY=$binary \
        timeout "$patience" "$@" >"$directory/$name.log" 2>&1 || fail "$name: a job failed"
    for node in "${last[@]}"; do
        timeout "$patience" tail --pid="$node" -f /dev/null || fail "$name: the run does not end"
    done
    python3 - "$directory/$name-cloud.log" "$rounds" "$devices" "$expected" <<'PYTHON' || fail "$name: see above"
import json
import sys

path, rounds, devices, expected = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
events = [json.loads(line) for line in open(path) if line.startswith("{")]
reported = {e["round"]: e["reported"] for e in events if e.get("event") == "round-collected"}
model = [e["model"] for e in events if e.get("event") == "stepped"][-1:]
if reported != dict.fromkeys(range(1, rounds + 1), devices):
    sys.exit(f"devices that took part, by round: {reported}; {devices} should in each")
if model != [expected]:
    sys.exit(f"the model is {model}, not that of `up`: {expected}")
PYTHON
}

federation array sbatch --wait --array=0-2 --output="$directory/jobs/array-%a.log" "$root/Deploy/slurm/fleet.sbatch"
federation tasks sbatch --wait --ntasks=3 --output="$directory/jobs/tasks.log" --wrap \
    'srun "$TRIBUTARY" fleet "$TOPOLOGY" --keys "$KEYS" --state "$STATE"'
for share in 0 1 2; do
    grep -q "share $share/3 (SLURM_ARRAY_TASK_ID)" "$directory/jobs/array-$share.log" || fail "array: no share $share/3"
    grep -q "share $share/3 (SLURM_PROCID)" "$directory/jobs/tasks.log" || fail "tasks: no share $share/3"
done
echo "gate: 2 jobs"
