// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Learning on the device: models, local training, evaluation, and how examples are spread over devices.
//
// A pure room: examples are passed in, parameters are flat vectors in the layout's order, every random choice comes
// from `CounterRandom`, and no result depends on threads, on the machine's instruction set or on libm. It touches no
// file, no clock and no socket. The arithmetic is in the C kernels (`learn_*` in CTributaryKernels); pointers to them
// are made in `Network`, `CohortTrainer` and the engines; those to values of others live for one closure.
