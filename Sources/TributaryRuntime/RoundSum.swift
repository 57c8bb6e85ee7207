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

    mutating func begin(_ number: RoundNumber, _ groups: [GroupPlan]) {
        updates = [:]
        sums = [:]
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
    mutating func add(_ sum: Sum, from store: ObjectStore) -> RoundWorkResult.Refusal? {
        do {
            try Self.withBody(sum.body, in: store) { body in
                try accumulator?.addSum(
                    groups: sum.groups, contributorCount: sum.contributionCount, metrics: sum.metrics, body: body)
            }
            sums[sum.key] = sum
            return nil
        } catch let error as AggregationError {
            return .init(reason: error.reason, text: error.description)
        } catch {
            return .init(reason: .storage, text: "\(error)")
        }
    }

    /// Subtracts a part of a child's sum whose body is in the store; a refusal leaves everything as it was.
    mutating func subtract(_ part: Sum, from store: ObjectStore) -> RoundWorkResult.Refusal? {
        do {
            try Self.withBody(part.body, in: store) { body in
                try accumulator?.subtractSum(
                    groups: part.groups, contributorCount: part.contributionCount, metrics: part.metrics, body: body)
            }
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
            try? Self.withBody(sum.body, in: store) { body in
                try accumulator?.subtractSum(
                    groups: sum.groups, contributorCount: sum.contributionCount, metrics: sum.metrics, body: body)
            }
        }
    }

    /// Writes the sum's body into the store.
    ///
    /// - Throws: `FilesError` when the disk is full or fails.
    borrowing func seal(_ key: SumKey, into store: ObjectStore) throws -> RoundWorkResult {
        guard !groups.isEmpty else { return .sumSealed(key, groups: [], metrics: totals.metrics, body: nil) }
        var entries: [Sum.Group] = []
        let body = try store.put { sink in
            entries = try accumulator?.encodeSum { bytes in try sink.write(bytes) } ?? []
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

    private static func withBody(
        _ body: ObjectReference?, in store: ObjectStore, _ use: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let body else { return try use(UnsafeRawBufferPointer(start: nil, count: 0)) }
        try store.mapped(body.digest).withUnsafeBytes { try use($0) }
    }
}
