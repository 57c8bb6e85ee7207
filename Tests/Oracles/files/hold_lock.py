# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Holds a directory's lock as another node would, prints its process id, and ends with its standard input.

    hold_lock.py DIRECTORY
"""

import fcntl
import os
import sys

with open(os.path.join(sys.argv[1], "lock"), "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    print(os.getpid(), flush=True)
    sys.stdin.read()
