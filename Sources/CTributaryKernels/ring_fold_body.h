// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The fold, compiled once per instruction set: the including file defines RING_FOLD (the function's name) and
// RING_MULTIPLY_ADD(x, s, m), which makes x the vector x * s + m, rounded once.
//
// Adding 1.5 * 2^52 to a product below 2^51 in magnitude rounds it to an integer, half to even, that stands in the low
// bits of the sum's pattern; subtracting the constant's pattern leaves the integer. The patterns are added as they are
// and the constants taken off once per column.
//
// A block of sums stays in the first-level cache while the inputs pass, up to eight at a time, and the inputs that
// come next are fetched into the second-level cache meanwhile: sixteen streams at equal offsets of their pages would
// throw each other out of the first. The largest magnitude is kept along the way; a block that holds a bad value is
// folded again without its input, before anything of the block has reached the sum.

#include <string.h>

#pragma STDC FP_CONTRACT OFF

// Values per block: 16 KiB of sums.
#define BLOCK 2048
// Values per step of the inner loop.
#define STEP 16

typedef float float8 __attribute__((vector_size(32)));
typedef uint32_t uint8x32 __attribute__((vector_size(32)));
typedef double double8 __attribute__((vector_size(64)));
typedef int64_t int8x64 __attribute__((vector_size(64)));
// The same at any address, as mapped files and chunks lie.
typedef float float8_unaligned __attribute__((vector_size(32), aligned(1), may_alias));
typedef int64_t int8x64_unaligned __attribute__((vector_size(64), aligned(1), may_alias));

static const double roundingConstant = 0x1.8p52;
static const int64_t roundingPattern = 0x4338000000000000;

typedef struct {
    const char *values[TRIBUTARY_FOLD_INPUT_MAX];
    double scale[TRIBUTARY_FOLD_INPUT_MAX];
    size_t index[TRIBUTARY_FOLD_INPUT_MAX];
    size_t count;
} live_inputs;

/// Adds `width` inputs' columns `offset..<offset + count` to `from`, into `to`; returns the largest magnitude's bits.
static inline __attribute__((always_inline)) uint32_t fold_columns(
    const int64_t *from, int64_t *to, size_t count, const char *const *values, const double *scale, size_t width,
    const char *const *next) {
    uint8x32 magnitudeLow = {0}, magnitudeHigh = {0};
    const double8 rounding = roundingConstant - (double8){0};
    const int8x64 patterns = (int64_t)((uint64_t)roundingPattern * width) - (int8x64){0};
    for (size_t i = 0; i < count; i += STEP) {
        int8x64 low = *(const int8x64_unaligned *)(from + i) - patterns;
        int8x64 high = *(const int8x64_unaligned *)(from + i + 8) - patterns;
#pragma clang loop unroll(full)
        for (size_t k = 0; k < width; k++) {
            const char *at = values[k] + 4 * i;
            __builtin_prefetch(next[k] + 4 * i, 0, 2);
            const float8 x = *(const float8_unaligned *)at, y = *(const float8_unaligned *)(at + 32);
            magnitudeLow = __builtin_elementwise_max(magnitudeLow, (uint8x32)x & 0x7fffffffu);
            magnitudeHigh = __builtin_elementwise_max(magnitudeHigh, (uint8x32)y & 0x7fffffffu);
            const double8 s = scale[k] - (double8){0};
            double8 first = __builtin_convertvector(x, double8), second = __builtin_convertvector(y, double8);
            RING_MULTIPLY_ADD(first, s, rounding);
            RING_MULTIPLY_ADD(second, s, rounding);
            low += (int8x64)first;
            high += (int8x64)second;
        }
        *(int8x64_unaligned *)(to + i) = low;
        *(int8x64_unaligned *)(to + i + 8) = high;
    }
    magnitudeLow = __builtin_elementwise_max(magnitudeLow, magnitudeHigh);
    uint32_t magnitude = 0;
    for (int lane = 0; lane < 8; lane++) {
        magnitude = magnitudeLow[lane] > magnitude ? magnitudeLow[lane] : magnitude;
    }
    return magnitude;
}

