// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryAggregation
package import TributaryCore
package import TributaryFiles
package import TributaryProtocol

/// An aggregator's vectors: the sum under way, the optimizer's state, models and bodies in the store.
///
/// Does what a round machine asks for, in the order asked. Anonymous memory is the sum, 8 bytes a parameter; all else
/// is mapped from files. Used by one queue.
package final class Workbench {
    let store: ObjectStore
    let stateDirectory: String
    let evaluation: HeldOutEvaluation?
    let checkpoint: Checkpoint?
    /// Where promises are written down; a bench without one only pretends.
    let journal: Journal?
    /// `nil` where nobody connects: a benchmark's bodies are its own.
    private let signatures: SignatureCheck?
    /// What had a receipt when the node started: it was checked then, and a key taken back since changes nothing of it.
    private let promised: (updates: Set<UpdateKey>, sums: Set<SumKey>)
    /// The run that the work is for.
    private var run = RunID("")
    /// The names that children's sums were offered with, in the round under way.
    private var offered: [SumKey: Set<ContributionName>] = [:]
    /// Whether somebody has asked for the end: there is no waiting for room then.
    private let isStopping: @Sendable () -> Bool
    var sum = RoundSum()
    var optimizerState: [MappedVector] = []
    /// The objects that hold it as of the last step that was written down.
    var keptState: [ObjectReference]
    /// Whether a step was made since.
    var isStateNew = false
    /// Why the last work failed, when files were the reason.
    var trouble: FilesError?

    package init(
        store: ObjectStore, stateDirectory: String, evaluation: HeldOutEvaluation?, checkpoint: Checkpoint?,
        journal: Journal? = nil, signatures: SignatureCheck? = nil,
        isStopping: @escaping @Sendable () -> Bool = { true }
    ) {
        self.store = store
        self.stateDirectory = stateDirectory
        self.evaluation = evaluation
        self.checkpoint = checkpoint
        self.journal = journal
        self.isStopping = isStopping
        keptState = journal?.optimizerState ?? []
        self.signatures = signatures
        let open = journal?.memory?.open ?? []
        promised = (
            Set(open.flatMap { $0.updates.keys }), Set(open.flatMap { Array($0.sums.keys) + Array($0.subtracted.keys) })
        )
    }

    /// Does a run's work in order: folds that follow each other in one pass over the sum, records in one batch.
    package func perform(_ works: [RoundWork], of run: RunID, _ emit: (RoundWorkResult) -> Void) {
        trouble = nil
        self.run = run
        var updates: [Update] = []
        var records: [JournalRecord] = []
        for work in works {
            switch work {
            case .fold(let update):
                if updates.count == RoundSum.batchCountMax { fold(&updates, emit) }
                updates.append(update)
            case .journal(let record):
                // A step's state is the one of this moment.
                if case .stepped = record { write(&records, of: run, emit) }
                records.append(record)
            default:
                fold(&updates, emit)
                write(&records, of: run, emit)
                perform(work, emit)
            }
        }
        fold(&updates, emit)
        write(&records, of: run, emit)
    }

    private func perform(_ work: RoundWork, _ emit: (RoundWorkResult) -> Void) {
        switch work {
        case .begin(let number, let groups):
            offered = [:]
            sum.begin(number, groups)
        case .foldSum(let partial):
            emit(.sumFolded(partial.key, sum.add(partial, from: store, check: attestationCheck(of: partial))))
        case .subtractSum(let partial): emit(.sumFolded(partial.key, sum.subtract(partial, from: store)))
        case .sealPart(let key, let updates, let sums): emit(sealPart(key, updates, sums))
        case .recall(let subject, let number): emit(recall(subject, number))
        case .takeOut(let updates, let sums): sum.takeOut(updates, sums, store: store)
        case .readNames(let key, let object):
            let names = NameList.read(object, from: store)
            if signatures?.isRequired == true { offered[key] = names.map { Set($0) } }
            emit(.namesRead(key, names))
        case .sealNames(let key, let names):
            emit(.namesSealed(key, try? whenThereIsRoom { try NameList.write(names, to: store) }))
        case .sealSum(let key): emit(sealSum(key))
        case .step(let number, let optimizer, let base): emit(step(number, optimizer, base))
        case .sealVoice(let number, let model, let base, let groups):
            emit(sealVoice(number, model: model, base: base, groups: groups))
        case .evaluate(let number, let model): emit(evaluate(number, model))
        case .checkpoint(let number, let model): emit(save(number, model))
        case .release(let digests): release(digests)
        case .fold, .journal, .fetch, .cancel:
            preconditionFailure("folds and records are batched, fetches are the host's")
        }
    }

    /// The run, where sums show what they are made of.
    private var attestedRun: RunID? { signatures?.isRequired == true ? run : nil }

    private func sealSum(_ key: SumKey) -> RoundWorkResult {
        do {
            return try whenThereIsRoom { try sum.seal(key, attesting: attestedRun, into: store) }
        } catch {
            return failed(key.number, "the sum could not be written", error)
        }
    }

    private func sealPart(_ key: SumKey, _ updates: [Update], _ sums: [Sum]) -> RoundWorkResult {
        var part = RoundSum()
        part.begin(key.number, sum.groups)
        for update in updates {
            if let refusal = part.fold([update], from: store).compactMap(\.self).first {
                return .workFailed(key.number, text: "a part of the sum cannot be made again: \(refusal.text)")
            }
        }
        for partial in sums {
            let check: ((Attestation) -> RoundWorkResult.Refusal?)? = attestedRun == nil ? nil : { _ in nil }
            if let refusal = part.add(partial, from: store, check: check) {
                return .workFailed(key.number, text: "a part of the sum cannot be made again: \(refusal.text)")
            }
        }
        do {
            return try whenThereIsRoom { try part.seal(key, attesting: attestedRun, into: store) }
        } catch {
            return failed(key.number, "a part of the sum could not be written", error)
        }
    }

    /// `nil` where nobody demands that a sum shows what it is made of.
    private func attestationCheck(of partial: Sum) -> ((Attestation) -> RoundWorkResult.Refusal?)? {
        guard let signatures, signatures.isRequired else { return nil }
        let check = AttestationCheck(run: run, keys: signatures.keys, groups: sum.groups, seed: signatures.seed)
        if promised.sums.contains(partial.key) { return { _ in nil } }
        let names = offered[partial.key]
        return { check.problem(of: partial, showing: $0, names: names) }
    }

    private func fold(_ updates: inout [Update], _ emit: (RoundWorkResult) -> Void) {
        guard !updates.isEmpty else { return }
        var genuine: [Update] = []
        for update in updates {
            if !promised.updates.contains(update.key), let refusal = signatures?.problem(of: update, run: run) {
                emit(.folded(update.key, refusal))
            } else {
                genuine.append(update)
            }
        }
        for (update, refusal) in zip(genuine, sum.fold(genuine, from: store)) { emit(.folded(update.key, refusal)) }
        updates = []
    }

    private func release(_ digests: [Digest]) {
        for digest in digests {
            // What cannot be removed costs disk, not correctness; the next start clears the store.
            try? store.remove(digest)
        }
    }

    private func evaluate(_ number: RoundNumber, _ model: Digest) -> RoundWorkResult {
        guard let evaluation else { return .evaluated(number, metrics: []) }
        do {
            let metrics = try store.mapped(model).withFloats {
                try evaluation.metrics(of: $0, round: number.round)
            }
            return .evaluated(number, metrics: metrics)
        } catch {
            return failed(number, "the model could not be evaluated", error)
        }
    }

    private func save(_ number: RoundNumber, _ model: Digest) -> RoundWorkResult {
        guard let checkpoint else { return .checkpointed(number) }
        do {
            try store.mapped(model).withFloats { (parameters: Span<Float>) throws(FilesError) in
                try checkpoint.write(parameters, number: number, digest: model)
            }
            return .checkpointed(number)
        } catch {
            return failed(number, "the model could not be saved", error)
        }
    }

    /// Does what needs room on the disk, again and again while there is none: the round's deadline decides.
    func whenThereIsRoom<Value>(_ body: () throws -> Value) throws -> Value {
        var tries = 1
        while true {
            do {
                return try body()
            } catch let error as FilesError where error.isOutOfSpace && tries < Self.tryCountMax && !isStopping() {
                tries += 1
                _ = poll(nil, 0, Self.pauseMilliseconds)
            }
        }
    }

    /// How often, and how long apart, work is tried that finds no room: for five minutes in all.
    private static let tryCountMax = 1200
    private static let pauseMilliseconds: Int32 = 250

    func failed(_ number: RoundNumber, _ what: String, _ error: any Error) -> RoundWorkResult {
        trouble = error as? FilesError
        return .workFailed(number, text: "\(what): \(error)")
    }
}
