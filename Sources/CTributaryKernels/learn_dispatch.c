// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Chooses the table of a variant, and holds the kernels that only move values.

#include <string.h>

#include "learn_table.h"

bool tributary_learn_variant_available(int32_t variant) {
    if (variant == 0) return true;
#if defined(__x86_64__)
    if (variant == 1) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (variant == 2)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#endif
    return false;
}

int32_t tributary_learn_variant_best(void) {
    for (int32_t variant = 2; variant > 0; variant--)
        if (tributary_learn_variant_available(variant)) return variant;
    return 0;
}

static const struct learn_table *table(int32_t variant) {
#if defined(__x86_64__)
    if (variant == 1) return &learn_table_avx2;
    if (variant == 2) return &learn_table_avx512;
#else
    (void)variant;
#endif
    return &learn_table_baseline;
}

void tributary_learn_gemm(int32_t variant, size_t m, size_t n, size_t k, const float *a, size_t a_row,
                          size_t a_column, const float *b, size_t b_row, float *c, size_t c_row, bool accumulate) {
    table(variant)->gemm(m, n, k, a, a_row, a_column, b, b_row, c, c_row, accumulate);
}

void tributary_learn_transpose(size_t m, size_t n, const float *a, float *b) {
    // Square blocks, so that both sides' cache lines are used whole.
    enum { EDGE = 16 };
    for (size_t top = 0; top < m; top += EDGE)
        for (size_t left = 0; left < n; left += EDGE) {
            const size_t bottom = m - top < EDGE ? m : top + EDGE, right = n - left < EDGE ? n : left + EDGE;
            for (size_t j = left; j < right; j++)
                for (size_t i = top; i < bottom; i++) b[j * m + i] = a[i * n + j];
        }
}

void tributary_learn_fill_rows(size_t m, size_t n, const float *row, float *c) {
    for (size_t i = 0; i < m; i++) memcpy(c + i * n, row, n * sizeof(float));
}

void tributary_learn_add_rows(int32_t variant, size_t m, size_t n, const float *a, float *sums, bool accumulate) {
    table(variant)->add_rows(m, n, a, sums, accumulate);
}

void tributary_learn_relu(int32_t variant, size_t count, float *x) { table(variant)->relu(count, x); }

void tributary_learn_relu_backward(int32_t variant, size_t count, const float *activation, float *gradient) {
    table(variant)->relu_backward(count, activation, gradient);
}

struct tributary_learn_loss tributary_learn_softmax_loss(int32_t variant, size_t m, size_t n, float *logits,
                                                         const int32_t *labels, bool gradient, float scale) {
    return table(variant)->softmax_loss(m, n, logits, labels, gradient, scale);
}

void tributary_learn_exp(int32_t variant, size_t count, const float *x, float *y) { table(variant)->exp(count, x, y); }

void tributary_learn_sgd(int32_t variant, size_t count, float *w, float *v, const float *gradient, const float *base,
                         float rate, float momentum, float proximal) {
    table(variant)->sgd(count, w, v, gradient, base, rate, momentum, proximal);
}

void tributary_learn_adam(int32_t variant, size_t count, float *w, float *m, float *v, const float *gradient,
                          const float *base, struct tributary_learn_adam_step step) {
    table(variant)->adam(count, w, m, v, gradient, base, step);
}

void tributary_learn_image_to_rows(int32_t variant, struct tributary_learn_patches shape, const float *image,
                                   float *padded, float *rows) {
    table(variant)->image_to_rows(shape, image, padded, rows);
}

void tributary_learn_rows_to_image(int32_t variant, struct tributary_learn_patches shape, const float *rows,
                                   float *image) {
    table(variant)->rows_to_image(shape, rows, image);
}

void tributary_learn_pool(int32_t variant, size_t height, size_t width, size_t channels, const float *image,
                          float *pooled) {
    table(variant)->pool(height, width, channels, image, pooled);
}

void tributary_learn_pool_backward(int32_t variant, size_t height, size_t width, size_t channels, const float *image,
                                   const float *pooled, const float *pooled_gradient, float *gradient) {
    table(variant)->pool_backward(height, width, channels, image, pooled, pooled_gradient, gradient);
}

void tributary_learn_pseudo_local(int32_t variant, size_t count, uint64_t key, float scale, const float *base,
                                  bool subtract, float *result) {
    table(variant)->pseudo_local(count, key, scale, base, subtract, result);
}

size_t tributary_learn_dense_width(size_t outputs) { return (outputs + 15) / 16 * 16; }

void tributary_learn_dense_pack(int32_t variant, const struct tributary_learn_dense *network, size_t count,
                                const float *flat) {
    table(variant)->dense_pack(network, count, flat);
}

bool tributary_learn_dense_unpack(int32_t variant, const struct tributary_learn_dense *network, size_t count,
                                  const float *base, float *flat) {
    return table(variant)->dense_unpack(network, count, base, flat);
}

struct tributary_learn_loss tributary_learn_dense_step(int32_t variant, const struct tributary_learn_dense *network,
                                                       const float *features, const int32_t *labels,
                                                       const uint32_t *rows, size_t m, size_t ahead) {
    return table(variant)->dense_step(network, features, labels, rows, m, ahead);
}

void tributary_learn_planes_to_image(size_t channels, size_t pixels, const float *planes, float *image) {
    tributary_learn_transpose(channels, pixels, planes, image);
}

bool tributary_learn_all_finite(size_t count, const float *x) {
    bool finite = true;
    for (size_t i = 0; i < count; i++) finite &= __builtin_isfinite(x[i]);
    return finite;
}
