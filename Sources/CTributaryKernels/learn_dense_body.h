// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Steps of dense networks, compiled once per instruction set behind learn_body.h. Every output is the chain of
// operations that the separate kernels form: what differs is which outputs are computed together, and that biases,
// ReLU, its mask and the SGD update happen while a tile is still in registers.

#include "include/learn_dense.h"
#include "learn_softmax_body.h"

enum {
    WIDE = 2 * LANES,
    // Terms of one block of a forward sum: a panel's block and its rows fit the first-level cache.
    BLOCK = 128,
};

// What a tile's sums begin with, and what becomes of them.
struct edges {
    // Begin with this row, else with the output when resume is set, else with zero.
    const float *row;
    bool resume;
    enum { KEEP, RELU, MASK, DESCEND } finish;
    // The learning rate of DESCEND.
    float rate;
};

INLINE lanes relu_lanes(lanes x) { return select_lanes(x <= splat(0), splat(0), x); }

INLINE void begin_tile(const int rows, const int vectors, lanes sums[TILE_ROWS][TILE_VECTORS], struct edges e,
                       const float *c, size_t c_row) {
    for (int v = 0; v < vectors; v++) {
        const lanes first = e.row ? load(e.row + (size_t)v * LANES) : splat(0);
        for (int r = 0; r < rows; r++) sums[r][v] = first;
    }
    if (!e.row && e.resume)
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < vectors; v++) sums[r][v] = load(c + (size_t)r * c_row + (size_t)v * LANES);
}

INLINE void finish_tile(const int rows, const int vectors, lanes sums[TILE_ROWS][TILE_VECTORS], struct edges e,
                        float *c, size_t c_row) {
#define EACH(result)                                                    \
    for (int r = 0; r < rows; r++)                                      \
        for (int v = 0; v < vectors; v++) {                             \
            float *const place = c + (size_t)r * c_row + (size_t)v * LANES; \
            const lanes sum = sums[r][v];                               \
            store(place, result);                                       \
        }                                                               \
    break
    switch (e.finish) {
        case KEEP: EACH(sum);
        case RELU: EACH(relu_lanes(sum));
        case MASK: EACH(select_lanes(load(place) > splat(0), sum, splat(0)));
        case DESCEND: EACH(fused(splat(-e.rate), sum, load(place)));
    }
#undef EACH
}

// c[rows x lanes] from rows of a: a[r][k] * b[k], k ascending.
INLINE void row_tile(const int rows, const int vectors, size_t depth, const float *const *a, size_t a_start,
                     const float *b, size_t b_row, float *c, size_t c_row, struct edges e) {
    lanes sums[TILE_ROWS][TILE_VECTORS];
    begin_tile(rows, vectors, sums, e, c, c_row);
    const float *row[TILE_ROWS];
    for (int r = 0; r < rows; r++) row[r] = a[r] + a_start;
    for (size_t k = 0; k < depth; k++) {
        lanes right[TILE_VECTORS];
        for (int v = 0; v < vectors; v++) right[v] = load(b + k * b_row + (size_t)v * LANES);
        for (int r = 0; r < rows; r++) {
            const lanes value = splat(row[r][k]);
            for (int v = 0; v < vectors; v++) sums[r][v] = fused(value, right[v], sums[r][v]);
        }
    }
    finish_tile(rows, vectors, sums, e, c, c_row);
}

// c[rows x lanes] from columns of a: a[t][start + r] * b[t], t ascending.
INLINE void column_tile(const int rows, const int vectors, size_t depth, const float *const *a, size_t a_start,
                        const float *b, size_t b_row, float *c, size_t c_row, struct edges e) {
    lanes sums[TILE_ROWS][TILE_VECTORS];
    begin_tile(rows, vectors, sums, e, c, c_row);
    for (size_t t = 0; t < depth; t++) {
        lanes right[TILE_VECTORS];
        for (int v = 0; v < vectors; v++) right[v] = load(b + t * b_row + (size_t)v * LANES);
        const float *column = a[t] + a_start;
        for (int r = 0; r < rows; r++) {
            const lanes value = splat(column[r]);
            for (int v = 0; v < vectors; v++) sums[r][v] = fused(value, right[v], sums[r][v]);
        }
    }
    finish_tile(rows, vectors, sums, e, c, c_row);
}

