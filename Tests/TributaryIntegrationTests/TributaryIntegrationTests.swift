// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Integration: the program itself as real processes on loopback, over real sockets.
//
// A test starts what it needs in a `Fleet`, waits for events with a deadline, and leaves nothing behind. Data are
// small and synthetic. Python plays devices that no honest program would be: see Tests/Python/device.py.
