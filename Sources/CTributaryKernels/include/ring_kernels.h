// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Kernels of the ring: float32 deltas into Int64 sums, bit packing of sums, and the plain reads that measure memory.
//
// All bytes are little-endian and may lie at any address. Every variant of a kernel gives the same bits.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The most inputs that one fold takes.
#define TRIBUTARY_FOLD_INPUT_MAX 16
/// Values in one block of packed ring integers.
#define TRIBUTARY_PACK_BLOCK 1024
/// The most bytes that one packed block takes: a width and 64 bits a value.
#define TRIBUTARY_PACK_BLOCK_BYTES_MAX (1 + 8 * TRIBUTARY_PACK_BLOCK)

/// The instruction sets for which the fold is compiled.
typedef enum {
    TRIBUTARY_RING_BASELINE = 0,
    TRIBUTARY_RING_AVX2 = 1,
    TRIBUTARY_RING_AVX512 = 2,
} tributary_ring_variant;

/// One float32 vector that enters a fold.
typedef struct {
    /// `count` float32 values, little-endian, at any address.
    const void *_Nonnull values;
    /// `weight * 2^exponent`, negative to take the vector out; `|scale| * bound < 2^51`.
    double scale;
} tributary_fold_input;

/// The widest variant that this processor runs.
tributary_ring_variant tributary_ring_variant_best(void);

/// Adds `roundHalfToEven(scale * value)` of every input to `sum`, each product rounded once.
///
/// `first_bad[k]` becomes -1, or the index of the first value of input k that is not finite or beyond `bound` in
/// magnitude; such an input leaves `sum` unchanged. `input_count` is at most TRIBUTARY_FOLD_INPUT_MAX, `bound` positive
/// and finite, `variant` at most the best one.
void tributary_ring_fold(
    tributary_ring_variant variant, int64_t *_Nonnull sum, size_t count, const tributary_fold_input *_Nonnull inputs,
    size_t input_count, float bound, int64_t *_Nonnull first_bad);

/// The index of the first of `count` float32 values that is not finite or beyond `bound`, or -1.
int64_t tributary_ring_first_bad(const void *_Nonnull values, size_t count, float bound);

/// The largest magnitude of `count` float32 values as its bit pattern: infinity and not-a-number are the largest.
uint32_t tributary_ring_magnitude_bits(const void *_Nonnull values, size_t count);

/// Adds `count` Int64 values, wrapping.
void tributary_ring_add(int64_t *_Nonnull sum, const void *_Nonnull values, size_t count);

/// Subtracts `count` Int64 values, wrapping.
void tributary_ring_subtract(int64_t *_Nonnull sum, const void *_Nonnull values, size_t count);

/// `mean[i] = (double)sum[i] / divisor`.
void tributary_ring_mean(const int64_t *_Nonnull sum, size_t count, double divisor, double *_Nonnull mean);

/// Packs `count` values block by block into `bytes`; returns the bytes written.
///
/// A block is one byte, the width w in 0...64 of the block's largest zigzag value, then w bits of each value's zigzag,
/// least significant bit first, filled with zero bits to a whole byte. `bytes` holds as many
/// TRIBUTARY_PACK_BLOCK_BYTES_MAX as there are blocks.
size_t tributary_ring_pack(const int64_t *_Nonnull values, size_t count, uint8_t *_Nonnull bytes);

/// The bytes that `tributary_ring_pack` would write.
size_t tributary_ring_packed_size(const int64_t *_Nonnull values, size_t count);

typedef enum {
    TRIBUTARY_UNPACK_OK = 0,
    /// The bytes end inside a block.
    TRIBUTARY_UNPACK_TRUNCATED = 1,
    /// Bytes follow the last block.
    TRIBUTARY_UNPACK_TRAILING = 2,
    /// A width is above 64, or not the smallest that holds its block.
    TRIBUTARY_UNPACK_WIDTH = 3,
    /// The bits that fill a block's last byte are not zero.
    TRIBUTARY_UNPACK_PADDING = 4,
    /// A value lies beyond the bound.
    TRIBUTARY_UNPACK_BOUND = 5,
} tributary_unpack_status;

typedef struct {
    tributary_unpack_status status;
    /// The first value of the block with the error.
    size_t value_index;
} tributary_unpack_result;

/// Adds (`subtract` = 0) or subtracts packed values; unless the status is OK, `sum` is unchanged.
///
/// Any bytes are safe. `magnitude_max` is below 2^63.
tributary_unpack_result tributary_ring_unpack(
    int64_t *_Nonnull sum, size_t count, const void *_Nonnull bytes, size_t byte_count, uint64_t magnitude_max,
    int subtract);

/// Plain versions of reading `byte_count` bytes and adding them up, to measure the memory's bandwidth.
#define TRIBUTARY_READ_VERSIONS 3
/// The sum of the 8-byte words; `version` in 0..<TRIBUTARY_READ_VERSIONS, `byte_count` a multiple of 256.
uint64_t tributary_ring_read(int version, const void *_Nonnull bytes, size_t byte_count);
