// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Cryptography: the digest that addresses objects, computed by libcrypto.
//
// The room wraps C handles in move-only values and hands out Core's types; it may touch libcrypto and nothing else:
// no files, no sockets, no clock.
