// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Elementwise kernels whose speed is the memory's: nothing here is gained by wider instructions.

#include "include/ring_kernels.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

uint32_t tributary_ring_magnitude_bits(const void *values, size_t count) {
    const char *bytes = values;
    uint32_t magnitude = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t pattern;
        memcpy(&pattern, bytes + 4 * i, sizeof pattern);
        pattern &= 0x7fffffffu;
        magnitude = pattern > magnitude ? pattern : magnitude;
    }
    return magnitude;
}

int64_t tributary_ring_first_bad(const void *values, size_t count, float bound) {
    const size_t block = 4096;
    const char *bytes = values;
    uint32_t boundBits;
    memcpy(&boundBits, &bound, sizeof boundBits);
    for (size_t offset = 0; offset < count; offset += block) {
        const size_t width = count - offset < block ? count - offset : block;
        if (tributary_ring_magnitude_bits(bytes + 4 * offset, width) <= boundBits) {
            continue;
        }
        for (size_t i = offset;; i++) {
            uint32_t pattern;
            memcpy(&pattern, bytes + 4 * i, sizeof pattern);
            if ((pattern & 0x7fffffffu) > boundBits) {
                return (int64_t)i;
            }
        }
    }
    return -1;
}

void tributary_ring_add(int64_t *sum, const void *values, size_t count) {
    const char *bytes = values;
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, bytes + 8 * i, sizeof value);
        sum[i] = (int64_t)((uint64_t)sum[i] + value);
    }
}

void tributary_ring_subtract(int64_t *sum, const void *values, size_t count) {
    const char *bytes = values;
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, bytes + 8 * i, sizeof value);
        sum[i] = (int64_t)((uint64_t)sum[i] - value);
    }
}

void tributary_ring_mean(const int64_t *sum, size_t count, double divisor, double *mean) {
    for (size_t i = 0; i < count; i++) {
        mean[i] = (double)sum[i] / divisor;
    }
}
