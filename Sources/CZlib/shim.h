// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// zlib: inflate for .gz and .npz.
#pragma once
#include <zlib.h>
