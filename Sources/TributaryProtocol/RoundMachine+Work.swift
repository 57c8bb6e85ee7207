// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

extension RoundMachine {
    /// The driver has done a piece of work.
    package mutating func completed(_ result: RoundWorkResult, _ membership: Membership, at now: Moment) {
        switch result {
        case .fetched(let digest, .parent): modelArrived(digest, membership, at: now)
        case .fetched(let digest, .child(let name)): fetched(digest, from: name)
        case .fetchFailed(let digest, .parent, let reason):
            report(.refused(configuration.node, reason, text: "model \(digest.short) could not be had"))
        case .fetchFailed(let digest, .child(let name), let reason):
            fetchFailed(digest, from: name, reason, membership, at: now)
        case .folded(let key, let refusal): folded(key, refusal, membership, at: now)
        case .sumFolded(let key, let refusal): sumFolded(key, refusal, membership, at: now)
        case .namesRead(let key, let names): namesRead(key, names, membership, at: now)
        case .namesSealed(let key, let names): namesSealed(key, names, at: now)
        case .sumSealed(let key, let groups, let metrics, let body): sumSealed(key, groups, metrics, body, at: now)
        case .stepped(let number, let model, let totals):
            if coordinator != nil {
                rootStepped(number, model, totals, at: now)
            } else if collection?.plan.number == number {
                edgeStepped(model, totals)
            }
        case .stepFailed(let number, let text):
            guard collection?.plan.number == number else { return }
            if coordinator != nil {
                rootStepFailed(text, at: now)
            } else {
                edgeStepFailed(text)
            }
        case .voiceSealed(let number, let body, let groups): voiceSealed(number, body, groups, at: now)
        case .evaluated(let number, let metrics): evaluated(number, metrics, membership, at: now)
        case .checkpointed: break
        case .journaled(let key): journaled(key, membership, at: now)
        case .notJournaled(let key, let reason): notJournaled(key, reason, membership, at: now)
        case .recalled(let subject, let number, let end): recalled(subject, number, end)
        case .workFailed(_, let text): workFailed(text)
        }
    }

    /// A file could not be written or read: the run must not go on as if it had been.
    mutating func workFailed(_ text: String) {
        report(.refused(configuration.node, .storage, text: text))
        report(.finished(.storage))
        finish(.storage)
    }

    /// Something with a receipt cannot be added again: the node ends rather than go on without it.
    mutating func restoreFailed(_ what: String, _ refusal: RoundWorkResult.Refusal) {
        workFailed("\(what) has a receipt and cannot be added again: \(refusal.text)")
    }
}
