// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// protoc-c's output for Proto/tributary/v1 (written by Proto/generate.sh, never edited).
#pragma once
#include "tributary/v1/envelope.pb-c.h"
