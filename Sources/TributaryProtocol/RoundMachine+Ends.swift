// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// How the parent's round ends for this node's answer, now or long after the parent has gone on.

extension RoundMachine {
    mutating func receipted(_ receipt: Receipt, at now: Moment) {
        for place in ended.indices where ended[place].answer?.subject?.isOf(receipt) == true {
            // The parent itself waits for the end.
            ended[place].retry.wait(Retry.longest, at: now, chance(of: ended[place].number))
        }
        guard let answer = assignment?.answer else { return }
        switch (answer, receipt.subject) {
        // A parent that has the sum says so to its names, too.
        case (.offer(let offer), .sum(let key)) where offer.key == key: break
        case (.sum(let sum), .sum(let key)) where sum.key == key: break
        case (.update(let update), .update(let key)) where update.key == key: break
        default: return
        }
        assignment?.answer = .receipted(answer)
        awaitOutcome(at: now)
    }

    mutating func answered() {
        assignment?.answer = .done
        retry.stop()
    }

    mutating func parentRefused(_ refusal: Refuse) {
        report(.refused(configuration.node, refusal.reason, text: refusal.text))
        if case .sum(let key) = refusal.subject, ended.contains(where: { $0.answer?.subject == refusal.subject }) {
            return settle(key.number, .failed(Self.reason(of: refusal)))
        }
        switch (assignment?.answer, refusal.subject) {
        case (.offer(let offer), .sum(let key)) where offer.key == key: break
        case (.sum(let sum), .sum(let key)) where sum.key == key: break
        case (.update(let update), .update(let key)) where update.key == key: break
        case (.receipted(let given), let subject) where given.record?.subject == subject: break
        default: return
        }
        answered()
        close(.failed(Self.reason(of: refusal)))
    }

    /// What a refusal of this node's answer means to those whose work is in it.
    private static func reason(of refusal: Refuse) -> ReasonCode {
        switch refusal.reason {
        case .late, .staleRound, .surplus: .parentLate
        default: refusal.reason
        }
    }

    mutating func parentClosed(_ parent: RoundClosed) {
        settle(parent.number, parent.outcome, without: parent.without)
        guard let assignment, assignment.plan.number == parent.number else { return }
        if collection != nil {
            if assignment.told != nil {
                close(parent.outcome, without: parent.without)
            } else {
                close(.failed(.parentLate))
            }
        }
        var finished: [Digest] = [assignment.plan.model.digest]
        if assignment.model.digest != assignment.plan.model.digest { finished.append(assignment.model.digest) }
        if let body = assignment.answer.voice { finished.append(body.digest) }
        // The next plan's base may be any model; what is held now is let go when that plan has come.
        retired += finished
        answered()
    }

    /// The parent says that the run is over; while its word on a round is missing it is asked for that first.
    mutating func runEnded(_ reason: ReasonCode, _ membership: Membership, at now: Moment) {
        drainCount += 1
        if collection != nil, assignment?.told == nil { close(.failed(.stopped)) }
        if isUnsettled, drainCount < Self.drainCountMax {
            parentWelcomed(at: now)
            return
        }
        runEnded(reason, membership)
    }

    mutating func runEnded(_ reason: ReasonCode, _ membership: Membership) {
        for name in membership.names { toChild(name, .drain(Drain(reason: reason))) }
        toParent(.leave(Leave(reason: reason)))
        report(.finished(reason))
        finish(reason)
    }

    // MARK: Rounds that were set aside

    /// How many rounds may wait for the parent's word: each holds its bodies.
    static let unsettledCountMax = 4
    /// How often a parent repeats that a run is over.
    private static let drainCountMax = 3

    /// Whether the parent owes the end of a round whose members have receipts.
    var isUnsettled: Bool {
        if collection != nil, assignment?.told != nil { return true }
        return ended.contains { !$0.isTold }
    }

    private func chance(of number: RoundNumber) -> (seed: UInt64, number: RoundNumber, who: UInt64) {
        (0, number, ContributionName(node: configuration.node, number: number, seed: 0).low)
    }

    /// Gives the answer to an older plan again: the parent's word on it decides, and nothing else.
    mutating func askForEnd(of number: RoundNumber, at now: Moment) {
        guard let place = place(of: number), let answer = ended[place].answer else { return }
        toParent(answer)
        ended[place].retry.start(at: now, chance(of: number))
    }

    mutating func askForEnds(at now: Moment) {
        for place in ended.indices where ended[place].retry.isDue(at: now) {
            guard let answer = ended[place].answer else {
                ended[place].retry.stop()
                continue
            }
            toParent(answer)
            ended[place].retry.goOn(at: now, chance(of: ended[place].number))
        }
    }
}

extension RoundMachine.Assignment {
    /// What the parent was told of the round below this node, and may have; `nil` for a stepping node, whose rounds end
    /// with their own steps.
    var told: Message? {
        switch answer {
        case .offer, .sum, .receipted: offer.map { .sumOffer($0) }
        case .pending, .writing, .update, .done: nil
        }
    }
}

extension RoundMachine.Answer {
    /// The body of a stepping node's own update.
    fileprivate var voice: ObjectReference? {
        switch self {
        case .update(let update): update.body
        case .receipted(let given), .writing(let given): given.voice
        case .pending, .offer, .sum, .done: nil
        }
    }

    /// What is written down of it; a sum is the same again when it is asked for again.
    var record: Message? {
        switch self {
        case .offer(let offer): .sumOffer(offer)
        case .update(let update): .update(update)
        case .pending, .writing, .sum, .receipted, .done: nil
        }
    }
}

extension Message {
    /// The parent's round that an offer answers: at a stepping node not the number of its own.
    var offeredNumber: RoundNumber? {
        if case .sumOffer(let offer) = self { offer.key.number } else { nil }
    }
}

extension Refuse.Subject {
    fileprivate func isOf(_ receipt: Receipt) -> Bool {
        switch (self, receipt.subject) {
        case (.update(let mine), .update(let theirs)): mine == theirs
        case (.sum(let mine), .sum(let theirs)): mine == theirs
        default: false
        }
    }
}
