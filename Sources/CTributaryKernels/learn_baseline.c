// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

#define LEARN_TABLE learn_table_baseline
#define TILE_ROWS 4
#define TILE_VECTORS 1
#include "learn_body.h"
