// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// Where an object is fetched from.
package enum Neighbour: Hashable, Sendable {
    case parent
    case child(NodeName)
}

/// Work on vectors and files that a round machine asks of its driver; done in the order asked.
package enum RoundWork: Hashable, Sendable {
    /// Have the object here; answered by `fetched` or `fetchFailed`.
    case fetch(ObjectReference, from: Neighbour)
    /// Stop fetching it.
    case cancel(Digest, from: Neighbour)
    /// Start an empty sum for a round.
    case begin(RoundNumber, [GroupPlan])
    /// Validate an update whose body is here, and add it; answered by `folded`.
    indirect case fold(Update)
    /// Validate a child's sum whose body is here, and add it; answered by `sumFolded`.
    indirect case foldSum(Sum)
    /// Validate a part of a child's sum whose body is here, and subtract it; answered by `sumFolded`.
    indirect case subtractSum(Sum)
    /// Read a name list that is here; answered by `namesRead`.
    indirect case readNames(SumKey, ObjectReference)
    /// Write a name list; answered by `namesSealed`.
    indirect case sealNames(SumKey, [ContributionName])
    /// Take updates and children's sums out of the sum again; not answered. Their bodies are still needed.
    case takeOut([UpdateKey], sums: [SumKey])
    /// Write the sum of just these, in the sum or taken out of it, whose bodies are here; answered by `sumSealed`.
    indirect case sealPart(SumKey, updates: [Update], sums: [Sum])
    /// Write the sum's body; answered by `sumSealed`.
    case sealSum(SumKey)
    /// Divide the sum and step the model; answered by `stepped`.
    indirect case step(RoundNumber, ServerOptimizer, base: Digest)
    /// Write `model - base` as an update's body; answered by `voiceSealed`.
    indirect case sealVoice(RoundNumber, model: Digest, base: Digest, groups: [GroupPlan])
    /// Evaluate a model on the held-out set; answered by `evaluated`.
    case evaluate(RoundNumber, model: Digest)
    /// Save a model for people; answered by `checkpointed`.
    case checkpoint(RoundNumber, model: Digest)
    /// Write a record down for good; answered by `journaled` or `notJournaled`.
    ///
    /// Records are written in the order asked. Whatever leaves the node waits for the answer of the record that it
    /// depends on; a written record vouches for those before it, so `welcomed`, `assigned`, `opened`, `tookOut` and
    /// `subtracted` are waited for by nobody. What could not be written for want of space may be asked for again.
    case journal(JournalRecord)
    /// Look up how a round ended that is no longer at hand, for one contribution; answered by `recalled`.
    indirect case recall(Refuse.Subject, RoundNumber)
    /// Nobody here needs these objects any more.
    case release([Digest])
}

/// The driver's answers.
package enum RoundWorkResult: Sendable {
    case fetched(Digest, from: Neighbour)
    case fetchFailed(Digest, from: Neighbour, ReasonCode)
    /// `nil`: the update is in the sum. Otherwise nothing of it is.
    case folded(UpdateKey, Refusal?)
    case sumFolded(SumKey, Refusal?)
    case namesRead(SumKey, [ContributionName]?)
    case namesSealed(SumKey, ObjectReference?)
    indirect case sumSealed(SumKey, groups: [Sum.Group], metrics: [MetricCounter], body: ObjectReference?)
    indirect case stepped(RoundNumber, model: ModelReference, totals: SumTotals)
    case stepFailed(RoundNumber, text: String)
    /// The entries' weights are the machine's to fill in.
    indirect case voiceSealed(RoundNumber, body: ObjectReference, groups: [Update.Group])
    case evaluated(RoundNumber, metrics: [MetricCounter])
    case checkpointed(RoundNumber)
    case journaled(JournalRecord.Key)
    /// Nothing of the record is there. With `storage.full` the node goes on without it; anything else ends it.
    case notJournaled(JournalRecord.Key, ReasonCode)
    /// `nil`: the contribution never had a receipt of this node, or was refused later.
    indirect case recalled(Refuse.Subject, RoundNumber, RoundClosed?)
    /// Work that only files can spoil was not done; nothing is half-written.
    case workFailed(RoundNumber, text: String)

    /// Why something was not folded.
    package struct Refusal: Hashable, Sendable {
        package var reason: ReasonCode
        package var text: String
        package init(reason: ReasonCode, text: String) {
            self.reason = reason
            self.text = text
        }
    }
}

/// What a closed sum held, beside its vector.
package struct SumTotals: Hashable, Sendable {
    /// Total weight per group, in plan order.
    package var weights: [UInt64]
    package var metrics: [MetricCounter]
    package init(weights: [UInt64], metrics: [MetricCounter]) {
        self.weights = weights
        self.metrics = metrics
    }
}
