// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryAggregation
import TributaryCore
import TributaryFiles
import TributaryProtocol

/// The sum of one round at one node, with what it takes to take a contribution out again.
struct RoundSum: ~Copyable {
    /// The most updates that are folded in one pass.
    static let batchCountMax = Accumulator.batchCountMax

    private(set) var accumulator: Accumulator?
    private(set) var groups: [GroupPlan] = []
    private var updates: [UpdateKey: Update] = [:]
    private var sums: [SumKey: Sum] = [:]
    /// What the sums show for their contributions, where that is demanded.
    private var attestations: [SumKey: Attestation] = [:]
    /// Whom they name.
    private var attested: Set<NodeName> = []

    mutating func begin(_ number: RoundNumber, _ groups: [GroupPlan]) {
        updates = [:]
        sums = [:]
        attestations = [:]
        attested = []
        if self.groups == groups, accumulator != nil {
            accumulator?.reset()
        } else {
            self.groups = groups
            accumulator = try? Accumulator(groups: groups)
        }
    }

    /// Folds up to `batchCountMax` updates whose bodies are in the store; one refusal, or `nil`, for each.
    mutating func fold(_ batch: [Update], from store: ObjectStore) -> [RoundWorkResult.Refusal?] {
        var refusals = [RoundWorkResult.Refusal?](repeating: nil, count: batch.count)
        var mapped: [(index: Int, file: MappedFile?)] = []
        for (index, update) in batch.enumerated() {
            do {
                mapped.append((index, try update.body.map { try store.mapped($0.digest) }))
            } catch {
                refusals[index] = .init(reason: .storage, text: "\(error)")
            }
        }
        let contributions = mapped.map { entry in
            Self.contribution(batch[entry.index], entry.file)
        }
        guard !contributions.isEmpty else { return refusals }
        // The mappings stay alive until the fold is done: `contributions` points into them.
        let outcomes = withExtendedLifetime(mapped) { accumulator?.fold(contributions) }
        for (position, entry) in mapped.enumerated() {
            if let outcomes, let error = outcomes[position] {
                refusals[entry.index] = .init(reason: error.reason, text: error.description)
            } else if outcomes == nil {
                refusals[entry.index] = .init(reason: .storage, text: "there is no memory for the sum")
            } else {
                updates[batch[entry.index].key] = batch[entry.index]
            }
        }
        return refusals
    }

