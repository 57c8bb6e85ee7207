// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// libcrypto's EVP interface (SHA-256 uses the processor's instructions there).
#pragma once
#include <openssl/evp.h>
