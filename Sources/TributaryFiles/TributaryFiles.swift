// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Files: whole-or-nothing writing, mapped models, the object store, data set readers and safetensors.
//
// The room may touch the file system and zlib; it knows no sockets, no clock, no protocol and no learning. What it
// reads is not trusted: every size is checked against the file before memory is reserved, and wrong bytes are errors
// that say what, where and what to do.
//
//     AtomicFile      write to a temporary file, sync, rename
//     MappedFile      a read-only file in memory; MappedVector: float32 values that live in a file
//     ObjectStore     content-addressed objects and resumable partial ones (Core's BlockStore)
//     DatasetFile     IDX, CSV and NPZ behind one door: labels of all rows, features of the rows asked for
//     Safetensors     models on disk
//     DirectoryLock   one node per state directory
