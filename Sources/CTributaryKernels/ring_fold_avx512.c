// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The fold for processors with AVX-512.

#include "ring_fold.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), \
                             apply_to = function)
#pragma clang attribute push(__attribute__((min_vector_width(512))), apply_to = function)
#define RING_FOLD tributary_ring_fold_avx512
#define RING_MULTIPLY_ADD(x, s, m) (x) = __builtin_elementwise_fma(x, s, m)
#include "ring_fold_body.h"
#pragma clang attribute pop
#pragma clang attribute pop

#endif
