# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Opens a directory of event files with PyPI tensorboard and prints every scalar as tag -> [[step, time, value]].

    read_events.py DIRECTORY
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0}).Reload()
scalars = {
    tag: [[event.step, event.wall_time, event.value] for event in events.Scalars(tag)]
    for tag in events.Tags()["scalars"]
}
print(json.dumps({"version": events.file_version, "scalars": scalars}))
