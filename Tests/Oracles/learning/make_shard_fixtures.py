#!/usr/bin/env python3
# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes shards.json: quantiles of bounded Pareto and normal distributions and rotated images, by SciPy.

    pip install numpy scipy && python3 make_shard_fixtures.py > shards.json
"""
import json

import numpy as np
from scipy import ndimage, stats

SHARES = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.9999]
SIZES_AND_ANGLES = [(5, 5, 90), (5, 5, -90), (6, 6, 180), (7, 7, 15), (6, 8, -33.5), (8, 5, 271), (9, 9, 720)]


def quantiles(exponent, low, high):
    """Density in proportion to x^-exponent on [low, high]: SciPy's shape is the exponent less 1, from 1 on."""
    values = stats.truncpareto.ppf(SHARES, exponent - 1, high / low, scale=low)
    return {"exponent": exponent, "min": low, "max": high, "shares": SHARES, "values": [float(v) for v in values]}


def rotation(height, width, degrees):
    """Counter-clockwise about the middle: output pixel o comes from R (o - middle) + middle of the input."""
    image = np.random.default_rng(height * 100 + width).random((height, width)).astype(np.float32)
    angle = np.deg2rad(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = np.array([(height - 1) / 2, (width - 1) / 2])
    turned = ndimage.affine_transform(
        image.astype(np.float64), matrix, offset=middle - matrix @ middle, order=1, mode="grid-constant", cval=0.0
    )
    if height == width and degrees % 90 == 0:
        # The direction, by another function than the one that interpolates.
        assert np.allclose(turned, np.rot90(image, round(degrees / 90)), atol=1e-12)
    return {
        "height": height,
        "width": width,
        "degrees": degrees,
        "image": [float(v) for v in image.ravel()],
        "turned": [float(v) for v in turned.ravel()],
    }


print(
    json.dumps(
        {
            "quantiles": [
                quantiles(e, a, b)
                for e, a, b in [(1.5, 10, 2001), (2.0, 1, 1000001), (3.5, 5, 50), (0.5, 10, 100), (1.01, 20, 4000)]
            ],
            # The middles of 65,536 steps of a normal distribution, every 1,927th of them.
            "normals": [float(v) for v in stats.norm.ppf((np.arange(0, 65536, 1927) + 0.5) / 65536)],
            "rotations": [
                rotation(h, w, d)
                for h, w, d in SIZES_AND_ANGLES
            ],
        },
        separators=(",", ":"),
    )
)
