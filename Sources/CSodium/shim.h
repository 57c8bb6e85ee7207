// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// libsodium's signatures (Ed25519) and the operating system's randomness.
#pragma once
#include <sodium.h>
