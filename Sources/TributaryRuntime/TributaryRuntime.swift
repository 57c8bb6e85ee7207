// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The runtime: an aggregator as a service, from a topology to a running node.
//
// One thread owns the bus and drives the machine; vectors and files are worked on beside it, in order. Everything that
// touches the world meets here; what is decided, is decided in the machines.