/// Folds all live inputs' block at `offset` into `block`, which starts as `sum`; returns the largest magnitude's bits.
static uint32_t fold_block(
    const live_inputs *live, const int64_t *sum, int64_t *block, size_t offset, size_t count, size_t next_offset) {
    const char *values[TRIBUTARY_FOLD_INPUT_MAX], *next[TRIBUTARY_FOLD_INPUT_MAX];
    for (size_t k = 0; k < live->count; k++) {
        values[k] = live->values[k] + 4 * offset;
    }
    uint32_t magnitude = 0;
    const int64_t *from = sum;
    for (size_t k = 0; k < live->count;) {
        const size_t left = live->count - k;
        const size_t width = left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
        for (size_t j = 0; j < width; j++) {
            const size_t following = k + width + j;
            const size_t wrapped = following % live->count;
            next[j] = live->values[wrapped] + 4 * (following < live->count ? offset : next_offset);
        }
        uint32_t found;
        switch (width) {
        case 8: found = fold_columns(from, block, count, values + k, live->scale + k, 8, next); break;
        case 4: found = fold_columns(from, block, count, values + k, live->scale + k, 4, next); break;
        case 2: found = fold_columns(from, block, count, values + k, live->scale + k, 2, next); break;
        default: found = fold_columns(from, block, count, values + k, live->scale + k, 1, next); break;
        }
        magnitude = found > magnitude ? found : magnitude;
        from = block;
        k += width;
    }
    return magnitude;
}

/// Removes the inputs with a bad value in `offset..<offset + count` and notes where.
static void remove_bad(live_inputs *live, size_t offset, size_t count, float bound, int64_t *first_bad) {
    size_t kept = 0;
    for (size_t k = 0; k < live->count; k++) {
        const int64_t bad = tributary_ring_first_bad(live->values[k] + 4 * offset, count, bound);
        if (bad >= 0) {
            first_bad[live->index[k]] = (int64_t)offset + bad;
            continue;
        }
        live->values[kept] = live->values[k];
        live->scale[kept] = live->scale[k];
        live->index[kept] = live->index[k];
        kept++;
    }
    live->count = kept;
}

/// Folds the last `count < STEP` columns at `offset`, through buffers filled up with zeros.
static void fold_rest(live_inputs *live, int64_t *sum, size_t offset, size_t count) {
    char values[TRIBUTARY_FOLD_INPUT_MAX][4 * STEP];
    int64_t block[STEP] = {0};
    live_inputs rest = *live;
    memset(values, 0, sizeof values);
    for (size_t k = 0; k < live->count; k++) {
        memcpy(values[k], live->values[k] + 4 * offset, 4 * count);
        rest.values[k] = values[k];
    }
    memcpy(block, sum + offset, 8 * count);
    fold_block(&rest, block, block, 0, STEP, 0);
    memcpy(sum + offset, block, 8 * count);
}

/// Folds columns `0..<count` of the live inputs; those that turn out bad are removed and their part stays in the sum.
static void fold_live(live_inputs *live, int64_t *sum, size_t count, float bound, int64_t *first_bad) {
    uint32_t boundBits;
    memcpy(&boundBits, &bound, sizeof boundBits);
    int64_t block[BLOCK] __attribute__((aligned(64)));
    const size_t whole = count - count % STEP;
    for (size_t offset = 0; offset < whole && live->count > 0;) {
        const size_t width = whole - offset < BLOCK ? whole - offset : BLOCK;
        const size_t next = offset + width < whole ? offset + width : offset;
        if (fold_block(live, sum + offset, block, offset, width, next) > boundBits) {
            remove_bad(live, offset, width, bound, first_bad);
            continue;
        }
        memcpy(sum + offset, block, 8 * width);
        offset += width;
    }
    if (whole < count && live->count > 0) {
        remove_bad(live, whole, count - whole, bound, first_bad);
        if (live->count > 0) {
            fold_rest(live, sum, whole, count - whole);
        }
    }
}

void RING_FOLD(TRIBUTARY_FOLD_ARGUMENTS) {
    live_inputs live = {.count = input_count};
    for (size_t k = 0; k < input_count; k++) {
        live.values[k] = inputs[k].values;
        live.scale[k] = inputs[k].scale;
        live.index[k] = k;
        first_bad[k] = -1;
    }
    fold_live(&live, sum, count, bound, first_bad);
    // What a bad input left in the blocks before its bad one is taken out again: the ring forgets exactly.
    for (size_t k = 0; k < input_count; k++) {
        if (first_bad[k] < 0) {
            continue;
        }
        size_t folded = (size_t)first_bad[k];
        folded -= folded < count - count % STEP ? folded % BLOCK : folded % STEP;
        live_inputs bad = {.count = 1, .values = {inputs[k].values}, .scale = {-inputs[k].scale}};
        int64_t none;
        fold_live(&bad, sum, folded, bound, &none);
    }
}