// m rows of one strip of columns, vectors lanes wide.
INLINE void row_strip(const int vectors, size_t m, size_t depth, const float *const *a, size_t a_start, const float *b,
                      size_t b_row, float *c, size_t c_row, struct edges e) {
    size_t i = 0;
#define TAKE(rows)                                \
    for (; i + (rows) <= m; i += (rows))          \
    row_tile(rows, vectors, depth, a + i, a_start, b, b_row, c + i * c_row, c_row, e)
    TAKE(TILE_ROWS);
    TAKE(4);
    TAKE(2);
    TAKE(1);
#undef TAKE
}

// m rows of a panel of WIDE or LANES columns, in strips as wide as a tile.
static void row_panel(size_t columns, size_t m, size_t depth, const float *const *a, size_t a_start, const float *b,
                      float *c, size_t c_row, struct edges e) {
    if (TILE_VECTORS == 2 && columns == WIDE) {
        row_strip(TILE_VECTORS, m, depth, a, a_start, b, WIDE, c, c_row, e);
        return;
    }
    for (size_t j = 0; j < columns; j += LANES) {
        row_strip(1, m, depth, a, a_start, b + j, columns, c + j, c_row, e);
        if (e.row) e.row += LANES;
    }
}

// The columns of the panel that begins at column j.
INLINE size_t panel_columns(size_t j, size_t width) { return width - j < WIDE ? LANES : WIDE; }

// c[m x width] = e's beginning + a[m x k] b[k x width], b in panels.
static void row_product(size_t m, size_t width, size_t k, const float *const *a, const float *b, float *c,
                        struct edges e) {
    const size_t blocks = (k + BLOCK - 1) / BLOCK, depth_most = (k + blocks - 1) / blocks;
    for (size_t start = 0; start < k; start += depth_most) {
        const size_t depth = k - start < depth_most ? k - start : depth_most;
        struct edges part = {NULL, start > 0, start + depth == k ? e.finish : KEEP, 0};
        for (size_t j = 0; j < width; j += WIDE) {
            const size_t columns = panel_columns(j, width);
            if (start == 0 && e.row) part.row = e.row + j;
            row_panel(columns, m, depth, a, start, b + j * k + start * columns, c + j, width, part);
        }
    }
}

// One tile's rows of the weights' gradient, through all panels of c.
INLINE void column_rows(const int rows, size_t i, size_t inputs, size_t width, size_t m, const float *const *a,
                        const float *signal, float *c, struct edges e) {
    for (size_t j = 0; j < width; j += WIDE) {
        const size_t columns = panel_columns(j, width);
        float *const panel = c + j * inputs + i * columns;
        if (TILE_VECTORS == 2 && columns == WIDE)
            column_tile(rows, TILE_VECTORS, m, a, i, signal + j, width, panel, WIDE, e);
        else
            for (size_t v = 0; v < columns; v += LANES)
                column_tile(rows, 1, m, a, i, signal + j + v, width, panel + v, columns, e);
    }
}

// The panelled c[inputs x width] from the transposed rows of a[m x inputs] and signal[m x width].
static void column_product(size_t inputs, size_t width, size_t m, const float *const *a, const float *signal, float *c,
                           struct edges e) {
    size_t i = 0;
    for (; i + TILE_ROWS <= inputs; i += TILE_ROWS) column_rows(TILE_ROWS, i, inputs, width, m, a, signal, c, e);
    for (; i + 4 <= inputs; i += 4) column_rows(4, i, inputs, width, m, a, signal, c, e);
    for (; i < inputs; i++) column_rows(1, i, inputs, width, m, a, signal, c, e);
}

