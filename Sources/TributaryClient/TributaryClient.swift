// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The client as a process: one or many devices, each a machine with a link, a key and a trainer of its own.
//
// What a device promised, and was promised, is on the disk before it is said: updates without an outcome in one log
// for all the devices of a process, as the frames that they are sent in.
//
// One thread owns the bus and drives the machines; local training runs on work queues beside it. May touch files and
// the bus; no HTTP and no database, so that the room can be embedded in a device.
