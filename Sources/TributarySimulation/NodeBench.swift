// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryAggregation
import TributaryCodec
import TributaryCore
import TributaryCrypto
import TributaryProtocol

/// A simulated aggregator's vectors: the same sums and steps as a deployed one's, on objects in memory.
///
/// Folds are answered at once and done in batches: a device's delta was checked when it was computed, so none is
/// refused. Anonymous memory: 8 bytes a parameter for the sum, and the objects that the node holds.
final class NodeBench {
    private let serials: DigestSerials
    private let isRoot: Bool
    private let evaluate: Simulation.Judge?
    private let recompute: (TrainingTask) -> Void
    private var accumulator: Accumulator?
    private var groups: [GroupPlan] = []
    private var pending: [(update: Update, values: PendingValues)] = []
    private var folded: [(update: Update, values: PendingValues)] = []
    private var sums: [SumKey: (sum: Sum, body: SumBody?)] = [:]
    /// The server optimizer's vectors.
    var optimizerState: [[Float]] = []
    /// The round of the last step, and the vectors before its first one.
    private var stepsOfRound: (round: UInt32, before: [[Float]])?
    /// What the node would have on disk; kept where nodes are killed.
    var memory: NodeMemory?
    /// What the node holds, by digest.
    var objects: [Digest: SimulatedObject] = [:]

    /// Where a pending update's values are.
    private enum PendingValues {
        case none
        case task(TrainingTask)
        case voice(ModelVector)
    }

    /// A node's bench without vectors.
    ///
    /// `evaluate` is the root's judgement of a model, `nil` elsewhere and where there is nothing to judge on;
    /// `recompute` computes a device's delta whose memory was given back.
    init(
        serials: DigestSerials, isRoot: Bool, evaluate: Simulation.Judge?,
        recompute: @escaping (TrainingTask) -> Void
    ) {
        self.serials = serials
        self.isRoot = isRoot
        self.evaluate = evaluate
        self.recompute = recompute
    }

    /// Does a piece of work; `nil` where none is answered.
    func perform(_ work: RoundWork) throws -> RoundWorkResult? {
        switch work {
        case .begin(_, let groups): try begin(groups)
        case .fold(let update): return fold(update)
        case .foldSum(let sum): return foldSum(sum)
        case .subtractSum(let sum): return subtractSum(sum)
        case .takeOut(let updates, let sums): try takeOut(updates, sums)
        case .readNames(let key, let object):
            guard case .names(let names)? = objects[object.digest] else { return .namesRead(key, nil) }
            return .namesRead(key, names)
        case .sealNames(let key, let names):
            let digest = hold(.names(names))
            let byteCount = UInt64(names.count * ContributionName.byteCount)
            return .namesSealed(key, ObjectReference(digest: digest, byteCount: byteCount))
        case .sealSum(let key): return sealSum(key)
        case .sealPart(let key, let updates, let sums): return try sealPart(key, updates, sums)
        case .journal(let record):
            memory?.apply(record)
            return .journaled(record.key)
        case .recall(let subject, let number):
            return .recalled(subject, number, memory?.end(of: subject, in: number))
        case .step(let number, let optimizer, let base): return step(number, optimizer, base)
        case .sealVoice(let number, let model, let base, let groups): return sealVoice(number, model, base, groups)
        case .evaluate(let number, let model):
            guard let evaluate, case .model(let vector)? = objects[model] else {
                return .evaluated(number, metrics: [])
            }
            return .evaluated(number, metrics: try evaluate(vector.values, number.round))
        case .checkpoint(let number, _): return .checkpointed(number)
        case .release(let digests): for digest in digests { objects[digest] = nil }
        case .fetch, .cancel: preconditionFailure("transfers belong to the links")
        }
        return nil
    }

    /// The node's process dies: what its journal names is still there, and so are the optimizer's vectors.
    func forgetAllButDisk() {
        let kept = memory?.run.objects ?? []
        objects = objects.filter { kept.contains($0.key) }
        accumulator = nil
        groups = []
        pending = []
        folded = []
        sums = [:]
    }

    /// Holds an object under a digest of its own.
    func hold(_ object: SimulatedObject) -> Digest {
        let digest = serials.next()
        objects[digest] = object
        return digest
    }

    private func begin(_ groups: [GroupPlan]) throws {
        pending = []
        folded.removeAll(keepingCapacity: true)
        sums = [:]
        if self.groups == groups, accumulator != nil {
            accumulator?.reset()
        } else {
            self.groups = groups
            accumulator = try Accumulator(groups: groups)
        }
    }

    // MARK: Folding

    private func fold(_ update: Update) -> RoundWorkResult {
        guard let values = try? values(of: update) else {
            return .folded(update.key, .init(reason: .unknownObject, text: "the body is not here"))
        }
        pending.append((update, values))
        if pending.count == Accumulator.batchCountMax { flush() }
        return .folded(update.key, nil)
    }