// The biases' gradient: the signal's rows, first row first, added to zero.
static void bias_product(size_t width, size_t m, const float *signal, float *c, struct edges e) {
    for (size_t j = 0; j < width; j += LANES) {
        lanes sum = splat(0);
        for (size_t t = 0; t < m; t++) sum = sum + load(signal + t * width + j);
        store(c + j, e.finish == DESCEND ? fused(splat(-e.rate), sum, load(c + j)) : sum);
    }
}

// ---- Transposition of a layer's weights ----

// b = the transpose of a panelled a[m x n]: panels over m, each [n x columns].
static void transpose_panels(size_t m, size_t n, const float *a, float *b) {
    const size_t a_width = tributary_learn_dense_width(n), b_width = tributary_learn_dense_width(m);
    for (size_t j = 0; j < n; j += LANES) {
        const size_t panel = j / WIDE * WIDE, a_columns = panel_columns(panel, a_width);
        const float *const from = a + panel * m + (j - panel);
        for (size_t i = 0; i < m; i += LANES) {
            const size_t below = i / WIDE * WIDE, b_columns = panel_columns(below, b_width);
            float *const to = b + below * n + (i - below) + j * b_columns;
            if (i + LANES <= m && j + LANES <= n) {
                transpose_square(from + i * a_columns, a_columns, to, b_columns);
                continue;
            }
            const size_t high = m - i < LANES ? m - i : LANES, wide = n - j < LANES ? n - j : LANES;
            float square[LANES * LANES] = {0};
            for (size_t r = 0; r < high; r++)
                store(square + r * LANES, load(from + (i + r) * a_columns));
            transpose_square(square, LANES, square, LANES);
            for (size_t r = 0; r < wide; r++) store(to + r * b_columns, load(square + r * LANES));
        }
    }
}

// ---- Between the flat and the packed layout ----

// A row of fewer than LANES values moves as a whole vector where the buffer goes on: what is beyond the row is written
// again by the next one, so rows must be taken in ascending order.
INLINE lanes load_row(const float *p, size_t filled, bool goes_on) {
    return filled == LANES || goes_on ? load(p) : load_part(p, filled);
}

static void dense_pack(const struct tributary_learn_dense *n, size_t count, const float *flat) {
    const lanes_int column = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (size_t position = 0; position < n->count; position++) {
        const struct tributary_learn_dense_layer *layer = n->layers + position;
        for (size_t i = 0; i <= layer->inputs; i++)
            for (size_t j = 0; j < layer->outputs; j += LANES) {
                const size_t panel = j / WIDE * WIDE, columns = panel_columns(panel, layer->width);
                const size_t at = layer->flat + i * layer->outputs + j;
                const size_t filled = layer->outputs - j < LANES ? layer->outputs - j : LANES;
                float *to = n->parameters + layer->packed + panel * layer->inputs + i * columns + (j - panel);
                if (i == layer->inputs) to = n->parameters + layer->packed + layer->inputs * layer->width + j;
                const lanes values = load_row(flat + at, filled, count - at >= LANES);
                store(to, select_lanes(column < (int32_t)filled, values, splat(0)));
            }
    }
}

static bool dense_unpack(const struct tributary_learn_dense *n, size_t count, const float *base, float *flat) {
    lanes_int wrong = (lanes_int)splat(0);
    for (size_t position = 0; position < n->count; position++) {
        const struct tributary_learn_dense_layer *layer = n->layers + position;
        for (size_t i = 0; i <= layer->inputs; i++)
            for (size_t j = 0; j < layer->outputs; j += LANES) {
                const size_t panel = j / WIDE * WIDE, columns = panel_columns(panel, layer->width);
                const size_t at = layer->flat + i * layer->outputs + j;
                const size_t filled = layer->outputs - j < LANES ? layer->outputs - j : LANES;
                const bool goes_on = count - at >= LANES;
                const float *from = n->parameters + layer->packed + panel * layer->inputs + i * columns + (j - panel);
                if (i == layer->inputs) from = n->parameters + layer->packed + layer->inputs * layer->width + j;
                lanes values = load(from);
                wrong |= values - values != splat(0);
                if (base) values = values - load_row(base + at, filled, goes_on);
                if (filled == LANES || goes_on)
                    store(flat + at, values);
                else
                    store_part(flat + at, filled, values);
            }
    }
    int32_t any = 0;
    for (int lane = 0; lane < LANES; lane++) any |= wrong[lane];
    return any == 0;
}

