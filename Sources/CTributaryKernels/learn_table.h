// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The dispatched kernels of one instruction set.
#pragma once

#include "include/learn_dense.h"

struct learn_table {
    void (*gemm)(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_column, const float *b,
                 size_t b_row, float *c, size_t c_row, bool accumulate);
    void (*add_rows)(size_t m, size_t n, const float *a, float *sums, bool accumulate);
    void (*relu)(size_t count, float *x);
    void (*relu_backward)(size_t count, const float *activation, float *gradient);
    struct tributary_learn_loss (*softmax_loss)(size_t m, size_t n, float *logits, const int32_t *labels,
                                                bool gradient, float scale);
    void (*exp)(size_t count, const float *x, float *y);
    void (*sgd)(size_t count, float *w, float *v, const float *gradient, const float *base, float rate,
                float momentum, float proximal);
    void (*adam)(size_t count, float *w, float *m, float *v, const float *gradient, const float *base,
                 struct tributary_learn_adam_step step);
    void (*image_to_rows)(struct tributary_learn_patches shape, const float *image, float *padded, float *rows);
    void (*rows_to_image)(struct tributary_learn_patches shape, const float *rows, float *image);
    void (*pool)(size_t height, size_t width, size_t channels, const float *image, float *pooled);
    void (*pool_backward)(size_t height, size_t width, size_t channels, const float *image, const float *pooled,
                          const float *pooled_gradient, float *gradient);
    void (*pseudo_local)(size_t count, uint64_t key, float scale, const float *base, bool subtract, float *result);
    void (*dense_pack)(const struct tributary_learn_dense *network, size_t count, const float *flat);
    bool (*dense_unpack)(const struct tributary_learn_dense *network, size_t count, const float *base, float *flat);
    struct tributary_learn_loss (*dense_step)(const struct tributary_learn_dense *network, const float *features,
                                              const int32_t *labels, const uint32_t *rows, size_t m, size_t ahead);
};

extern const struct learn_table learn_table_baseline;
#if defined(__x86_64__)
extern const struct learn_table learn_table_avx2;
extern const struct learn_table learn_table_avx512;
#endif
