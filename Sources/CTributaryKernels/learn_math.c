// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// log and exp in double precision from additions, multiplications and divisions alone, so that every machine gets the
// same bits: fused operations are never formed here.

#include <string.h>

#include "include/learn_kernels.h"

#pragma clang fp contract(off) reassociate(off)

static const double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;

static uint64_t bits_of(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// x = 2^n f with f in [sqrt(1/2), sqrt(2)); log f = 2 artanh(s), s = (f - 1) / (f + 1), |s| < 0.1716, by its series up
// to s^21 (the next term is below 2^-60 of the sum).
double tributary_learn_log_double(double x) {
    if (!(x > 0)) return x == 0 ? -__builtin_inf() : __builtin_nan("");
    if (x == __builtin_inf()) return x;
    int64_t n = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        n = -54;
    }
    const uint64_t bits = bits_of(x);
    n += (int64_t)(bits >> 52) - 1023;
    double f = of_bits((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);
    if (f > 0x1.6a09e667f3bcdp+0) {
        f *= 0.5;
        n += 1;
    }
    const double s = (f - 1) / (f + 1), square = s * s;
    double series = 0;
    for (int power = 21; power >= 3; power -= 2) series = (series + 1.0 / power) * square;
    const double correction = 2 * s * series + (double)n * ln2_low;
    return (double)n * ln2_high + (2 * s + correction);
}

// exp(x) = 2^n exp(r), |r| <= ln 2 / 2, by the Taylor polynomial of degree 14 (remainder below 2^-60).
double tributary_learn_exp_double(double x) {
    if (x != x) return x;
    if (x > 709.7) return __builtin_inf();
    if (x < -708.3) return 0;
    const double shifted = x * 0x1.71547652b82fep+0 + 0x1.8p52;
    const double n = shifted - 0x1.8p52;
    const double r = (x - n * ln2_high) - n * ln2_low;
    double p = 1;
    for (int k = 14; k >= 1; k--) p = 1 + p * r / k;
    return p * of_bits((uint64_t)(1023 + (int64_t)n) << 52);
}
