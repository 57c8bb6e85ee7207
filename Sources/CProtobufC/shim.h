// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// protobuf-c's run time: allocators, pack and unpack.
#pragma once
#include <protobuf-c/protobuf-c.h>
