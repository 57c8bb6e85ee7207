// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The command line: one file for each verb, and `up`, which runs a whole tree as processes on one machine.
//
// The room that wires the others together. Only here does anything go to standard output; every verb ends with an exit
// code of the contract, and says what, where and what to do when it fails.
