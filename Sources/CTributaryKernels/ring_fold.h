// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The variants of the fold, for the dispatcher.
#pragma once

#include "include/ring_kernels.h"

#define TRIBUTARY_FOLD_ARGUMENTS                                                                                  \
    int64_t *sum, size_t count, const tributary_fold_input *inputs, size_t input_count,         \
        float bound, int64_t *first_bad

void tributary_ring_fold_baseline(TRIBUTARY_FOLD_ARGUMENTS);
void tributary_ring_fold_avx2(TRIBUTARY_FOLD_ARGUMENTS);
void tributary_ring_fold_avx512(TRIBUTARY_FOLD_ARGUMENTS);
