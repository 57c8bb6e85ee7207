# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Python's protobuf against the frames of TributaryWire, in both directions.

interop.py relay IN OUT     reads frames, takes each apart with Python's protobuf, builds it anew and writes it
interop.py examples IN OUT  compares IN with the examples below, field by field, and writes Python's own frames

A file of frames is, frame after frame, a length (4 bytes, little-endian) and the bytes.
"""

import struct
import sys

from google.protobuf import json_format

from tributary_protocol import load

p = load()
DIGEST = bytes(range(32))


def read_frames(path):
    with open(path, "rb") as file:
        data = file.read()
    frames, position = [], 0
    while position < len(data):
        (count,) = struct.unpack_from("<I", data, position)
        frames.append(data[position + 4:position + 4 + count])
        position += 4 + count
    return frames


def write_frames(path, frames):
    with open(path, "wb") as file:
        for frame in frames:
            file.write(struct.pack("<I", len(frame)) + frame)


def parse(frame):
    envelope = p.Envelope.FromString(frame)
    size = envelope.ByteSize()
    envelope.DiscardUnknownFields()
    assert envelope.ByteSize() == size, f"fields that Python does not know in {envelope}"
    return envelope


def relay(frames):
    kinds, out = set(), []
    for frame in frames:
        envelope = parse(frame)
        kinds.add(envelope.WhichOneof("kind"))
        rebuilt = p.Envelope()
        json_format.Parse(json_format.MessageToJson(envelope), rebuilt)
        out.append(rebuilt.SerializeToString())
    known = {field.name for field in p.Envelope.DESCRIPTOR.oneofs_by_name["kind"].fields}
    assert kinds == known, f"never seen: {known - kinds}"
    return out


def number():
    return p.RoundNumber(round=3, edge_round=2)


def key():
    return p.UpdateKey(node="camera-1", sequence=5)


def sum_key():
    return p.SumKey(node="eu-west", number=number(), revision=4)


def thing(byte_count):
    return p.ObjectReference(digest=DIGEST, byte_count=byte_count)


def metrics():
    return [p.MetricCounter(name="loss", numerator=-7, denominator=60)]


def sums():
    """One example of every kind that only aggregators send."""
    return [
        dict(sum_offer=p.SumOffer(
            key=sum_key(), names=thing(64), chosen_count=6, contributor_count=5, contribution_count=4,
            reason="round.below_quorum")),
        dict(sum_grant=p.SumGrant(
            key=sum_key(),
            excluded_names=bytes.fromhex("00000000000000010000000000000002" "0102030405060708f000000000000000"))),
        dict(sum=p.Sum(
            key=sum_key(), base_digest=DIGEST, contributor_count=5, contribution_count=4, metrics=metrics(),
            body=thing(99),
            groups=[p.SumGroup(total_weight=2400, byte_count=99)])),
    ]


def examples():
    """One example of every kind; Tests/TributaryWireTests/PythonInteropTests.swift says the same in Swift."""
    layout = p.ParameterLayout(groups=[
        p.LayoutGroup(name="body", tensors=[
            p.LayoutTensor(name="dense.weight", shape=[784, 10]), p.LayoutTensor(name="scale", shape=[])]),
        p.LayoutGroup(name="head", tensors=[p.LayoutTensor(name="bias", shape=[10])])])
    group = p.GroupPlan(
        name="body", parameter_count=7841,
        ring=p.RingParameters(exponent=26, delta_bound=8, weight_max=1 << 20, weight_total_max=1 << 32),
        encoding=p.ENCODING_FLOAT32, normaliser=p.NORMALISER_COUNT)
    model = p.ModelReference(
        digest=DIGEST, sources=[p.ModelSource(object=thing(31404), encoding=p.ENCODING_FLOAT32)])
    sgd = p.TrainSettings(
        local_epochs=2, batch=32, proximal=0.25,
        optimizer=p.ClientOptimizer(sgd=p.Sgd(learning_rate=0.5, momentum=0.75)))
    adam = p.TrainSettings(
        local_steps=60, batch=16,
        optimizer=p.ClientOptimizer(adam=p.Adam(learning_rate=0.125, beta1=0.5, beta2=0.25, epsilon=0.0625)))
    everybody = p.Selection(fraction=1, over_select=1)
    kinds = [
        dict(hello=p.Hello(
            node="camera-1", client_index=7, wire_version_min=1, wire_version_max=3,
            encodings=[p.ENCODING_FLOAT32, p.ENCODING_RING], topology_digest=DIGEST)),
        dict(hello=p.Hello(
            node="eu-west", aggregator=p.AggregatorRole(), wire_version_min=1, wire_version_max=1)),
        dict(welcome=p.Welcome(wire_version=1, layout=layout)),
        dict(fetch=p.Fetch(digest=DIGEST, offset=65536, length=1000)),
        dict(chunk=p.Chunk(digest=DIGEST, offset=300, data=b"\x01\x02\x03")),
        dict(ping=p.Ping()),
        dict(refuse=p.Refuse(connection=p.ConnectionSubject(), reason="wire.malformed", text="gr\u00f6\u00dfer")),
        dict(refuse=p.Refuse(update=key(), reason="update.not_finite")),
        dict(refuse=p.Refuse(sum=sum_key(), reason="update.duplicate")),
        dict(refuse=p.Refuse(object_digest=DIGEST, reason="object.unknown")),
        dict(ready=p.Ready(client_count=250)),
        dict(working=p.Working(number=number(), chosen_count=9, reported_count=8, permille=700)),
        dict(leave=p.Leave(reason="client.left")),
        dict(wait=p.Wait(retry_after_ms=1500)),
        dict(drain=p.Drain(reason="run.stopped")),
        dict(plan=p.RoundPlan(
            number=number(), train=sgd, model=model, groups=[group],
            selection=p.Selection(client_count=100, over_select=1.5), time_left_ms=60000, seed=(1 << 64) - 2)),
        dict(plan=p.RoundPlan(
            number=number(), train=adam, model=model, groups=[group], selection=everybody, time_left_ms=1, seed=7)),
        dict(plan=p.RoundPlan(
            number=number(), train=p.TrainSettings(none=p.NoTraining()), model=model, groups=[group],
            selection=everybody, time_left_ms=3, seed=7)),
        dict(plan=p.RoundPlan(
            number=number(), evaluate=p.Evaluate(), model=model, selection=everybody, time_left_ms=2, seed=7)),
        dict(update=p.Update(
            key=key(), number=number(), base_digest=DIGEST, metrics=metrics(), body=thing(31364),
            groups=[p.UpdateGroup(weight=600, encoding=p.ENCODING_FLOAT32, byte_count=31364)])),
        dict(update=p.Update(
            key=key(), number=number(), base_digest=DIGEST, body=thing(4),
            groups=[p.UpdateGroup(weight=1, encoding=p.ENCODING_FLOAT32, byte_count=4)],
            voice=p.Voice(chosen_count=3, contributor_count=2))),
        dict(receipt=p.Receipt(update=key(), durability=p.DURABILITY_MEMORY)),
        dict(receipt=p.Receipt(sum=sum_key(), durability=p.DURABILITY_DISK)),
        dict(round_closed=p.RoundClosed(number=number(), committed=p.Committed(contributor_count=11))),
        dict(round_closed=p.RoundClosed(number=number(), failed="round.below_quorum")),
    ] + sums()
    below = {"fetch", "chunk", "ping"}
    return [
        p.Envelope(wire_version=1, **kind) if below & set(kind) else
        p.Envelope(run="smart-factory-1", epoch=2, wire_version=1, **kind) for kind in kinds]


def compare(frames):
    expected = examples()
    assert len(frames) == len(expected), f"{len(frames)} frames for {len(expected)} examples"
    for position, (frame, example) in enumerate(zip(frames, expected)):
        assert parse(frame) == example, f"example {position}: got {parse(frame)} instead of {example}"
    return [example.SerializeToString() for example in expected]


if __name__ == "__main__":
    verb, source, target = sys.argv[1:]
    write_frames(target, {"relay": relay, "examples": compare}[verb](read_frames(source)))
