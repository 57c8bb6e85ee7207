// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Plain reads, as fast as this machine's memory lets one core go: what the fold is measured against.

#include "include/ring_kernels.h"

typedef uint64_t words8 __attribute__((vector_size(64), aligned(8)));

/// One load after another, as a compiler vectorises it.
static uint64_t read_words(const void *bytes, size_t byte_count) {
    const uint64_t *words = bytes;
    uint64_t sum = 0;
    for (size_t i = 0; i < byte_count / 8; i++) {
        sum += words[i];
    }
    return sum;
}

#define READ_WIDE(distance)                                                                                 \
    {                                                                                                             \
        const words8 *words = bytes;                                                                              \
        words8 a = {0}, b = {0}, c = {0}, d = {0};                                                                \
        for (size_t i = 0; i < byte_count / 64; i += 4) {                                                         \
            for (size_t j = 0; j < 4 && distance > 0; j++) {                                                      \
                __builtin_prefetch((const char *)(words + i + j) + distance, 0, 0);                               \
            }                                                                                                     \
            a += words[i];                                                                                        \
            b += words[i + 1];                                                                                    \
            c += words[i + 2];                                                                                    \
            d += words[i + 3];                                                                                    \
        }                                                                                                         \
        a += b + c + d;                                                                                           \
        return a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];                                             \
    }

/// Four independent sums of 64 bytes.
static uint64_t read_wide(const void *bytes, size_t byte_count) READ_WIDE(0)

/// The same, asking 4 KiB ahead.
static uint64_t read_ahead(const void *bytes, size_t byte_count) READ_WIDE(4096)

uint64_t tributary_ring_read(int version, const void *bytes, size_t byte_count) {
    switch (version) {
    case 0: return read_words(bytes, byte_count);
    case 1: return read_wide(bytes, byte_count);
    default: return read_ahead(bytes, byte_count);
    }
}
