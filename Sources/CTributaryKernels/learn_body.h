// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// The kernels of local training, compiled once per instruction set: the including file sets the target and names the
// table in LEARN_TABLE. A lane is one output, so the width of the machine's registers cannot change a result, nor can
// the tile's extents (TILE_ROWS x TILE_VECTORS): they only choose which outputs are computed together.

#include <string.h>

#include "learn_table.h"

#pragma clang diagnostic ignored "-Wpsabi"
#pragma clang fp contract(off) reassociate(off)

typedef float lanes __attribute__((vector_size(64)));
typedef int32_t lanes_int __attribute__((vector_size(64)));
enum { LANES = 16, PANEL = TILE_VECTORS * LANES, DEPTH = 256 };

#define INLINE static inline __attribute__((always_inline))

INLINE lanes load(const float *p) {
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, lanes v) { memcpy(p, &v, sizeof v); }

INLINE lanes splat(float x) { return (lanes){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }

INLINE lanes fused(lanes a, lanes b, lanes c) { return __builtin_elementwise_fma(a, b, c); }

INLINE lanes select_lanes(lanes_int mask, lanes a, lanes b) {
    return (lanes)(((lanes_int)a & mask) | ((lanes_int)b & ~mask));
}

// A count that is not a multiple of LANES ends with one round trip through a padded buffer.
INLINE lanes load_part(const float *p, size_t count) {
    float part[LANES] = {0};
    memcpy(part, p, count * sizeof(float));
    return load(part);
}

INLINE void store_part(float *p, size_t count, lanes v) {
    float part[LANES];
    store(part, v);
    memcpy(p, part, count * sizeof(float));
}

// ---- Matrix product ----

struct left {
    const float *values;
    size_t row, column;
};

// One tile of rows x (vectors * LANES) outputs over a block of k.
INLINE void tile(const int rows, const int vectors, size_t depth, struct left a, const float *b, size_t b_row, float *c,
                 size_t c_row, bool accumulate) {
    lanes sums[TILE_ROWS][TILE_VECTORS];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++)
            sums[r][v] = accumulate ? load(c + (size_t)r * c_row + (size_t)v * LANES) : splat(0);
    for (size_t k = 0; k < depth; k++) {
        lanes right[TILE_VECTORS];
        for (int v = 0; v < vectors; v++) right[v] = load(b + k * b_row + (size_t)v * LANES);
        for (int r = 0; r < rows; r++) {
            const lanes value = splat(a.values[(size_t)r * a.row + k * a.column]);
            for (int v = 0; v < vectors; v++) sums[r][v] = fused(value, right[v], sums[r][v]);
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) store(c + (size_t)r * c_row + (size_t)v * LANES, sums[r][v]);
}

// All rows of one panel of columns.
INLINE void panel(const int vectors, size_t m, size_t depth, struct left a, const float *b, size_t b_row, float *c,
                  size_t c_row, bool accumulate) {
    size_t i = 0;
    for (; i + TILE_ROWS <= m; i += TILE_ROWS) {
        struct left rows = {a.values + i * a.row, a.row, a.column};
        tile(TILE_ROWS, vectors, depth, rows, b, b_row, c + i * c_row, c_row, accumulate);
    }
    for (; i < m; i++) {
        struct left rows = {a.values + i * a.row, a.row, a.column};
        tile(1, vectors, depth, rows, b, b_row, c + i * c_row, c_row, accumulate);
    }
}

// The rows of the last columns when they do not fill their lanes: each tile goes through a padded copy of c.
INLINE void ragged_panel(const int vectors, size_t m, size_t width, size_t depth, struct left a, const float *b,
                         float *c, size_t c_row, bool accumulate) {
    float padded[TILE_ROWS * PANEL];
    for (size_t i = 0; i < m; i += TILE_ROWS) {
        const size_t rows = m - i < TILE_ROWS ? m - i : TILE_ROWS;
        memset(padded, 0, sizeof padded);
        if (accumulate)
            for (size_t r = 0; r < rows; r++)
                memcpy(padded + r * PANEL, c + (i + r) * c_row, width * sizeof(float));
        struct left part = {a.values + i * a.row, a.row, a.column};
        panel(vectors, rows, depth, part, b, PANEL, padded, PANEL, accumulate);
        for (size_t r = 0; r < rows; r++) memcpy(c + (i + r) * c_row, padded + r * PANEL, width * sizeof(float));
    }
}

// Columns start..<start + width of b, padded with zeros to PANEL columns.
static void pack(size_t width, size_t depth, const float *b, size_t b_row, float *packed) {
    for (size_t k = 0; k < depth; k++) {
        memcpy(packed + k * PANEL, b + k * b_row, width * sizeof(float));
        if (width < PANEL) memset(packed + k * PANEL + width, 0, (PANEL - width) * sizeof(float));
    }
}

// Blocks of k fit the first-level cache together with their panel; between blocks the sums rest in c, which is exact.
static void gemm(size_t m, size_t n, size_t k, const float *a, size_t a_row, size_t a_column, const float *b,
                 size_t b_row, float *c, size_t c_row, bool accumulate) {
    float packed[DEPTH * PANEL];
    if (k == 0 && !accumulate)
        for (size_t i = 0; i < m; i++) memset(c + i * c_row, 0, n * sizeof(float));
    for (size_t start = 0; start < k; start += DEPTH) {
        const size_t depth = k - start < DEPTH ? k - start : DEPTH;
        const struct left block = {a + start * a_column, a_row, a_column};
        const bool add = accumulate || start > 0;
        for (size_t j = 0; j < n; j += PANEL) {
            const size_t width = n - j < PANEL ? n - j : PANEL;
            const float *right = b + start * b_row + j;
            const bool direct = width == PANEL && m <= TILE_ROWS;
            if (!direct) pack(width, depth, right, b_row, packed);
            if (direct)
                panel(TILE_VECTORS, m, depth, block, right, b_row, c + j, c_row, add);
            else if (width == PANEL)
                panel(TILE_VECTORS, m, depth, block, packed, PANEL, c + j, c_row, add);
            else if (width > LANES)
                ragged_panel(TILE_VECTORS, m, width, depth, block, packed, c + j, c_row, add);
            else
                ragged_panel(1, m, width, depth, block, packed, c + j, c_row, add);
        }
    }
}

// ---- Elementwise ----

static void add_rows(size_t m, size_t n, const float *a, float *sums, bool accumulate) {
    if (!accumulate) memset(sums, 0, n * sizeof(float));
    for (size_t i = 0; i < m; i++) {
        const float *row = a + i * n;
        for (size_t j = 0; j < n; j++) sums[j] = sums[j] + row[j];
    }
}

static void relu(size_t count, float *x) {
    for (size_t i = 0; i < count; i++) x[i] = x[i] <= 0 ? 0 : x[i];
}

static void relu_backward(size_t count, const float *activation, float *gradient) {
    for (size_t i = 0; i < count; i++) gradient[i] = activation[i] > 0 ? gradient[i] : 0;
}

// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2; exp(r) by its Taylor polynomial of degree 7, whose
// remainder is below 2^-27.
INLINE lanes exp_lanes(lanes x) {
    x = select_lanes(x < splat(-87.3f), splat(-87.3f), x);
    x = select_lanes(x > splat(88.3f), splat(88.3f), x);
    const lanes magic = splat(0x1.8p23f);
    const lanes shifted = fused(x, splat(0x1.715476p+0f), magic);
    const lanes n = shifted - magic;
    lanes r = fused(n, splat(-0x1.62e400p-1f), x);
    r = fused(n, splat(-0x1.7f7d1cp-20f), r);
    lanes p = splat(0x1.a01a02p-13f);
    p = fused(p, r, splat(0x1.6c16c2p-10f));
    p = fused(p, r, splat(0x1.111112p-7f));
    p = fused(p, r, splat(0x1.555556p-5f));
    p = fused(p, r, splat(0x1.555556p-3f));
    p = fused(p, r, splat(0.5f));
    p = fused(p, r, splat(1));
    p = fused(p, r, splat(1));
    const lanes_int power = ((lanes_int)shifted << 23) + (lanes_int)splat(1);
    return p * (lanes)power;
}

static void exp_all(size_t count, const float *x, float *y) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) store(y + i, exp_lanes(load(x + i)));
    if (i < count) store_part(y + i, count - i, exp_lanes(load_part(x + i, count - i)));
}