    private func values(of update: Update) throws -> PendingValues {
        guard let body = update.body else { return .none }
        switch objects[body.digest] {
        case .update(let task): return .task(task)
        case .voice(let vector): return .voice(vector)
        case .model, .sum, .names, nil: throw LostObject()
        }
    }

    /// Adds what waits to the sum.
    private func flush() {
        guard !pending.isEmpty else { return }
        let held = pending.map { buffer(of: $0.values) }
        let contributions = zip(pending, held).map { entry, held in
            Contribution(groups: entry.update.groups, metrics: entry.update.metrics, body: held.bytes)
        }
        // The buffers stay alive until the fold is done: `contributions` points into them.
        let outcomes = withExtendedLifetime(held) { accumulator?.fold(contributions) ?? [] }
        precondition(outcomes.allSatisfy { $0 == nil }, "a delta that was checked was refused: \(outcomes)")
        for entry in pending { if case .task(let task) = entry.values { task.forgetDelta() } }
        folded += pending
        pending.removeAll(keepingCapacity: true)
    }

    /// An update's values in memory, computed again if need be.
    private func buffer(of values: PendingValues) -> DeltaBuffer {
        switch values {
        case .none: return DeltaBuffer(count: 0)
        case .voice(let vector): return DeltaBuffer(copying: vector.values)
        case .task(let task):
            if let delta = task.delta { return delta }
            recompute(task)
            guard let delta = task.delta else { preconditionFailure("a task that succeeded once does not fail") }
            return delta
        }
    }

    private func foldSum(_ sum: Sum) -> RoundWorkResult {
        var body: SumBody?
        if let reference = sum.body {
            guard case .sum(let held)? = objects[reference.digest] else {
                return .sumFolded(sum.key, .init(reason: .unknownObject, text: "the body is not here"))
            }
            body = held
        }
        do {
            try (body?.bytes ?? []).withUnsafeBytes { bytes in
                try accumulator?.addSum(
                    groups: sum.groups, contributorCount: sum.contributionCount, metrics: sum.metrics, body: bytes)
            }
        } catch let error as AggregationError {
            return .sumFolded(sum.key, .init(reason: error.reason, text: error.description))
        } catch {
            return .sumFolded(sum.key, .init(reason: .storage, text: "\(error)"))
        }
        sums[sum.key] = (sum, body)
        return .sumFolded(sum.key, nil)
    }

    private func takeOut(_ updates: [UpdateKey], _ partials: [SumKey]) throws {
        flush()
        for key in updates {
            guard let place = folded.firstIndex(where: { $0.update.key == key }) else { continue }
            let entry = folded.remove(at: place)
            let held = buffer(of: entry.values)
            let contribution = Contribution(
                groups: entry.update.groups, metrics: entry.update.metrics, body: held.bytes)
            try withExtendedLifetime(held) { try accumulator?.takeOut(contribution) }
        }
        for key in partials {
            guard let entry = sums.removeValue(forKey: key) else { continue }
            try subtract(entry.sum, entry.body)
        }
    }

    private func subtractSum(_ sum: Sum) -> RoundWorkResult {
        flush()
        do {
            try subtract(sum, try body(of: sum))
            return .sumFolded(sum.key, nil)
        } catch let error as AggregationError {
            return .sumFolded(sum.key, .init(reason: error.reason, text: error.description))
        } catch {
            return .sumFolded(sum.key, .init(reason: .unknownObject, text: "\(error)"))
        }
    }

    private func subtract(_ sum: Sum, _ body: SumBody?) throws {
        try (body?.bytes ?? []).withUnsafeBytes { bytes in
            try accumulator?.subtractSum(
                groups: sum.groups, contributorCount: sum.contributionCount, metrics: sum.metrics, body: bytes)
        }
    }

    private func body(of sum: Sum) throws -> SumBody? {
        guard let reference = sum.body else { return nil }
        guard case .sum(let held)? = objects[reference.digest] else { throw LostObject() }
        return held
    }

