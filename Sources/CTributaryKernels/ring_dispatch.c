// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

#include "ring_fold.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the ring kernels read float32 and Int64 as the little-endian bytes of the wire"
#endif

#if defined(__x86_64__)

tributary_ring_variant tributary_ring_variant_best(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
        return TRIBUTARY_RING_BASELINE;
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512vl")) {
        return TRIBUTARY_RING_AVX512;
    }
    return TRIBUTARY_RING_AVX2;
}

void tributary_ring_fold(tributary_ring_variant variant, TRIBUTARY_FOLD_ARGUMENTS) {
    switch (variant) {
    case TRIBUTARY_RING_AVX512:
        tributary_ring_fold_avx512(sum, count, inputs, input_count, bound, first_bad);
        break;
    case TRIBUTARY_RING_AVX2:
        tributary_ring_fold_avx2(sum, count, inputs, input_count, bound, first_bad);
        break;
    case TRIBUTARY_RING_BASELINE:
        tributary_ring_fold_baseline(sum, count, inputs, input_count, bound, first_bad);
        break;
    }
}

#else

tributary_ring_variant tributary_ring_variant_best(void) { return TRIBUTARY_RING_BASELINE; }

void tributary_ring_fold(tributary_ring_variant variant, TRIBUTARY_FOLD_ARGUMENTS) {
    (void)variant;
    tributary_ring_fold_baseline(sum, count, inputs, input_count, bound, first_bad);
}

#endif
