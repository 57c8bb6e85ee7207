// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The loss of 16 rows at a time, compiled once per instruction set: bit for bit softmax_loss of learn_body.h.

typedef double doubles __attribute__((vector_size(64)));
typedef int64_t doubles_int __attribute__((vector_size(64)));
typedef float half_lanes __attribute__((vector_size(32)));

// ---- Transposition ----

INLINE lanes low_halves(lanes a, lanes b) {
    return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

INLINE lanes high_halves(lanes a, lanes b) {
    return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

// Four perfect shuffles of 16 rows of 16 values transpose them.
static void transpose_square(const float *from, size_t from_row, float *to, size_t to_row) {
    lanes x[LANES], y[LANES];
    for (int i = 0; i < LANES; i++) x[i] = load(from + (size_t)i * from_row);
#define SHUFFLE(from, to)                                      \
    for (int i = 0; i < LANES / 2; i++) {                      \
        to[2 * i] = low_halves(from[i], from[i + LANES / 2]);  \
        to[2 * i + 1] = high_halves(from[i], from[i + LANES / 2]); \
    }
    SHUFFLE(x, y)
    SHUFFLE(y, x)
    SHUFFLE(x, y)
    SHUFFLE(y, x)
#undef SHUFFLE
    for (int i = 0; i < LANES; i++) store(to + (size_t)i * to_row, x[i]);
}

// ---- Loss ----

// tributary_learn_log_double of normal numbers from 1 up, operation for operation.
INLINE doubles log_doubles(doubles x) {
    const doubles_int bits = (doubles_int)x;
    doubles_int n = (bits >> 52) - 1023;
    doubles f = (doubles)((bits & 0xfffffffffffffLL) | 0x3ff0000000000000LL);
    const doubles_int large = f > 0x1.6a09e667f3bcdp+0;
    f = (doubles)(((doubles_int)(f * 0.5) & large) | ((doubles_int)f & ~large));
    const doubles power = __builtin_convertvector(n - large, doubles);
    const doubles s = (f - 1) / (f + 1), square = s * s;
    doubles series = square * 0;
#pragma clang loop unroll(full)
    for (int term = 21; term >= 3; term -= 2) series = (series + 1.0 / term) * square;
    const doubles correction = 2 * s * series + power * 0x1.a39ef35793c76p-33;
    return power * 0x1.62e42fee00000p-1 + (2 * s + correction);
}

INLINE doubles low_doubles(lanes x) {
    return __builtin_convertvector(__builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7), doubles);
}

INLINE doubles high_doubles(lanes x) {
    return __builtin_convertvector(__builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15), doubles);
}

// The logarithms of 16 rows' sums.
INLINE void log_sums(const double sums[LANES], double logs[LANES]) {
    bool plain = true;
    for (int r = 0; r < LANES; r++) plain &= sums[r] >= 1 && sums[r] <= 0x1p1000;
    if (!plain) {
        for (int r = 0; r < LANES; r++) logs[r] = tributary_learn_log_double(sums[r]);
        return;
    }
    for (int half = 0; half < 2; half++) {
        doubles x;
        memcpy(&x, sums + 8 * half, sizeof x);
        x = log_doubles(x);
        memcpy(logs + 8 * half, &x, sizeof x);
    }
}

// A block of 16 rows of logits, transposed: a lane is a row, so that each row's operations keep their order.
struct loss_block {
    // [classes rounded up to a vector x 16].
    float *values;
    size_t classes, width;
};

// Each row's largest logit and its class; the smaller class wins a tie.
INLINE lanes largest_logits(struct loss_block b, lanes_int *top) {
    lanes largest = load(b.values);
    *top = (lanes_int)splat(0);
    for (size_t j = 1; j < b.classes; j++) {
        const lanes x = load(b.values + j * LANES);
        const lanes_int above = x > largest;
        largest = select_lanes(above, x, largest);
        *top = (above & (int32_t)j) | (*top & ~above);
    }
    return largest;
}

// Replaces the logits by their exponentials after taking the largest away; adds these up in sums.
INLINE void exponentials(struct loss_block b, lanes largest, doubles sums[2]) {
    sums[0] = sums[1] = low_doubles(splat(0));
    for (size_t j = 0; j < b.classes; j++) {
        const lanes x = exp_lanes(load(b.values + j * LANES) - largest);
        store(b.values + j * LANES, x);
        sums[0] = sums[0] + low_doubles(x);
        sums[1] = sums[1] + high_doubles(x);
    }
}

// Replaces the exponentials by the gradient, and what is beyond the classes by zero.
INLINE void loss_gradient(struct loss_block b, const doubles sums[2], lanes_int label, float scale) {
    const half_lanes low = __builtin_convertvector((double)scale / sums[0], half_lanes);
    const half_lanes high = __builtin_convertvector((double)scale / sums[1], half_lanes);
    const lanes factor =
        __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (size_t j = 0; j < b.classes; j++) {
        const lanes x = load(b.values + j * LANES) * factor;
        store(b.values + j * LANES, select_lanes(label == (int32_t)j, x - splat(scale), x));
    }
    for (size_t j = b.classes; j < b.width; j++) store(b.values + j * LANES, splat(0));
}

// softmax_loss with its gradient for m <= 16 rows of logits[16 x width]; adds to total.
static void softmax_rows(size_t m, struct loss_block b, float *logits, const int32_t labels[LANES], float scale,
                         struct tributary_learn_loss *total) {
    float own[LANES], largest_row[LANES];
    int32_t top_row[LANES];
    double sum_row[LANES], logs[LANES];
    lanes_int label, top;
    memcpy(&label, labels, sizeof label);
    for (size_t r = 0; r < LANES; r++) own[r] = logits[r * b.width + (size_t)labels[r]];
    for (size_t j = 0; j < b.width; j += LANES) transpose_square(logits + j, b.width, b.values + j * LANES, LANES);
    const lanes largest = largest_logits(b, &top);
    doubles sums[2];
    exponentials(b, largest, sums);
    loss_gradient(b, sums, label, scale);
    for (size_t j = 0; j < b.width; j += LANES) transpose_square(b.values + j * LANES, LANES, logits + j, b.width);
    memcpy(sum_row, sums, sizeof sums);
    store(largest_row, largest);
    memcpy(top_row, &top, sizeof top);
    log_sums(sum_row, logs);
    for (size_t r = 0; r < m; r++) {
        total->sum += logs[r] - ((double)own[r] - (double)largest_row[r]);
        total->correct += top_row[r] == labels[r];
    }
}
