// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The bus: ZeroMQ sockets, CURVE keys and admission, and the transfer of objects.
//
// One thread creates, polls and closes a `Bus`; only its `waker` may be used from others. Besides that thread there are
// libzmq's own and one that answers its admission questions (ZAP), both shared by the whole process. The room may
// touch sockets and the clock, and reads and writes objects only through a `BlockStore`. It knows frames, peers and
// digests; what a message means is decided above.