    private static func contribution(_ update: Update, _ body: MappedFile?) -> Contribution {
        Contribution(
            groups: update.groups, metrics: update.metrics,
            body: body?.withUnsafeBytes { $0 } ?? UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// Adds a child's sum whose body is in the store; a refusal leaves everything as it was.
    ///
    /// `check` sees what the sum shows for its contributions; where it is `nil`, a sum shows nothing.
    mutating func add(
        _ sum: Sum, from store: ObjectStore, check: ((Attestation) -> RoundWorkResult.Refusal?)?
    ) -> RoundWorkResult.Refusal? {
        do {
            let attestation = try check.map { _ in try Self.attestation(of: sum, in: store) }
            if let check {
                guard let attestation = attestation ?? nil else {
                    return AttestationCheck.refusal("it shows no list of them that can be read")
                }
                if let refusal = check(attestation) ?? problem(of: attestation) { return refusal }
                show(attestation, for: sum.key)
            } else if sum.attestationByteCount > 0 {
                return .init(reason: .wrongShape, text: "nobody demands signatures of a sum here")
            }
            try Self.withBody(of: sum, in: store) { body in
                try accumulator?.addSum(
                    groups: sum.groups, contributorCount: sum.contributionCount, metrics: sum.metrics, body: body)
            }
            sums[sum.key] = sum
            return nil
        } catch let error as AggregationError {
            hide(sum.key)
            return .init(reason: error.reason, text: error.description)
        } catch {
            return .init(reason: .storage, text: "\(error)")
        }
    }

    /// Subtracts a part of a child's sum whose body is in the store; a refusal leaves everything as it was.
    mutating func subtract(_ part: Sum, from store: ObjectStore) -> RoundWorkResult.Refusal? {
        do {
            try Self.withBody(of: part, in: store) { body in
                try accumulator?.subtractSum(
                    groups: part.groups, contributorCount: part.contributionCount, metrics: part.metrics, body: body)
            }
            if let attestation = try Self.attestation(of: part, in: store) { hide(attestation) }
            return nil
        } catch let error as AggregationError {
            return .init(reason: error.reason, text: error.description)
        } catch {
            return .init(reason: .storage, text: "\(error)")
        }
    }

    /// Takes contributions out again; only what is in the sum is asked for.
    mutating func takeOut(_ keys: [UpdateKey], _ partials: [SumKey], store: ObjectStore) {
        for key in keys {
            guard let update = updates.removeValue(forKey: key) else { continue }
            let file = update.body.flatMap { try? store.mapped($0.digest) }
            withExtendedLifetime(file) { try? accumulator?.takeOut(Self.contribution(update, file)) }
        }
        for key in partials {
            guard let sum = sums.removeValue(forKey: key) else { continue }
            hide(key)
            try? Self.withBody(of: sum, in: store) { body in
                try accumulator?.subtractSum(
                    groups: sum.groups, contributorCount: sum.contributionCount, metrics: sum.metrics, body: body)
            }
        }
    }

    private mutating func show(_ attestation: Attestation, for key: SumKey) {
        attestations[key] = attestation
        attested.formUnion(attestation.records.lazy.map(\.update.key.node))
    }

    private mutating func hide(_ key: SumKey) {
        guard let attestation = attestations.removeValue(forKey: key) else { return }
        attested.subtract(attestation.records.map(\.update.key.node))
    }

    /// Forgets those of a part that has left the sum of a child.
    private mutating func hide(_ part: Attestation) {
        let nodes = Set(part.records.map(\.update.key.node))
        attested.subtract(nodes)
        for (key, attestation) in attestations {
            attestations[key]?.records = attestation.records.filter { !nodes.contains($0.update.key.node) }
        }
    }

    /// Nobody takes part in a sum twice, whichever way its parts came.
    private func problem(of attestation: Attestation) -> RoundWorkResult.Refusal? {
        let own = Set(updates.keys.map(\.node))
        let twice = attestation.records.first {
            attested.contains($0.update.key.node) || own.contains($0.update.key.node)
        }
        guard let twice else { return nil }
        return AttestationCheck.refusal("'\(twice.update.key.node)' is in another sum already")
    }

    /// Writes the sum's body into the store, and behind it, for the run in `attesting`, what it is made of.
    ///
    /// - Throws: `FilesError` when the disk is full or fails.
    borrowing func seal(_ key: SumKey, attesting run: RunID?, into store: ObjectStore) throws -> RoundWorkResult {
        guard !groups.isEmpty || run != nil else {
            return .sumSealed(key, groups: [], metrics: totals.metrics, body: nil)
        }
        var entries: [Sum.Group] = []
        let body = try store.put { sink in
            if !groups.isEmpty { entries = try accumulator?.encodeSum { bytes in try sink.write(bytes) } ?? [] }
            if let run {
                let others = attestations.values.flatMap(\.records)
                try sink.write(Attestation(updates.values, run: run, and: others).bytes.span.bytes)
            }
        }
        return .sumSealed(key, groups: entries, metrics: totals.metrics, body: body)
    }

    /// Total weights and metrics of what is in the sum.
    var totals: SumTotals {
        switch accumulator {
        case .some(let sum): SumTotals(weights: sum.totalWeights, metrics: sum.metrics)
        case .none: SumTotals(weights: [], metrics: [])
        }
    }

    /// Shows the groups' part of a sum's body.
    private static func withBody(
        of sum: Sum, in store: ObjectStore, _ use: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let body = sum.body else { return try use(UnsafeRawBufferPointer(start: nil, count: 0)) }
        try store.mapped(body.digest).withUnsafeBytes { bytes in
            try use(UnsafeRawBufferPointer(rebasing: bytes.dropLast(Int(sum.attestationByteCount))))
        }
    }

    /// The part behind the groups; `nil` when it is not a list of contributions.
    private static func attestation(of sum: Sum, in store: ObjectStore) throws -> Attestation? {
        guard let body = sum.body, sum.attestationByteCount > 0, sum.attestationByteCount <= body.byteCount else {
            return nil
        }
        return Attestation(
            try store.mapped(body.digest).withUnsafeBytes { Array($0.suffix(Int(sum.attestationByteCount))) })
    }
}
