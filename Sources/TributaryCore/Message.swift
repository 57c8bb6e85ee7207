// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryRing

/// What nodes say to each other; objects (models, updates, sums, names) are transferred below this level.
///
/// The large kinds are indirect: a plan that goes to a thousand children is held once, and queues move few bytes.
package enum Message: Hashable, Sendable {
    // Up.
    indirect case hello(Hello)
    case ready(Ready)
    indirect case update(Update)
    indirect case sumOffer(SumOffer)
    indirect case sum(Sum)
    case working(Working)
    case leave(Leave)
    // Down.
    indirect case welcome(Welcome)
    indirect case plan(RoundPlan)
    case receipt(Receipt)
    case sumGrant(SumGrant)
    case roundClosed(RoundClosed)
    case wait(Wait)
    case drain(Drain)
    // Both ways.
    indirect case refuse(Refuse)
}

/// An addressed message: everything that a machine needs to route it.
package struct Envelope: Hashable, Sendable {
    /// The run the message belongs to; `nil` before the sender knows it.
    package var run: RunID?
    package var epoch: TopologyEpoch
    package var message: Message

    package init(run: RunID?, epoch: TopologyEpoch, message: Message) {
        self.run = run
        self.epoch = epoch
        self.message = message
    }
}

/// The first message on every connection, from child to parent.
package struct Hello: Hashable, Sendable {
    /// What the child is to its parent.
    package enum Role: Hashable, Sendable {
        case client(ClientIndex)
        case aggregator
    }
    package var node: NodeName
    package var role: Role
    package var wireVersions: ClosedRange<UInt32>
    package var encodings: [UpdateEncoding]
    /// The digest of the federation's topology as the child read it; `nil` when it has no file.
    package var topology: Digest?

    package init(
        node: NodeName, role: Role, wireVersions: ClosedRange<UInt32>, encodings: [UpdateEncoding], topology: Digest?
    ) {
        self.node = node
        self.role = role
        self.wireVersions = wireVersions
        self.encodings = encodings
        self.topology = topology
    }
}

/// The parent's choice in answer to `Hello`.
package struct Welcome: Hashable, Sendable {
    package var wireVersion: UInt32
    /// The model's layout, for children that have no topology file; the flat vector's order.
    package var layout: ParameterLayout
    package init(wireVersion: UInt32, layout: ParameterLayout) {
        self.wireVersion = wireVersion
        self.layout = layout
    }
}

/// How many clients are connected below the sender; sent when the number changes.
package struct Ready: Hashable, Sendable {
    package var clientCount: UInt64
    package init(clientCount: UInt64) { self.clientCount = clientCount }
}

/// A sign of life during long work, and what an aggregator has collected so far.
package struct Working: Hashable, Sendable {
    package var number: RoundNumber
    /// Clients chosen below the sender; 1 for a client.
    package var chosenCount: UInt64
    /// Clients below the sender whose work was accepted; 0 for a client at work.
    package var reportedCount: UInt64
    /// The sender's own progress in thousandths.
    package var permille: UInt32
    package init(number: RoundNumber, chosenCount: UInt64, reportedCount: UInt64, permille: UInt32) {
        self.number = number
        self.chosenCount = chosenCount
        self.reportedCount = reportedCount
        self.permille = permille
    }
}

/// A child goes away on purpose.
package struct Leave: Hashable, Sendable {
    package var reason: ReasonCode
    package init(reason: ReasonCode) { self.reason = reason }
}

/// The promise of an outcome for one update or sum.
package struct Receipt: Hashable, Sendable {
    /// What was received.
    package enum Subject: Hashable, Sendable {
        case update(UpdateKey)
        case sum(SumKey)
    }
    /// What the parent's death would cost.
    package enum Durability: UInt8, Hashable, Sendable {
        /// Held in memory or unsynced files: lost if the parent dies.
        case memory = 1
        /// Journalled and synced before the receipt left.
        case disk = 2
    }
    package var subject: Subject
    package var durability: Durability
    package init(subject: Subject, durability: Durability) {
        self.subject = subject
        self.durability = durability
    }
}

/// Leave to send a sum's body, without the contributors that another granted sum already holds.
///
/// With `only` it asks for the sum of just these contributions, under a key of the parent's making: to add what another
/// child held and can no longer send, or to take out exactly what is inside a sum that it already has.
package struct SumGrant: Hashable, Sendable {
    package var key: SumKey
    package var exclude: [ContributionName]
    /// Sorted; empty in the answer to an offer.
    package var only: [ContributionName]
    package init(key: SumKey, exclude: [ContributionName], only: [ContributionName] = []) {
        self.key = key
        self.exclude = exclude
        self.only = only
    }
}

/// A round's end, for everybody who had a part in it.
package struct RoundClosed: Hashable, Sendable {
    /// How the round ended.
    package enum Outcome: Hashable, Sendable {
        /// The round's sum was committed, with the work of so many clients.
        case committed(contributorCount: UInt64)
        /// Nothing of the round entered the model.
        case failed(ReasonCode)
    }
    package var number: RoundNumber
    package var outcome: Outcome
    /// The receiver's contributions that have a receipt and are in no committed sum, sorted; `cohort.abandoned` is
    /// their reason.
    package var without: [ContributionName]
    package init(number: RoundNumber, outcome: Outcome, without: [ContributionName] = []) {
        self.number = number
        self.outcome = outcome
        self.without = without
    }
}

/// Come back later: pace steering, and the answer when no slot is free.
package struct Wait: Hashable, Sendable {
    package var retryAfter: Duration
    package init(retryAfter: Duration) { self.retryAfter = retryAfter }
}

/// The run is over, or the node goes away: finish, say goodbye, stop.
package struct Drain: Hashable, Sendable {
    package var reason: ReasonCode
    package init(reason: ReasonCode) { self.reason = reason }
}

/// A refusal with its reason; nothing of what it refers to was used.
package struct Refuse: Hashable, Sendable {
    /// What was refused.
    package enum Subject: Hashable, Sendable {
        case connection
        case update(UpdateKey)
        case sum(SumKey)
        case object(Digest)
    }
    package var subject: Subject
    package var reason: ReasonCode
    /// For people: what was wrong and what to do.
    ///
    /// Never data values.
    package var text: String
    package init(subject: Subject, reason: ReasonCode, text: String) {
        self.subject = subject
        self.reason = reason
        self.text = text
    }
}
