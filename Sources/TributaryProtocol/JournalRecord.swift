// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore
package import TributaryRing

/// What an aggregator writes down before it acts on it, so that it goes on where it died.
///
/// A record is durable before anything that depends on it leaves the node: a receipt after `updateAccepted` or
/// `sumAccepted`, an offer after `answered`, a `RoundClosed` after `closed`. Replaying the records of a run, in their
/// order, into a `RunMemory` gives what the machine and its sum need; bodies lie beside the records.
package enum JournalRecord: Hashable, Sendable {
    /// The model's layout, as the parent told it: children can be welcomed before the parent is there again.
    case welcomed(ParameterLayout)
    /// The parent's plan that this node works on from now on.
    indirect case assigned(RoundPlan)
    /// A round below this node, with the plan as it was opened here.
    indirect case opened(RoundPlan)
    /// An update whose body was validated; the body lies beside the record.
    indirect case updateAccepted(Update)
    /// A child's sum whose body was validated; body and names lie beside the record.
    indirect case sumAccepted(Sum, names: [ContributionName])
    /// Contributions that left the sum again, because another holder has them.
    case tookOut([UpdateKey], sums: [SumKey])
    /// What the parent is told about its plan (a `sumOffer`, or a stepping node's `update`): from now on nothing is
    /// added to what it stands for.
    indirect case answered(Message)
    /// The sum of the open round has become this model.
    indirect case stepped(Step)
    /// How a round below this node ended, for every contribution in it.
    case closed(RoundClosed)

    /// A step of the model, and what the node needs of its round to go on.
    package struct Step: Hashable, Sendable {
        package var number: RoundNumber
        package var model: ModelReference
        package var totals: SumTotals
        /// Clients whose work is in the step, and clients that were chosen for it.
        package var contributorCount: UInt64
        package var chosenCount: UInt64
        package init(
            number: RoundNumber, model: ModelReference, totals: SumTotals, contributorCount: UInt64,
            chosenCount: UInt64
        ) {
            self.number = number
            self.model = model
            self.totals = totals
            self.contributorCount = contributorCount
            self.chosenCount = chosenCount
        }
    }
}
