// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryAggregation
import TributaryCore
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
    /// `nil` where nobody connects: a benchmark's bodies are its own.
    private let signatures: SignatureCheck?
    /// The run that the work is for.
    var run = RunID("")
    /// The names that children's sums were offered with, in the round under way.
    private var offered: [SumKey: Set<ContributionName>] = [:]
    var sum = RoundSum()
    var optimizerState: [MappedVector] = []
    /// Why the last work failed, when files were the reason.
    var trouble: FilesError?

    package init(
        store: ObjectStore, stateDirectory: String, evaluation: HeldOutEvaluation?, checkpoint: Checkpoint?,
        signatures: SignatureCheck?
    ) {
        self.store = store
        self.stateDirectory = stateDirectory
        self.evaluation = evaluation
        self.checkpoint = checkpoint
        self.signatures = signatures
    }

    /// Does work in order; folds that follow each other are done in one pass over the sum.
    package func perform(_ works: [RoundWork], _ emit: (RoundWorkResult) -> Void) {
        trouble = nil
        var updates: [Update] = []
        for work in works {
            if case .fold(let update) = work, updates.count < RoundSum.batchCountMax {
                updates.append(update)
                continue
            }
            fold(&updates, emit)
            if case .fold(let update) = work { updates.append(update) } else { perform(work, emit) }
        }
        fold(&updates, emit)
    }

    private func perform(_ work: RoundWork, _ emit: (RoundWorkResult) -> Void) {
        switch work {
        case .begin(let number, let groups):
            offered = [:]
            sum.begin(number, groups)
        case .foldSum(let partial):
            emit(.sumFolded(partial.key, sum.add(partial, from: store, check: attestationCheck(of: partial))))
        case .takeOut(let updates, let sums): sum.takeOut(updates, sums, store: store)
        case .readNames(let key, let object):
            let names = NameList.read(object, from: store)
            if signatures?.isRequired == true { offered[key] = names.map { Set($0) } }
            emit(.namesRead(key, names))
        case .sealNames(let key, let names): emit(.namesSealed(key, NameList.write(names, to: store)))
        case .sealSum(let key): emit(sealSum(key))
        case .step(let number, let optimizer, let base): emit(step(number, optimizer, base))
        case .sealVoice(let number, let model, let base, let groups):
            emit(sealVoice(number, model: model, base: base, groups: groups))
        case .evaluate(let number, let model): emit(evaluate(number, model))
        case .checkpoint(let number, let model): emit(save(number, model))
        case .release(let digests): release(digests)
        case .fold, .fetch, .cancel: preconditionFailure("folds are batched, fetches are the host's")
        }
    }

    private func sealSum(_ key: SumKey) -> RoundWorkResult {
        do {
            return try sum.seal(key, attesting: signatures?.isRequired == true ? run : nil, into: store)
        } catch {
            return failed(key.number, "the sum could not be written", error)
        }
    }

    /// `nil` where nobody demands that a sum shows what it is made of.
    private func attestationCheck(of partial: Sum) -> ((Attestation) -> RoundWorkResult.Refusal?)? {
        guard let signatures, signatures.isRequired else { return nil }
        let check = AttestationCheck(run: run, keys: signatures.keys, groups: sum.groups, seed: signatures.seed)
        let names = offered[partial.key]
        return { check.problem(of: partial, showing: $0, names: names) }
    }

    private func fold(_ updates: inout [Update], _ emit: (RoundWorkResult) -> Void) {
        guard !updates.isEmpty else { return }
        var genuine: [Update] = []
        for update in updates {
            if let refusal = signatures?.problem(of: update, run: run) {
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

    func failed(_ number: RoundNumber, _ what: String, _ error: any Error) -> RoundWorkResult {
        trouble = error as? FilesError
        return .workFailed(number, text: "\(what): \(error)")
    }
}
