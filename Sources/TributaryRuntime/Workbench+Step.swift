// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryAggregation
import TributaryCodec
import TributaryCore
import TributaryFiles
import TributaryProtocol

// Models: from a closed sum to the next model, and from a stepping node's model to its voice.

extension Workbench {
    func step(_ number: RoundNumber, _ optimizer: ServerOptimizer, _ base: Digest) -> RoundWorkResult {
        do {
            let model = sum.groups.isEmpty ? try reference(base) : try next(optimizer, base)
            return .stepped(number, model: model, totals: sum.totals)
        } catch {
            // A full disk is no fault of the updates: the node cannot go on.
            return error is FilesError
                ? failed(number, "the model could not be written", error) : .stepFailed(number, text: "\(error)")
        }
    }

    private func reference(_ digest: Digest) throws -> ModelReference {
        guard let byteCount = store.byteCount(of: digest) else { throw FilesError.unknownObject(digest) }
        let object = ObjectReference(digest: digest, byteCount: byteCount)
        return ModelReference(digest: digest, sources: [.init(object: object, encoding: .float32)])
    }

    private func next(_ optimizer: ServerOptimizer, _ digest: Digest) throws -> ModelReference {
        let base = try store.mapped(digest)
        let count = base.byteCount / MemoryLayout<Float>.stride
        try prepareState(optimizer, count: count)
        let next = try vector(count: count)
        let state = optimizerState.map { $0.withUnsafeMutableBuffer { $0 } }
        try base.withUnsafeBytes { bytes in
            try next.withUnsafeMutableBuffer { buffer in
                try sum.accumulator?.step(
                    optimizer, base: bytes.assumingMemoryBound(to: Float.self), state: state, next: buffer)
            }
        }
        isStateNew = !optimizerState.isEmpty
        // The state has been stepped: what follows must not be done from the beginning again.
        let object = try whenThereIsRoom { try next.withSpan { try store.put($0.bytes) } }
        return ModelReference(digest: object.digest, sources: [.init(object: object, encoding: .float32)])
    }

    private func vector(count: Int) throws -> MappedVector {
        try whenThereIsRoom { try MappedVector(count: count, directory: stateDirectory) }
    }

    private func prepareState(_ optimizer: ServerOptimizer, count: Int) throws {
        let wanted = optimizer.stateVectorCount
        if optimizerState.count == wanted, optimizerState.allSatisfy({ $0.count == count }) { return }
        optimizerState = try (0..<wanted).map { _ in try vector(count: count) }
        guard keptState.count == wanted, keptState.allSatisfy({ $0.byteCount == UInt64(count) * 4 }) else { return }
        for (vector, object) in zip(optimizerState, keptState) {
            let kept = try store.mapped(object.digest)
            kept.withUnsafeBytes { bytes in
                vector.withUnsafeMutableBuffer { UnsafeMutableRawBufferPointer($0).copyMemory(from: bytes) }
            }
        }
    }

    func sealVoice(
        _ number: RoundNumber, model: Digest, base: Digest, groups: [GroupPlan]
    ) -> RoundWorkResult {
        do {
            let local = try store.mapped(model)
            let origin = try store.mapped(base)
            let count = local.byteCount / MemoryLayout<Float>.stride
            let delta = try vector(count: count)
            try delta.withUnsafeMutableBuffer { buffer in
                local.withUnsafeBytes { bytes in
                    UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
                }
                try origin.withUnsafeBytes { bytes in
                    try Delta.subtract(bytes.assumingMemoryBound(to: Float.self), from: buffer)
                }
                _ = try Delta.scaleOntoBounds(buffer, groups: groups)
            }
            let body = try whenThereIsRoom { try delta.withSpan { try store.put($0.bytes) } }
            let entries = groups.map {
                Update.Group(weight: 1, encoding: $0.encoding, byteCount: $0.parameterCount * 4)
            }
            return .voiceSealed(number, body: body, groups: entries)
        } catch {
            return failed(number, "the node's own delta could not be written", error)
        }
    }
}