static struct tributary_learn_loss softmax_loss(size_t m, size_t n, float *logits, const int32_t *labels, bool gradient,
                                                float scale) {
    struct tributary_learn_loss total = {0, 0};
    for (size_t i = 0; i < m; i++) {
        float *row = logits + i * n;
        const size_t label = (size_t)labels[i];
        size_t top = 0;
        for (size_t j = 1; j < n; j++) top = row[j] > row[top] ? j : top;
        const float largest = row[top], own = row[label];
        for (size_t j = 0; j < n; j++) row[j] = row[j] - largest;
        exp_all(n, row, row);
        double sum = 0;
        for (size_t j = 0; j < n; j++) sum += (double)row[j];
        total.sum += tributary_learn_log_double(sum) - ((double)own - (double)largest);
        total.correct += top == label;
        if (!gradient) continue;
        const float factor = (float)((double)scale / sum);
        for (size_t j = 0; j < n; j++) row[j] = row[j] * factor;
        row[label] = row[label] - scale;
    }
    return total;
}

// ---- Optimizers ----

// The gradient with FedProx's pull towards the base.
INLINE lanes pulled(lanes gradient, lanes w, lanes base, float proximal) {
    return fused(splat(proximal), w - base, gradient);
}

INLINE void sgd_lanes(float *w, float *v, lanes gradient, float rate, float momentum) {
    lanes step = gradient;
    if (v) {
        step = fused(splat(momentum), load(v), gradient);
        store(v, step);
    }
    store(w, fused(splat(-rate), step, load(w)));
}

