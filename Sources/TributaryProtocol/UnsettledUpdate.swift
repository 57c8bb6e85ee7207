// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// An update whose outcome its client has not heard: kept, and offered again under the same key, until it has.
package struct UnsettledUpdate: Hashable, Sendable {
    package var update: Update
    /// The run that the update belongs to.
    package var run: RunID?
    /// The parent whose plan it answers; `nil` when its name is not known.
    package var parent: NodeName?
    /// Whether that parent steps: nobody can take the update out of its model again, so no other is offered it.
    package var isBound: Bool
    /// What the last receipt promises; `nil` before there is one.
    package var receipt: Receipt.Durability?
    /// The parents that were offered it, and have not said since that it is in no sum of theirs.
    package var holders: [NodeName]

    package init(
        update: Update, run: RunID?, parent: NodeName?, isBound: Bool = false, receipt: Receipt.Durability? = nil,
        holders: [NodeName] = []
    ) {
        self.update = update
        self.run = run
        self.parent = parent
        self.isBound = isBound
        self.receipt = receipt
        self.holders = holders
    }

    /// Whether another parent than this one may hold the update.
    func isHeldElsewhere(than parent: NodeName?) -> Bool {
        guard let parent else { return false }
        return holders.contains { $0 != parent }
    }
}

/// What a client writes down, so that its process can die at any moment.
///
/// A record, with the body of an update, is durable before anything that its machine says after it leaves the client.
package enum ClientRecord: Hashable, Sendable {
    /// A new update, or one that is about to be offered to another parent; the next one's number is greater.
    indirect case made(UnsettledUpdate)
    /// The promise of an outcome.
    case receipted(UpdateKey, Receipt.Durability)
    /// The outcome: in a committed sum, or the reason why it will never be in one.
    indirect case settled(UnsettledUpdate, RoundClosed.Outcome)
}

/// An unsettled update, and how its client goes about hearing of its outcome.
struct Unsettled: Sendable {
    var record: UnsettledUpdate
    /// When the update is offered again.
    var retry = Retry()
    /// Whether it was offered and the offer has no answer yet.
    var isAsking = false
    /// Whether the parent at hand knows nothing of it, but another one may.
    var isAway = false
    /// Whether the end of its round was heard although no receipt has come.
    var hasHeardTheEnd = false
    /// How long after a receipt the round's end is overdue.
    var patience = Retry.longest

    init(_ record: UnsettledUpdate) { self.record = record }

    var key: UpdateKey { record.update.key }
    var number: RoundNumber { record.update.number }

    /// Whether the parent at hand may be offered the update.
    func isFor(_ parent: NodeName?) -> Bool { !isAway && !isBound(elsewhereThan: parent) }

    /// Whether it may be in the model of another parent than this one, for good.
    func isBound(elsewhereThan parent: NodeName?) -> Bool {
        guard record.isBound, let parent, let own = record.parent else { return false }
        return parent != own
    }
}
