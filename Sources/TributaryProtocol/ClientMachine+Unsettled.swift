// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore

// Updates from the moment they are made until their outcome is heard. New plans are worked on meanwhile.

extension ClientMachine {
    /// The updates whose outcome a client waits for at most; each keeps a body of the model's size.
    package static let unsettledCountMax = 4
    /// Rounds after which an update is given up whose parent never came back, while another one goes on without it.
    static let roundsAway: UInt32 = 8

    /// The updates without an outcome, oldest first.
    package var unsettledUpdates: [UnsettledUpdate] { unsettled.map(\.record) }

    // MARK: Offering

    /// Keeps a new update, and offers it.
    mutating func made(_ update: Update, for plan: RoundPlan, at now: Moment) {
        var new = Unsettled(UnsettledUpdate(update: update, run: run, parent: planner, isBound: plan.isStepping))
        new.patience = max(Retry.longest, plan.timeLeft * 2)
        if let parent, isWelcome, new.isFor(parent) { new.record.holders = [parent] }
        actions.append(.store(.made(new.record)))
        unsettled.append(new)
        offer(unsettled.count - 1, at: now)
    }

    /// Offers an update on another occasion than a missing answer, if this parent may have it.
    mutating func offer(_ place: Int, at now: Moment) {
        guard isWelcome, unsettled[place].isFor(parent) else { return }
        if let parent, !unsettled[place].record.holders.contains(parent) {
            unsettled[place].record.holders.append(parent)
            actions.append(.store(.made(unsettled[place].record)))
        }
        ask(place)
        unsettled[place].retry.start(at: now, chance(unsettled[place].number))
    }

    private mutating func ask(_ place: Int) {
        unsettled[place].isAsking = true
        let record = unsettled[place].record
        actions.append(.send(Envelope(run: record.run, epoch: epoch, message: .update(record.update))))
    }

    /// Offers again whatever waits for an answer, or for an outcome, for too long.
    mutating func askAgain(at now: Moment) {
        for place in unsettled.indices where unsettled[place].retry.isDue(at: now) {
            guard isWelcome, unsettled[place].isFor(parent) else {
                unsettled[place].retry.stop()
                continue
            }
            ask(place)
            unsettled[place].retry.goOn(at: now, chance(unsettled[place].number))
        }
    }

    /// The parent cannot take it now: what has no answer yet is repeated later.
    mutating func postpone(_ pause: Duration, at now: Moment) {
        for place in unsettled.indices where unsettled[place].isAsking {
            unsettled[place].retry.wait(pause, at: now, chance(unsettled[place].number))
        }
    }

    /// The connection is gone: what was asked over it gets no answer.
    mutating func stopAsking() {
        for place in unsettled.indices {
            unsettled[place].retry.stop()
            unsettled[place].isAsking = false
            unsettled[place].hasHeardTheEnd = false
        }
    }

    /// Asks about the rounds before a plan's: they are over.
    mutating func askAbout(roundsBefore number: RoundNumber, at now: Moment) {
        for place in unsettled.indices where unsettled[place].number != number && !unsettled[place].isAsking {
            offer(place, at: now)
        }
    }

    /// Makes room for another update; `false` when each of those at hand has the promise of an outcome.
    mutating func makeRoom(for number: RoundNumber) -> Bool {
        for place in unsettled.indices.reversed() where !unsettled[place].isFor(parent) {
            let (then, _) = unsettled[place].number.round.addingReportingOverflow(Self.roundsAway)
            if number.round >= then || unsettled.count >= Self.unsettledCountMax { abandon(place) }
        }
        guard unsettled.count >= Self.unsettledCountMax else { return true }
        guard let place = unsettled.firstIndex(where: { $0.record.receipt == nil }) else { return false }
        actions.append(.report(.dropped(node, unsettled[place].number, .late)))
        settle(place, .failed(.late))
        return true
    }

    private mutating func abandon(_ place: Int) {
        let reason: ReasonCode = unsettled[place].record.receipt == nil ? .parentLost : .cohortAbandoned
        actions.append(.report(.dropped(node, unsettled[place].number, reason)))
        settle(place, .failed(reason))
    }

    // MARK: Answers

    mutating func receipted(_ receipt: Receipt, at now: Moment) {
        guard case .update(let key) = receipt.subject, let place = unsettled.firstIndex(where: { $0.key == key })
        else { return }
        unsettled[place].isAsking = false
        unsettled[place].isAway = false
        unsettled[place].retry.wait(unsettled[place].patience, at: now, chance(unsettled[place].number))
        guard unsettled[place].record.receipt == nil else { return }
        unsettled[place].record.receipt = receipt.durability
        actions.append(.store(.receipted(key, receipt.durability)))
        actions.append(.report(.uploaded(unsettled[place].number)))
    }

    /// A round is over, and with it what this parent can say of an update for it.
    mutating func roundClosed(_ closed: RoundClosed, run: RunID?, at now: Moment) {
        guard
            let place = unsettled.firstIndex(where: {
                $0.number == closed.number && (run == nil || $0.record.run == run) && !$0.isBound(elsewhereThan: parent)
            })
        else { return }
        if case .failed = closed.outcome {
            guard !isLeft(toOthers: place) else { return }
        } else if unsettled[place].record.receipt == nil, !unsettled[place].hasHeardTheEnd {
            // The receipt may be lost, or the update late: the answer to the offer tells.
            unsettled[place].hasHeardTheEnd = true
            if !unsettled[place].isAsking { offer(place, at: now) }
            return
        }
        actions.append(.report(.roundClosed(closed.number, closed.outcome)))
        settle(place, closed.outcome)
    }

    mutating func refused(_ refusal: Refuse) {
        actions.append(.report(.refused(node, refusal.reason, text: refusal.text)))
        guard case .update(let key) = refusal.subject, let place = unsettled.firstIndex(where: { $0.key == key }),
            !isLeft(toOthers: place)
        else { return }
        settle(place, .failed(refusal.reason))
    }

    /// Notes that an update is in no sum of the parent at hand; whether others may hold it, whose word counts.
    private mutating func isLeft(toOthers place: Int) -> Bool {
        guard unsettled[place].record.isHeldElsewhere(than: parent) else { return false }
        unsettled[place].record.holders.removeAll { $0 == parent }
        unsettled[place].isAway = true
        unsettled[place].isAsking = false
        unsettled[place].retry.stop()
        return true
    }

    private mutating func settle(_ place: Int, _ outcome: RoundClosed.Outcome) {
        let record = unsettled.remove(at: place).record
        actions.append(.store(.settled(record, outcome)))
        if let body = record.update.body { actions.append(.release([body.digest])) }
    }
}
