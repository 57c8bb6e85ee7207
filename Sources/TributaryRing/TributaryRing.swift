// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The ring: the integers in which a tree adds up, and where parameters lie.
//
// A layout maps named tensors to one flat vector; ring parameters say how `weight x delta` becomes a fixed-point
// `Int64`; a ring vector holds the sums; packing writes them for the wire. Integer addition is associative and
// commutative, so sums are the same bits for any order and grouping, and what was added can be taken out.
//
// Pure: memory and arithmetic through CTributaryKernels. No files, sockets, clocks or randomness.
