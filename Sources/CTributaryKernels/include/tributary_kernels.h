// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The kernels' public functions; each family has a header of its own.
#pragma once

#include "learn_dense.h"
#include "learn_kernels.h"
#include "ring_kernels.h"