    /// The sum of a few contributions, made apart.
    private func sealPart(_ key: SumKey, _ updates: [Update], _ partials: [Sum]) throws -> RoundWorkResult {
        var part = try Accumulator(groups: groups)
        for update in updates {
            let held = buffer(of: try values(of: update))
            let contribution = Contribution(groups: update.groups, metrics: update.metrics, body: held.bytes)
            let outcomes = withExtendedLifetime(held) { part.fold([contribution]) }
            precondition(outcomes.allSatisfy { $0 == nil }, "a delta that was checked was refused: \(outcomes)")
        }
        for sum in partials {
            let body = try body(of: sum)
            try (body?.bytes ?? []).withUnsafeBytes { bytes in
                try part.addSum(
                    groups: sum.groups, contributorCount: sum.contributionCount, metrics: sum.metrics, body: bytes)
            }
        }
        var bytes: [UInt8] = []
        let entries = part.encodeSum { piece in piece.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return seal(key, entries, part.metrics, bytes)
    }

    // MARK: Sealing and stepping

    private func sealSum(_ key: SumKey) -> RoundWorkResult {
        flush()
        var bytes: [UInt8] = []
        let entries = accumulator?.encodeSum { piece in piece.withUnsafeBytes { bytes.append(contentsOf: $0) } }
        return seal(key, entries ?? [], accumulator?.metrics ?? [], bytes)
    }

    private func seal(
        _ key: SumKey, _ entries: [Sum.Group], _ metrics: [MetricCounter], _ bytes: [UInt8]
    ) -> RoundWorkResult {
        guard !groups.isEmpty else { return .sumSealed(key, groups: [], metrics: metrics, body: nil) }
        let byteCount = UInt64(bytes.count)
        let body = ObjectReference(digest: hold(.sum(SumBody(bytes))), byteCount: byteCount)
        return .sumSealed(key, groups: entries, metrics: metrics, body: body)
    }

    private func step(_ number: RoundNumber, _ optimizer: ServerOptimizer, _ base: Digest) -> RoundWorkResult {
        flush()
        guard case .model(let vector)? = objects[base] else {
            return .stepFailed(number, text: "the base model is not here")
        }
        let totals = SumTotals(weights: accumulator?.totalWeights ?? [], metrics: accumulator?.metrics ?? [])
        guard !groups.isEmpty else { return .stepped(number, model: Self.reference(base, vector), totals: totals) }
        do {
            let next = ModelVector(try stepped(optimizer, vector, round: number.round))
            let digest = isRoot ? Self.digest(of: next) : serials.next()
            objects[digest] = .model(next)
            return .stepped(number, model: Self.reference(digest, next), totals: totals)
        } catch {
            return .stepFailed(number, text: "\(error)")
        }
    }

    /// The server optimizer's vectors as they were when a round was over, whatever was stepped since.
    func optimizerState(after round: UInt32) -> [[Float]] {
        guard let steps = stepsOfRound, steps.round > round else { return optimizerState }
        return steps.before
    }

    private func stepped(
        _ optimizer: ServerOptimizer, _ base: ModelVector, round: UInt32
    ) throws(AggregationError) -> [Float] {
        let count = base.values.count
        if optimizerState.count != optimizer.stateVectorCount || optimizerState.contains(where: { $0.count != count }) {
            optimizerState = (0..<optimizer.stateVectorCount).map { _ in [Float](repeating: 0, count: count) }
        }
        if stepsOfRound?.round != round { stepsOfRound = (round, optimizerState) }
        var next = [Float](repeating: 0, count: count)
        var failure: AggregationError?
        withState(0, []) { state in
            next.withUnsafeMutableBufferPointer { next in
                base.values.withUnsafeBufferPointer { base in
                    do throws(AggregationError) {
                        try accumulator?.step(optimizer, base: base, state: state, next: next)
                    } catch {
                        failure = error
                    }
                }
            }
        }
        if let failure { throw failure }
        return next
    }

    private func withState(
        _ index: Int, _ buffers: [UnsafeMutableBufferPointer<Float>],
        _ body: ([UnsafeMutableBufferPointer<Float>]) -> Void
    ) {
        guard index < optimizerState.count else { return body(buffers) }
        var vector = optimizerState[index]
        optimizerState[index] = []
        vector.withUnsafeMutableBufferPointer { withState(index + 1, buffers + [$0], body) }
        optimizerState[index] = vector
    }

    private func sealVoice(
        _ number: RoundNumber, _ model: Digest, _ base: Digest, _ groups: [GroupPlan]
    ) -> RoundWorkResult {
        guard case .model(let local)? = objects[model], case .model(let origin)? = objects[base] else {
            return .workFailed(number, text: "a model of the edge round is not here")
        }
        var delta = local.values
        do {
            try delta.withUnsafeMutableBufferPointer { delta in
                try origin.values.withUnsafeBufferPointer { try Delta.subtract($0, from: delta) }
                _ = try Delta.scaleOntoBounds(delta, groups: groups)
            }
        } catch {
            return .workFailed(number, text: "the node's own delta is no good: \(error)")
        }
        let byteCount = UInt64(delta.count * 4)
        let digest = hold(.voice(ModelVector(delta)))
        let entries = groups.map {
            Update.Group(weight: 1, encoding: $0.encoding, byteCount: $0.parameterCount * 4)
        }
        return .voiceSealed(number, body: ObjectReference(digest: digest, byteCount: byteCount), groups: entries)
    }

    /// A model's real digest: what a deployment would call it.
    static func digest(of model: ModelVector) -> Digest {
        model.values.withUnsafeBytes { Digest.sha256(of: $0) }
    }

    /// How a plan names a model.
    static func reference(_ digest: Digest, _ vector: ModelVector) -> ModelReference {
        let object = ObjectReference(digest: digest, byteCount: UInt64(vector.values.count * 4))
        return ModelReference(digest: digest, sources: [.init(object: object, encoding: .float32)])
    }
}

/// Names for objects whose digest nobody needs to compute: unique in one simulation.
final class DigestSerials {
    private var serial: UInt64 = 0

    func next() -> Digest {
        serial += 1
        return Digest(words: serial, 0, 0, 0)
    }
}

/// A body that the node should hold is not there.
private struct LostObject: Error {}
