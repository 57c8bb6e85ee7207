// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Whole training steps of dense networks: forward, loss, backward and update in one call, on parameters in a layout of
// their own, with the bits that the kernels of learn_kernels.h give one after another.
//
// Packed parameters: a layer's weights in panels of 32 columns, each [inputs x 32]; the last panel has 16 columns when
// at most 16 are left. Columns beyond the layer's outputs are zero and stay zero. The biases follow, padded alike.
#pragma once

#include "learn_kernels.h"

#pragma clang assume_nonnull begin

// One layer, with ReLU behind all but the last.
struct tributary_learn_dense_layer {
    // Rows and columns of the weights; width is tributary_learn_dense_width(outputs).
    size_t inputs, outputs, width;
    // Where the layer's weights lie in the flat vector, its biases behind them, and in the packed one.
    size_t flat, packed;
    // Its activations [rows x width], then their gradient; rows is a multiple of 16 and covers the batch.
    float *activations;
    // Its transposed weights in panels: inputs' width x outputs floats, zero at first; the first layer needs none.
    float *_Nullable transposed;
};

struct tributary_learn_dense {
    const struct tributary_learn_dense_layer *layers;
    size_t count;
    // The packed parameters.
    float *parameters;
    // When given, a step writes its gradient here, packed, and leaves the parameters alone; otherwise it is plain SGD.
    float *_Nullable gradient;
    // One pointer for each row of a batch.
    const float *_Nullable *_Nonnull pointers;
    // 16 x the last layer's width.
    float *logits;
    // The learning rate of plain SGD.
    float rate;
};

// A row's floats for so many outputs: the next multiple of 16.
size_t tributary_learn_dense_width(size_t outputs);

// packed = the flat parameters[count], padded with zeros.
void tributary_learn_dense_pack(int32_t variant, const struct tributary_learn_dense *network, size_t count,
                                const float *flat);

// flat[count] = the packed parameters, minus base[count] unless that is NULL. Returns whether every parameter is
// finite.
bool tributary_learn_dense_unpack(int32_t variant, const struct tributary_learn_dense *network, size_t count,
                                  const float *_Nullable base, float *flat);

// One step over m rows of features[... x inputs of the first layer], with their labels[...]. As many as ahead rows may
// follow the m, which the next step will take: they are fetched into the cache.
struct tributary_learn_loss tributary_learn_dense_step(int32_t variant, const struct tributary_learn_dense *network,
                                                       const float *features, const int32_t *labels,
                                                       const uint32_t *rows, size_t m, size_t ahead);

#pragma clang assume_nonnull end
