// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Patches of images and pooling, compiled once per instruction set behind learn_body.h.

// The image inside a border of zeros as wide as half the kernel.
static void pad_image(struct tributary_learn_patches s, const float *image, float *padded) {
    const size_t line = s.width * s.channels, border = s.kernel / 2 * s.channels, padded_line = line + 2 * border;
    memset(padded, 0, s.kernel / 2 * padded_line * sizeof(float));
    float *to = padded + s.kernel / 2 * padded_line;
    for (size_t y = 0; y < s.height; y++, to += padded_line, image += line) {
        memset(to, 0, border * sizeof(float));
        memcpy(to + border, image, line * sizeof(float));
        memset(to + border + line, 0, border * sizeof(float));
    }
    memset(to, 0, s.kernel / 2 * padded_line * sizeof(float));
}

// Runs are written in ascending order and as whole vectors where the buffers go on, so that what is beyond a run is
// written again by the next one.
static void image_to_rows(struct tributary_learn_patches s, const float *image, float *padded, float *rows) {
    const size_t run = s.kernel * s.channels, line = (s.width + s.kernel - 1) * s.channels;
    const float *const rows_end = rows + s.height * s.width * s.kernel * run;
    const float *const padded_end = padded + (s.height + s.kernel - 1) * line;
    pad_image(s, image, padded);
    for (size_t y = 0; y < s.height; y++)
        for (size_t x = 0; x < s.width; x++)
            for (size_t dy = 0; dy < s.kernel; dy++, rows += run) {
                const float *const from = padded + (y + dy) * line + x * s.channels;
                const size_t room = (size_t)(rows_end - rows), source = (size_t)(padded_end - from);
                if (run + LANES > room || run + LANES > source) {
                    memcpy(rows, from, run * sizeof(float));
                    continue;
                }
                for (size_t i = 0; i < run; i += LANES) store(rows + i, load(from + i));
            }
}

static void rows_to_image(struct tributary_learn_patches s, const float *rows, float *image) {
    const ptrdiff_t edge = (ptrdiff_t)s.kernel, half = edge / 2;
    memset(image, 0, s.height * s.width * s.channels * sizeof(float));
    for (ptrdiff_t y = 0; y < (ptrdiff_t)s.height; y++)
        for (ptrdiff_t x = 0; x < (ptrdiff_t)s.width; x++)
            for (ptrdiff_t dy = -half; dy <= half; dy++)
                for (ptrdiff_t dx = -half; dx <= half; dx++, rows += s.channels) {
                    if (y + dy < 0 || y + dy >= (ptrdiff_t)s.height || x + dx < 0 || x + dx >= (ptrdiff_t)s.width)
                        continue;
                    float *pixel = image + ((size_t)(y + dy) * s.width + (size_t)(x + dx)) * s.channels;
                    for (size_t c = 0; c < s.channels; c++) pixel[c] = pixel[c] + rows[c];
                }
}

INLINE float larger(float a, float b) { return b > a ? b : a; }

static void pool(size_t height, size_t width, size_t channels, const float *image, float *pooled) {
    const size_t line = width * channels;
    for (size_t y = 0; y < height / 2; y++)
        for (size_t x = 0; x < width / 2; x++, pooled += channels) {
            const float *corner = image + 2 * y * line + 2 * x * channels;
            for (size_t c = 0; c < channels; c++) {
                const float above = larger(corner[c], corner[channels + c]);
                const float below = larger(corner[line + c], corner[line + channels + c]);
                pooled[c] = larger(above, below);
            }
        }
}

// Where the gradient of a block of pixels goes: to the first that holds its largest value.
INLINE void pool_backward_lanes(const float *image, size_t right, size_t line, lanes largest, lanes signal,
                                float *gradient) {
    lanes_int open = largest > splat(0);
    const size_t places[4] = {0, right, line, line + right};
    for (int place = 0; place < 4; place++) {
        const lanes_int here = place == 3 ? open : open & (load(image + places[place]) == largest);
        store(gradient + places[place], select_lanes(here, signal, splat(0)));
        open &= ~here;
    }
}

static void pool_backward(size_t height, size_t width, size_t channels, const float *image, const float *pooled,
                          const float *pooled_gradient, float *gradient) {
    const size_t line = width * channels, whole = channels / LANES * LANES;
    // The blocks cover all but an odd last row or column.
    if (height % 2 || width % 2 || whole < channels) memset(gradient, 0, height * line * sizeof(float));
    for (size_t y = 0; y < height / 2; y++)
        for (size_t x = 0; x < width / 2; x++, pooled += channels, pooled_gradient += channels) {
            const size_t corner = 2 * y * line + 2 * x * channels;
            for (size_t c = 0; c < whole; c += LANES)
                pool_backward_lanes(image + corner + c, channels, line, load(pooled + c), load(pooled_gradient + c),
                                    gradient + corner + c);
            for (size_t c = whole; c < channels; c++) {
                if (!(pooled[c] > 0)) continue;
                const float *from = image + corner + c;
                const size_t place = from[0] == pooled[c]          ? 0
                                     : from[channels] == pooled[c] ? channels
                                     : from[line] == pooled[c]     ? line
                                                                   : line + channels;
                gradient[corner + c + place] = pooled_gradient[c];
            }
        }
}
