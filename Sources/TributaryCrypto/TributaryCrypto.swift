// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Cryptography: the digest that addresses objects, by libcrypto; signatures and secrets' randomness, by libsodium.
//
// The room wraps C handles in values and hands out Core's types; it may touch the two libraries and nothing else: no
// files, no sockets, no clock.
