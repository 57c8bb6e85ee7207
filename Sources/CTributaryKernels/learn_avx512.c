// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

#if defined(__x86_64__)
#include "learn_table.h"
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), \
                             apply_to = function)
#define LEARN_TABLE learn_table_avx512
#define TILE_ROWS 8
#define TILE_VECTORS 2
#include "learn_body.h"
#pragma clang attribute pop
#else
typedef int learn_avx512_is_for_x86_64;
#endif
