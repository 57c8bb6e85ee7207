// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

/// The list of a sum's contributions as their senders signed them: what an aggregator shows for what it adds up.
///
/// It proves that each sender took part with this weight and, by its digest, with which delta; it does not prove that
/// the vector is their sum.
struct Attestation {
    /// One contribution: the bytes that were signed, the signature, and what they say.
    struct Record {
        let signed: [UInt8]
        let signature: [UInt8]
        let update: Update
        let run: RunID
    }

    /// In ascending order of the senders' names.
    var records: [Record]

    /// The records of updates that were signed in a run, and of sums whose lists were taken.
    init(_ updates: some Sequence<Update>, run: RunID, and others: some Sequence<Record>) {
        let own = updates.compactMap { update in
            update.signature.map { signature in
                Record(
                    signed: update.signedBytes(run: run, epoch: signature.epoch), signature: signature.value,
                    update: update, run: run)
            }
        }
        records = (own + others).sorted { $0.update.key.node < $1.update.key.node }
    }

    /// Reads a list; `nil` when it is none, has more records than a sum has contributions, or is not in order.
    init?(_ bytes: [UInt8]) {
        var reader = SignedBytesReader(bytes)
        guard let read = reader.list(maximum: Int(Limits.cohortMax), Self.record), reader.isAtEnd,
            zip(read, read.dropFirst()).allSatisfy({ $0.update.key.node < $1.update.key.node })
        else { return nil }
        records = read
    }

    private static func record(_ reader: inout SignedBytesReader) -> Record? {
        guard let count = reader.number(UInt32.self), let signed = reader.raw(count: Int(count)),
            let signature = reader.raw(count: Update.Signature.byteCount),
            let (update, run, _) = Update.reading(signedBytes: signed)
        else { return nil }
        return Record(signed: signed, signature: signature, update: update, run: run)
    }

    /// The number of records, then for each the number of signed bytes, these, and the signature.
    var bytes: [UInt8] {
        var bytes = SignedBytes.bigEndian(UInt32(records.count))
        for record in records {
            bytes += SignedBytes.bigEndian(UInt32(record.signed.count)) + record.signed + record.signature
        }
        return bytes
    }
}