static void sgd(size_t count, float *w, float *v, const float *gradient, const float *base, float rate, float momentum,
                float proximal) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes g = load(gradient + i);
        if (base) g = pulled(g, load(w + i), load(base + i), proximal);
        sgd_lanes(w + i, v ? v + i : NULL, g, rate, momentum);
    }
    if (i == count) return;
    const size_t rest = count - i;
    float w_part[LANES], v_part[LANES];
    store(w_part, load_part(w + i, rest));
    if (v) store(v_part, load_part(v + i, rest));
    lanes g = load_part(gradient + i, rest);
    if (base) g = pulled(g, load(w_part), load_part(base + i, rest), proximal);
    sgd_lanes(w_part, v ? v_part : NULL, g, rate, momentum);
    store_part(w + i, rest, load(w_part));
    if (v) store_part(v + i, rest, load(v_part));
}

INLINE void adam_lanes(lanes *w, lanes *m, lanes *v, lanes g, struct tributary_learn_adam_step s) {
    *m = fused(splat(s.beta1), *m, splat(1 - s.beta1) * g);
    *v = fused(splat(s.beta2), *v, splat(1 - s.beta2) * g * g);
    const lanes root = __builtin_elementwise_sqrt(*v * splat(s.second)) + splat(s.epsilon);
    *w = fused(splat(-s.rate), (*m * splat(s.first)) / root, *w);
}

static void adam(size_t count, float *w, float *m, float *v, const float *gradient, const float *base,
                 struct tributary_learn_adam_step s) {
    for (size_t i = 0; i < count; i += LANES) {
        const size_t part = count - i < LANES ? count - i : LANES;
        const bool whole = part == LANES;
        lanes w_now = whole ? load(w + i) : load_part(w + i, part);
        lanes m_now = whole ? load(m + i) : load_part(m + i, part);
        lanes v_now = whole ? load(v + i) : load_part(v + i, part);
        lanes g = whole ? load(gradient + i) : load_part(gradient + i, part);
        if (base) g = pulled(g, w_now, whole ? load(base + i) : load_part(base + i, part), s.proximal);
        adam_lanes(&w_now, &m_now, &v_now, g, s);
        store_part(w + i, part, w_now);
        store_part(m + i, part, m_now);
        store_part(v + i, part, v_now);
    }
}

// ---- Pseudo-training ----

typedef uint32_t lanes_bits __attribute__((vector_size(64)));

// The integer hash is lowbias32 of Wellons (https://nullprogram.com/blog/2018/07/31/), with the key mixed in twice.
INLINE lanes pseudo_lanes(lanes_bits x, uint32_t key, float scale) {
    x ^= x >> 16;
    x *= 0x7feb352dU;
    x ^= (x >> 15) ^ key;
    x *= 0x846ca68bU;
    x ^= x >> 16;
    return __builtin_convertvector((lanes_int)x >> 8, lanes) * splat(scale);
}

static void pseudo_local(size_t count, uint64_t key, float scale, const float *base, bool subtract, float *result) {
    const uint32_t golden = 0x9e3779b9U, low = (uint32_t)key, high = (uint32_t)(key >> 32);
    const lanes_bits lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    lanes_bits x = lane * golden + low;
    for (size_t i = 0; i < count; i += LANES, x += LANES * golden) {
        const size_t part = count - i < LANES ? count - i : LANES;
        const lanes start = part == LANES ? load(base + i) : load_part(base + i, part);
        const lanes local = start + pseudo_lanes(x, high, scale);
        const lanes value = subtract ? local - start : local;
        if (part == LANES)
            store(result + i, value);
        else
            store_part(result + i, part, value);
    }
}

#include "learn_dense_body.h"
#include "learn_image_body.h"

const struct learn_table LEARN_TABLE = {
    .gemm = gemm,
    .add_rows = add_rows,
    .relu = relu,
    .relu_backward = relu_backward,
    .softmax_loss = softmax_loss,
    .exp = exp_all,
    .sgd = sgd,
    .adam = adam,
    .image_to_rows = image_to_rows,
    .rows_to_image = rows_to_image,
    .pool = pool,
    .pool_backward = pool_backward,
    .pseudo_local = pseudo_local,
    .dense_pack = dense_pack,
    .dense_unpack = dense_unpack,
    .dense_step = dense_step,
};
