// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The command line: one file for each verb, and one contract for what they print and how they end.
//
// Verbs wire rooms together and talk to people; they decide nothing about rounds. This is the only room that writes to
// standard output. May import every room.
