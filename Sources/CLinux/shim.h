// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// glibc's fallocate: it is there, but declared only for C programs that ask for GNU extensions.
#pragma once
#include <linux/falloc.h>
#include <sys/types.h>

int fallocate(int descriptor, int mode, off_t offset, off_t length);
