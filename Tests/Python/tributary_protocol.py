# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of Proto/, as Python classes that protoc writes when they are first needed."""

import fcntl
import importlib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ["membership", "object", "outcome", "round", "sum", "update", "envelope"]


def generate(target):
    """Runs protoc unless its output is younger than every proto file."""
    sources = sorted((ROOT / "Proto").rglob("*.proto"))
    stamp = target / "generated"
    if stamp.exists() and stamp.stat().st_mtime > max(source.stat().st_mtime for source in sources):
        return
    subprocess.run(
        ["protoc", "-I", str(ROOT / "Proto"), f"--python_out={target}"] + [str(source) for source in sources],
        check=True)
    stamp.touch()


def load(directory=None):
    """Returns one namespace with every message of the protocol."""
    target = pathlib.Path(directory) if directory else ROOT / ".build" / "proto-python"
    target.mkdir(parents=True, exist_ok=True)
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        generate(target)
    sys.path.insert(0, str(target))

    class Messages:
        pass

    for kind in KINDS:
        module = importlib.import_module(f"tributary.v1.{kind}_pb2")
        for name, value in vars(module).items():
            if not name.startswith("_"):
                setattr(Messages, name, value)
    return Messages
