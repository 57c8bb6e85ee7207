// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Kernels of local training. Each function takes the variant (instruction set) it shall run with, and every variant
// gives the same bits: each output is one chain of fused multiply-adds in ascending order of the summed index, lanes
// hold different outputs and are never added to each other, and exp is a fixed polynomial. Without FMA in hardware a
// chain calls the C library's fmaf, which is exact by definition.
//
// Matrices are row-major. Buffers must not overlap unless a function says so. No function allocates or fails.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// 0 baseline, 1 AVX2 + FMA, 2 AVX-512; elsewhere than on x86-64 only 0 exists.
bool tributary_learn_variant_available(int32_t variant);
// The fastest available variant.
int32_t tributary_learn_variant_best(void);

// c[m x n] = (accumulate ? c : 0) + a[m x k] b[k x n], summing in ascending order of k. Element (i, k) of a lies at
// a[i * a_row + k * a_column], so that a transposed matrix needs no copy; rows of b and c lie b_row and c_row apart.
void tributary_learn_gemm(int32_t variant, size_t m, size_t n, size_t k, const float *a, size_t a_row,
                          size_t a_column, const float *b, size_t b_row, float *c, size_t c_row, bool accumulate);

// b[n x m] = transpose of a[m x n].
void tributary_learn_transpose(size_t m, size_t n, const float *a, float *b);

// Each row of c[m x n] = row[n].
void tributary_learn_fill_rows(size_t m, size_t n, const float *row, float *c);

// sums[n] = (accumulate ? sums : 0) + the rows of a[m x n], first row first.
void tributary_learn_add_rows(int32_t variant, size_t m, size_t n, const float *a, float *sums, bool accumulate);

// x = x > 0 ? x : 0; not-a-number stays.
void tributary_learn_relu(int32_t variant, size_t count, float *x);

// gradient = activation > 0 ? gradient : 0, where activation is what relu left.
void tributary_learn_relu_backward(int32_t variant, size_t count, const float *activation, float *gradient);

// What softmax_loss adds up.
struct tributary_learn_loss {
    // The sum of the rows' cross-entropies, in nats, row after row.
    double sum;
    // Rows whose largest logit is their label's; ties go to the smaller class.
    size_t correct;
};

// Softmax and cross-entropy of logits[m x n] with labels[m] in 0..<n. When gradient is true the logits are replaced by
// (softmax - one-hot) * scale.
struct tributary_learn_loss tributary_learn_softmax_loss(int32_t variant, size_t m, size_t n, float *logits,
                                                         const int32_t *labels, bool gradient, float scale);

// y[i] = exp(x[i]) within 2 units in the last place; below -87.3 and above 88.3 the argument is clamped.
void tributary_learn_exp(int32_t variant, size_t count, const float *x, float *y);

// SGD: g = gradient + proximal * (w - base); v = momentum * v + g; w -= rate * v. Without momentum, v may be NULL; with
// proximal 0, base may be NULL.
void tributary_learn_sgd(int32_t variant, size_t count, float *w, float *_Nullable v, const float *gradient,
                         const float *_Nullable base, float rate, float momentum, float proximal);

// The constants of one Adam step.
struct tributary_learn_adam_step {
    // first = 1 / (1 - beta1^t) and second = 1 / (1 - beta2^t) at step t = 1, 2, ...
    float rate, beta1, beta2, epsilon, first, second, proximal;
};

// Adam: g = gradient + proximal * (w - base); m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g g;
// w -= rate * (m * first) / (sqrt(v * second) + epsilon). With proximal 0, base may be NULL.
void tributary_learn_adam(int32_t variant, size_t count, float *w, float *m, float *v, const float *gradient,
                          const float *_Nullable base, struct tributary_learn_adam_step step);

// The extents of an image in [height, width, channels] order and of the square kernel over it (odd edge).
struct tributary_learn_patches {
    size_t height, width, channels, kernel;
};

// rows[height * width x kernel * kernel * channels] = the values under the kernel at each pixel, 0 beyond the border.
// padded holds (height + kernel - 1) * (width + kernel - 1) * channels floats of scratch.
void tributary_learn_image_to_rows(int32_t variant, struct tributary_learn_patches shape, const float *image,
                                   float *padded, float *rows);

// Adds each value of rows to the pixel it came from; image is cleared first.
void tributary_learn_rows_to_image(int32_t variant, struct tributary_learn_patches shape, const float *rows,
                                   float *image);

// pooled[height / 2 x width / 2 x channels] = the largest of each 2 x 2 block; an odd last row or column is left out.
void tributary_learn_pool(int32_t variant, size_t height, size_t width, size_t channels, const float *image,
                          float *pooled);

// The gradient of pool after relu: each block's gradient goes to the first pixel (row by row) that holds the block's
// largest value, when that is positive; every other pixel gets 0.
void tributary_learn_pool_backward(int32_t variant, size_t height, size_t width, size_t channels, const float *image,
                                   const float *pooled, const float *pooled_gradient, float *gradient);

// image[height x width x channels] = planes[channels x height x width].
void tributary_learn_planes_to_image(size_t channels, size_t pixels, const float *planes, float *image);

// result = base + p, minus base again when subtract is true; result may be base's memory. With the key's lower and
// upper half k and h, in unsigned 32-bit arithmetic:
//     x = i * 0x9e3779b9 + k;  x ^= x >> 16;  x *= 0x7feb352d;  x ^= (x >> 15) ^ h;  x *= 0x846ca68b;
//     x ^= x >> 16
//     p[i] = scale * (x as a signed number >> 8), which lies in -2^23 * scale ..< 2^23 * scale
void tributary_learn_pseudo_local(int32_t variant, size_t count, uint64_t key, float scale, const float *base,
                                  bool subtract, float *result);

// Whether every value is finite.
bool tributary_learn_all_finite(size_t count, const float *x);

// Natural logarithm and exponential in double precision by fixed polynomials, without libm: the same bits everywhere.
// Within 2 units in the last place for normal positive arguments; log(0) is -infinity.
double tributary_learn_log_double(double x);
double tributary_learn_exp_double(double x);

#pragma clang assume_nonnull end