// ---- One step ----

static void point_at(const float **pointers, size_t m, const float *first, size_t row) {
    for (size_t i = 0; i < m; i++) pointers[i] = first + i * row;
}

static void point_at_rows(const float **pointers, const struct tributary_learn_dense *n, size_t position,
                          const float *features, const uint32_t *rows, size_t m) {
    if (position > 0) {
        const struct tributary_learn_dense_layer *below = n->layers + position - 1;
        point_at(pointers, m, below->activations, below->width);
        return;
    }
    for (size_t i = 0; i < m; i++) pointers[i] = features + (size_t)rows[i] * n->layers[0].inputs;
}

static void dense_backward(const struct tributary_learn_dense *n, const float *features, const uint32_t *rows,
                           size_t m) {
    float *const target = n->gradient ? n->gradient : n->parameters;
    const struct edges update = {NULL, false, n->gradient ? KEEP : DESCEND, n->rate};
    for (size_t position = n->count; position-- > 0;) {
        const struct tributary_learn_dense_layer *layer = n->layers + position;
        float *const signal = layer->activations;
        const size_t inputs = layer->inputs, width = layer->width;
        // The signal below needs the weights as they were.
        if (position > 0)
            transpose_panels(inputs, layer->outputs, n->parameters + layer->packed, layer->transposed);
        point_at_rows(n->pointers, n, position, features, rows, m);
        column_product(inputs, width, m, n->pointers, signal, target + layer->packed, update);
        bias_product(width, m, signal, target + layer->packed + inputs * width, update);
        if (position == 0) return;
        const struct tributary_learn_dense_layer *below = layer - 1;
        point_at(n->pointers, m, signal, width);
        const struct edges mask = {NULL, false, MASK, 0};
        row_product(m, below->width, layer->outputs, n->pointers, layer->transposed, below->activations, mask);
    }
}

// A small row begins and ends before the machine notices that it is read; long rows it fetches ahead by itself.
static void fetch_rows(size_t inputs, const float *features, const uint32_t *rows, size_t count) {
    if (inputs > 256) return;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < inputs; j += LANES)
            __builtin_prefetch(features + (size_t)rows[i] * inputs + j, 0, 2);
}

static struct tributary_learn_loss dense_step(const struct tributary_learn_dense *n, const float *features,
                                              const int32_t *labels, const uint32_t *rows, size_t m, size_t ahead) {
    for (size_t position = 0; position < n->count; position++) {
        const struct tributary_learn_dense_layer *layer = n->layers + position;
        const float *const weights = n->parameters + layer->packed;
        const struct edges e = {weights + layer->inputs * layer->width, false,
                                position + 1 < n->count ? RELU : KEEP, 0};
        point_at_rows(n->pointers, n, position, features, rows, m);
        row_product(m, layer->width, layer->inputs, n->pointers, weights, layer->activations, e);
    }
    fetch_rows(n->layers[0].inputs, features, rows + m, ahead);
    const struct tributary_learn_dense_layer *last = n->layers + n->count - 1;
    struct tributary_learn_loss total = {0, 0};
    const float scale = 1 / (float)m;
    const struct loss_block block = {n->logits, last->outputs, last->width};
    for (size_t i = 0; i < m; i += LANES) {
        const size_t part = m - i < LANES ? m - i : LANES;
        int32_t chosen[LANES] = {0};
        for (size_t r = 0; r < part; r++) chosen[r] = labels[rows[i + r]];
        softmax_rows(part, block, last->activations + i * last->width, chosen, scale, &total);
    }
    dense_backward(n, features, rows, m);
    return total;
}
