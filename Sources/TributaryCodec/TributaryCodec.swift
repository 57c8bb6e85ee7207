// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The codec: how one group's delta becomes bytes and what bytes a receiver accepts.
//
// Encodings, their sizes, the check of a body while it arrives, and the client's last step before encoding: the delta
// itself and its scaling onto the bound.
//
// Pure: bytes and values that are passed in. No files, sockets, clocks or randomness.
