// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Fleets in virtual time: a discrete-event driver over the very machines that run a deployment.
//
// The driver answers what the machines ask for: it moves messages over links that have a bandwidth and a latency,
// trains devices when their plan has come, and lets time jump to the next event. One thread runs the machines, so a
// seed gives the same run on any number of cores; other threads only compute ahead what devices will have trained when
// their moment comes. A device that is in no cohort does not exist: who it is, what it holds and when it is awake are
// functions of the seed and its client index.
//
// May import the pure rooms, digests, and the wire's size functions. No files, no clock, no sockets, no output.
