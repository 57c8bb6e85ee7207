// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The fold for any processor. Without a fused instruction, a product of a float32 and a scale of at most 29
// significant bits is exact in double, so multiplying and adding rounds once all the same; heavier weights go through
// fma().

#include "ring_fold.h"

#include <math.h>
#include <string.h>

#if defined(__aarch64__) || defined(__FMA__)

#define RING_FOLD tributary_ring_fold_baseline
#define RING_MULTIPLY_ADD(x, s, m) (x) = __builtin_elementwise_fma(x, s, m)
#include "ring_fold_body.h"

#else

#pragma STDC FP_CONTRACT OFF

typedef double double8_baseline __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) void multiply_add(
    double8_baseline *x, const double8_baseline *s, const double8_baseline *m) {
    const double scale = (*s)[0];
    uint64_t pattern;
    memcpy(&pattern, &scale, sizeof pattern);
    if (__builtin_expect((pattern & 0xffffff) == 0, 1)) {
        *x = *x * *s + *m;
        return;
    }
    for (int lane = 0; lane < 8; lane++) {
        (*x)[lane] = fma((*x)[lane], scale, (*m)[lane]);
    }
}

#define RING_FOLD tributary_ring_fold_baseline
#define RING_MULTIPLY_ADD(x, s, m) multiply_add(&(x), &(s), &(m))
#include "ring_fold_body.h"

#endif
