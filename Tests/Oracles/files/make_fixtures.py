# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the small files in fixtures/ with NumPy and safetensors, as independent writers of the formats.

    .build/venv/bin/python3 Tests/Oracles/files/make_fixtures.py

The values follow a formula that the tests repeat: feature (i, j) = ((7 i + 3 j) mod 11 - 5) / 4, as bytes
(7 i + 3 j) mod 256, label i = i mod 3.
"""

import gzip
import io
import pathlib
import struct
import zipfile

import numpy as np
from safetensors.numpy import save_file

OUT = pathlib.Path(__file__).parent / "fixtures"
ROWS, WIDTH = 9, 6
I, J = np.meshgrid(np.arange(ROWS), np.arange(WIDTH), indexing="ij")
VALUES = ((7 * I + 3 * J) % 11 - 5) / 4.0
BYTES = ((7 * I + 3 * J) % 256).astype("u1")
LABELS = np.arange(ROWS) % 3
IDX_TYPES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def idx(array, kind):
    head = struct.pack(">BBBB", 0, 0, IDX_TYPES[kind], array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(">" + kind).tobytes()


def write(name, data):
    (OUT / name).write_bytes(data)


def npz(name, compressed=False, **arrays):
    (np.savez_compressed if compressed else np.savez)(OUT / name, **arrays)


def main():
    OUT.mkdir(exist_ok=True)
    images = BYTES.reshape(ROWS, 2, 3)
    write("images.idx", idx(images, "u1"))
    write("images.idx.gz", gzip.compress(idx(images, "u1"), mtime=0))
    two_members = gzip.compress(idx(images, "u1")[:20], mtime=0) + gzip.compress(idx(images, "u1")[20:], mtime=0)
    write("images-two-members.idx.gz", two_members)
    write("labels.idx", idx(LABELS, "u1"))
    write("labels.idx.gz", gzip.compress(idx(LABELS, "u1"), mtime=0))
    write("values-f4.idx", idx(VALUES, "f4"))
    write("values-f8.idx", idx(VALUES, "f8"))
    write("values-i2.idx", idx(VALUES * 4, "i2"))
    for kind in ["<f4", ">f4", "<f8", ">f8"]:
        order = "le" if kind[0] == "<" else "be"
        npz(f"{kind[1:]}-{order}.npz", x=VALUES.astype(kind), y=LABELS.astype("<i8"))
    npz("bytes.npz", x=BYTES, y=LABELS.astype("u1"))
    npz("i4.npz", x=(VALUES * 4).astype("<i4"), y=LABELS.astype("<i4"))
    npz("i8-be.npz", x=(VALUES * 4).astype(">i8"), y=LABELS.astype(">i8"))
    npz("deflated.npz", True, x=VALUES.astype("<f4"), y=LABELS)
    npz("fortran.npz", x=np.asfortranarray(VALUES.astype("<f4")), y=LABELS)
    cube = np.asfortranarray(VALUES.reshape(ROWS, 1, 2, 3).astype("<f8"))
    npz("fortran-deflated.npz", True, x=cube, y=LABELS)
    npz("labels-as-floats.npz", x=VALUES, y=LABELS.astype("<f8"))
    npz("objects.npz", x=np.array([{"a": 1}] * ROWS, dtype=object), y=LABELS)
    npz("nan.npz", x=np.where(I == 4, np.nan, VALUES), y=LABELS)

    # Sizes and offsets only in ZIP64 fields, as archives of more than 4 GiB have them.
    zipfile.ZIP64_LIMIT = 10
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in {"x.npy": VALUES.astype("<f4"), "y.npy": LABELS}.items():
            member = io.BytesIO()
            np.save(member, array)
            archive.writestr(zipfile.ZipInfo(name), member.getvalue())
    large = bytearray(buffer.getvalue())
    large[-10:-2] = b"\xff" * 8
    write("zip64.npz", bytes(large))

    save_file(
        {
            "dense1.weight": VALUES.astype("<f4"),
            "dense1.bias": VALUES[0].astype("<f4"),
            "scale": np.array(2.5, dtype="<f4"),
        },
        OUT / "model.safetensors",
        metadata={"made by": 'safetensors "for" \u00fcn\u00efcode \u2603\n'},
    )
    save_file({"half": VALUES.astype("<f2")}, OUT / "half.safetensors")


main()
