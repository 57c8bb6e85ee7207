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
    indirect case welcomed(ParameterLayout)
    /// The parent's plan that this node works on from now on.
    indirect case assigned(RoundPlan)
    /// A round below this node, with the plan as it was opened here.
    indirect case opened(Opening)
    /// An update whose body was validated; the body lies beside the record.
    indirect case updateAccepted(Update)
    /// A child's sum whose body was validated: its contributions, and those that it was to leave out.
    indirect case sumAccepted(Sum, names: [ContributionName], excluded: [ContributionName])
    /// Contributions that left the sum again, because another holder has them; their bodies are still needed.
    indirect case tookOut(RoundNumber, [UpdateKey], sums: [SumKey])
    /// A part of a child's accepted sum that was subtracted again, for the same reason; its body is still needed.
    indirect case subtracted(Sum, names: [ContributionName])
    /// What the parent is told about its plan (a `sumOffer`, or a stepping node's `update`): from now on nothing is
    /// added to what it stands for.
    indirect case answered(Message)
    /// The sum of the open round has become this model.
    indirect case stepped(Step)
    /// How a round below this node ended, for every contribution in it.
    indirect case closed(RoundClosed)

    /// A round as it was opened: enough to wait for the same clients after a restart.
    package struct Opening: Hashable, Sendable {
        package var plan: RoundPlan
        /// The aggregators that were asked, in order of name, with the clients below each.
        package var aggregators: [Asked]
        /// Clients that were asked directly.
        package var clientCount: UInt64
        package init(plan: RoundPlan, aggregators: [Asked], clientCount: UInt64) {
            self.plan = plan
            self.aggregators = aggregators
            self.clientCount = clientCount
        }
    }

    /// An aggregator that was asked, and the clients below it.
    package struct Asked: Hashable, Sendable {
        package var name: NodeName
        package var chosenCount: UInt64
        package init(name: NodeName, chosenCount: UInt64) {
            self.name = name
            self.chosenCount = chosenCount
        }
    }

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

    /// What a record is called in the driver's answer.
    package enum Key: Hashable, Sendable {
        case welcomed
        case assigned(RoundNumber)
        case opened(RoundNumber)
        case update(UpdateKey)
        case sum(SumKey)
        case tookOut(RoundNumber)
        case subtracted(SumKey)
        case answered(RoundNumber)
        case stepped(RoundNumber)
        case closed(RoundNumber)
    }

    package var key: Key {
        switch self {
        case .welcomed: .welcomed
        case .assigned(let plan): .assigned(plan.number)
        case .opened(let opening): .opened(opening.plan.number)
        case .updateAccepted(let update): .update(update.key)
        case .sumAccepted(let sum, _, _): .sum(sum.key)
        case .tookOut(let number, _, _): .tookOut(number)
        case .subtracted(let sum, _): .subtracted(sum.key)
        case .answered(.sumOffer(let offer)): .answered(offer.key.number)
        case .answered(.update(let update)): .answered(update.number)
        case .answered: preconditionFailure("a plan is answered with an offer or an update")
        case .stepped(let step): .stepped(step.number)
        case .closed(let end): .closed(end.number)
        }
    }
}
