// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Ring sums centre on zero, so a block is best described by the width of its largest zigzag value. The encoding is
// canonical (smallest width, zero padding): equal sums have equal bytes, and equal digests.

#include "include/ring_kernels.h"

#include <string.h>

#define BLOCK TRIBUTARY_PACK_BLOCK

static inline uint64_t zigzag(int64_t value) { return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63); }

static inline uint64_t unzigzag(uint64_t code) { return (code >> 1) ^ (0 - (code & 1)); }

static unsigned block_width(const int64_t *values, size_t count) {
    uint64_t bits = 0;
    for (size_t i = 0; i < count; i++) {
        bits |= zigzag(values[i]);
    }
    return bits == 0 ? 0 : 64 - (unsigned)__builtin_clzll(bits);
}

static size_t payload_size(size_t count, unsigned width) { return (count * width + 7) / 8; }

static void pack_block(const int64_t *values, size_t count, unsigned width, uint8_t *bytes) {
    uint64_t word = 0;
    unsigned fill = 0;
    for (size_t i = 0; i < count; i++) {
        const uint64_t code = zigzag(values[i]);
        word |= code << fill;
        fill += width;
        if (fill >= 64) {
            memcpy(bytes, &word, 8);
            bytes += 8;
            fill -= 64;
            word = fill == 0 ? 0 : code >> (width - fill);
        }
    }
    memcpy(bytes, &word, (fill + 7) / 8);
}

size_t tributary_ring_packed_size(const int64_t *values, size_t count) {
    size_t size = 0;
    for (size_t offset = 0; offset < count; offset += BLOCK) {
        const size_t width = count - offset < BLOCK ? count - offset : BLOCK;
        size += 1 + payload_size(width, block_width(values + offset, width));
    }
    return size;
}

size_t tributary_ring_pack(const int64_t *values, size_t count, uint8_t *bytes) {
    uint8_t *at = bytes;
    for (size_t offset = 0; offset < count; offset += BLOCK) {
        const size_t size = count - offset < BLOCK ? count - offset : BLOCK;
        const unsigned width = block_width(values + offset, size);
        *at++ = (uint8_t)width;
        if (width > 0) {
            pack_block(values + offset, size, width, at);
        }
        at += payload_size(size, width);
    }
    return (size_t)(at - bytes);
}

/// Reads `count` codes of 1...64 bits; `bytes` may be read 16 bytes beyond the payload.
static void unpack_codes(const uint8_t *bytes, size_t count, unsigned width, uint64_t *codes) {
    const uint64_t mask = ~(uint64_t)0 >> (64 - width);
    if (width <= 57) {
        for (size_t i = 0; i < count; i++) {
            const size_t bit = i * width;
            uint64_t word;
            memcpy(&word, bytes + bit / 8, 8);
            codes[i] = (word >> (bit % 8)) & mask;
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t bit = i * width;
        unsigned __int128 word;
        memcpy(&word, bytes + bit / 8, 16);
        codes[i] = (uint64_t)(word >> (bit % 8)) & mask;
    }
}

typedef struct {
    const uint8_t *at;
    size_t left;
} reader;

/// Reads one block of `count` codes.
static tributary_unpack_status read_block(reader *from, size_t count, uint64_t magnitude_max, uint64_t *codes) {
    uint8_t copy[TRIBUTARY_PACK_BLOCK_BYTES_MAX + 16];
    if (from->left < 1) {
        return TRIBUTARY_UNPACK_TRUNCATED;
    }
    const unsigned width = from->at[0];
    if (width > 64) {
        return TRIBUTARY_UNPACK_WIDTH;
    }
    const size_t size = payload_size(count, width);
    if (from->left - 1 < size) {
        return TRIBUTARY_UNPACK_TRUNCATED;
    }
    const uint8_t *payload = from->at + 1;
    if (width == 0) {
        memset(codes, 0, count * sizeof *codes);
    } else {
        const unsigned used = (unsigned)((count * width) % 8);
        if (used != 0 && payload[size - 1] >> used != 0) {
            return TRIBUTARY_UNPACK_PADDING;
        }
        if (from->left - 1 < size + 16) {
            memcpy(copy, payload, size);
            memset(copy + size, 0, 16);
            unpack_codes(copy, count, width, codes);
        } else {
            unpack_codes(payload, count, width, codes);
        }
        uint64_t bits = 0, code_max = 0;
        for (size_t i = 0; i < count; i++) {
            bits |= codes[i];
            code_max = codes[i] > code_max ? codes[i] : code_max;
        }
        if (bits >> (width - 1) == 0) {
            return TRIBUTARY_UNPACK_WIDTH;
        }
        // The code of +m is 2m, of -m 2m - 1.
        if (code_max > 2 * magnitude_max) {
            return TRIBUTARY_UNPACK_BOUND;
        }
    }
    from->at += 1 + size;
    from->left -= 1 + size;
    return TRIBUTARY_UNPACK_OK;
}

/// Adds blocks until one fails or `count` values are read; the result's index is the number of values added.
static tributary_unpack_result unpack_blocks(
    int64_t *sum, size_t count, reader *from, uint64_t magnitude_max, int subtract) {
    uint64_t codes[BLOCK];
    for (size_t offset = 0; offset < count; offset += BLOCK) {
        const size_t size = count - offset < BLOCK ? count - offset : BLOCK;
        const tributary_unpack_status status = read_block(from, size, magnitude_max, codes);
        if (status != TRIBUTARY_UNPACK_OK) {
            return (tributary_unpack_result){status, offset};
        }
        const uint64_t sign = 0 - (uint64_t)(subtract != 0);
        for (size_t i = 0; i < size; i++) {
            const uint64_t value = (unzigzag(codes[i]) ^ sign) - sign;
            sum[offset + i] = (int64_t)((uint64_t)sum[offset + i] + value);
        }
    }
    return (tributary_unpack_result){from->left == 0 ? TRIBUTARY_UNPACK_OK : TRIBUTARY_UNPACK_TRAILING, count};
}

tributary_unpack_result tributary_ring_unpack(
    int64_t *sum, size_t count, const void *bytes, size_t byte_count, uint64_t magnitude_max, int subtract) {
    reader from = {bytes, byte_count};
    const tributary_unpack_result result = unpack_blocks(sum, count, &from, magnitude_max, subtract);
    if (result.status != TRIBUTARY_UNPACK_OK) {
        reader again = {bytes, byte_count};
        unpack_blocks(sum, result.value_index, &again, magnitude_max, !subtract);
    }
    return result;
}
