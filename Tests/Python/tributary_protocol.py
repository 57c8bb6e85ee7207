# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""The messages of Proto/, as Python classes that protoc writes when they are first needed."""

import fcntl
import hashlib
import importlib
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ["membership", "object", "outcome", "round", "sum", "update", "envelope"]


def generate(target):
    """Runs protoc unless its output is of the proto files as they are; their times say little after a checkout."""
    sources = sorted((ROOT / "Proto").rglob("*.proto"))
    text = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    stamp = target / "generated"
    if stamp.exists() and stamp.read_text() == text:
        return
    subprocess.run(
        ["protoc", "-I", str(ROOT / "Proto"), f"--python_out={target}"] + [str(source) for source in sources],
        check=True)
    stamp.write_text(text)


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
