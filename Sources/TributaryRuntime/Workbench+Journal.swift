// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryFiles
import TributaryProtocol

// Promises: what has to be on the disk before anybody hears of it.

extension Workbench {
    /// Writes records down, as one batch when it can be; empties the list.
    func write(_ records: inout [JournalRecord], of run: RunID, _ emit: (RoundWorkResult) -> Void) {
        guard !records.isEmpty else { return }
        defer { records = [] }
        do {
            try append(records, of: run)
            for record in records { emit(.journaled(record.key)) }
        } catch let error where error.isOutOfSpace && records.count > 1 {
            // What is small may still find room, when what is large does not.
            for record in records { write(record, of: run, emit) }
        } catch {
            for record in records { emit(refused(record, error)) }
        }
    }

    private func write(_ record: JournalRecord, of run: RunID, _ emit: (RoundWorkResult) -> Void) {
        do {
            try append([record], of: run)
            emit(.journaled(record.key))
        } catch {
            emit(refused(record, error))
        }
    }

    private func refused(_ record: JournalRecord, _ error: FilesError) -> RoundWorkResult {
        if error.isOutOfSpace { return .notJournaled(record.key, .storageFull) }
        trouble = trouble ?? error
        return .notJournaled(record.key, .storage)
    }

    private func append(_ records: [JournalRecord], of run: RunID) throws(FilesError) {
        guard let journal else { return }
        let state = try stateForStep(records)
        try journal.append(
            records.map { record in
                if case .stepped = record { Journal.Entry(record, state: state) } else { Journal.Entry(record) }
            }, of: run)
        guard state != keptState else { return }
        // The state before the step is nobody's any more.
        for object in keptState where !state.contains(object) { try? store.remove(object.digest) }
        keptState = state
        isStateNew = false
    }

    /// The objects that hold the optimizer's state, made when a step among the records has changed it.
    private func stateForStep(_ records: [JournalRecord]) throws(FilesError) -> [ObjectReference] {
        let hasStep = records.contains { record in
            if case .stepped = record { true } else { false }
        }
        guard hasStep, isStateNew else { return keptState }
        do {
            return try optimizerState.map { vector in try vector.withSpan { try store.put($0.bytes) } }
        } catch {
            throw error as? FilesError ?? .request("the optimizer's state could not be kept: \(error)")
        }
    }

    func recall(_ subject: Refuse.Subject, _ number: RoundNumber) -> RoundWorkResult {
        guard let journal else { return .recalled(subject, number, nil) }
        do {
            return .recalled(subject, number, try journal.end(of: subject, in: number))
        } catch {
            return failed(number, "the journal could not be read", error)
        }
    }

    /// The run is over, as far as this node can tell.
    package func end() {
        do {
            try journal?.end()
        } catch {
            trouble = trouble ?? error
        }
    }
}
