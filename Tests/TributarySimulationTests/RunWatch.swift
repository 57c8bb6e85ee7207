// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryTopology

/// Watches a run for what may never be, whatever the faults.
///
/// Rounds open and close in turn at every node and end by their deadline; of the members of a round each is accepted
/// or dropped for a reason, and nobody twice; what a node says was reported is what it accepted; time goes forward.
final class RunWatch {
    private struct Open {
        var number: RoundNumber
        var begin: Moment
        var chosen: UInt64
        /// What became of members: the contributors accepted, or `nil` when dropped.
        var members: [NodeName: UInt64?] = [:]
        var collected: UInt64?
    }

    private(set) var violations: [String] = []
    private(set) var events: [(who: NodeName, event: TelemetryEvent, at: Moment)] = []
    private let tree: Tree
    /// Nodes whose clock is wrong, or that may be killed: their deadlines and rounds are their own affair.
    private let unpunctual: Set<NodeName>
    private let mortal: Set<NodeName>
    private let deadline: Duration
    /// A round of which only the parent knows how it ended may stand beside the one at hand.
    private var open: [NodeName: [RoundNumber: Open]] = [:]
    private var last = Moment(nanoseconds: 0)
    private var lastRootRound: UInt32

    /// Watches a run that is taken up after `round`.
    init(_ tree: Tree, after round: UInt32) {
        self.tree = tree
        lastRootRound = round
        deadline = tree.policy(ofAggregator: Tree.root).deadline.longest
        func targets(_ isMeant: (Fault.Kind) -> Bool) -> Set<NodeName> {
            var names: Set<NodeName> = []
            for fault in tree.topology.simulation.faults where isMeant(fault.kind) {
                for node in tree.aggregators {
                    let tier = tree.topology.tiers[node.tier].name
                    if fault.target == .node(node.name) || fault.target == .tier(tier) { names.insert(node.name) }
                }
            }
            return names
        }
        unpunctual = targets { if case .clockSkew = $0 { true } else { false } }
        mortal = targets { $0 == .kill }
    }

    func complain(_ text: String) { if violations.count < 20 { violations.append("at \(last.seconds) s: \(text)") } }

    func see(_ who: NodeName, _ event: TelemetryEvent, at now: Moment) {
        events.append((who, event, now))
        if now < last { complain("time goes back to \(now.seconds) s") }
        last = max(last, now)
        guard case .aggregator(let position)? = tree.node(named: who) else { return }
        switch event {
        case .roundOpened(let number, _, let chosen): opened(who, position, number, chosen, now)
        case .accepted(let name, let number, let contributors): accepted(who, name, number, contributors)
        case .dropped(let name, let number, _): dropped(who, name, number)
        case .roundCollected(let number, let reported, let chosen, _):
            collected(who, position, number, reported, chosen, now)
        case .roundClosed(let number, let outcome): closed(who, number, outcome)
        default: break
        }
    }

    private func opened(_ who: NodeName, _ position: Int, _ number: RoundNumber, _ chosen: UInt64, _ now: Moment) {
        let left = open[who]?.values.first { $0.collected == nil && $0.number != number }
        if let left {
            complain("\(who) opens \(number) while \(left.number) is open")
        }
        if position == Tree.root, open[who]?.keys.contains(where: { $0 != number }) == true {
            complain("the root opens \(number) before the last round's end")
        }
        if position == Tree.root, number.edgeRound == 1 {
            let isNew = number.round == lastRootRound + 1
            if !isNew { complain("the root opens round \(number) after \(lastRootRound)") }
            lastRootRound = number.round
        }
        open[who, default: [:]][number] = Open(number: number, begin: now, chosen: chosen)
    }

    private func accepted(_ who: NodeName, _ name: NodeName, _ number: RoundNumber, _ contributors: UInt64) {
        guard open[who]?[number] != nil else { return complain("\(who) accepts \(name) in \(number), not open") }
        if let known = open[who]?[number]?.members[name], known != nil {
            complain("\(who) accepts \(name) twice in \(number)")
        }
        if contributors == 0 { complain("\(who) accepts nothing of \(name)") }
        open[who]?[number]?.members[name] = contributors
    }

    private func dropped(_ who: NodeName, _ name: NodeName, _ number: RoundNumber) {
        guard open[who]?[number] != nil else { return complain("\(who) drops \(name) in \(number), not open") }
        open[who]?[number]?.members[name] = .some(nil)
    }

    private func collected(
        _ who: NodeName, _ position: Int, _ number: RoundNumber, _ reported: UInt64, _ chosen: UInt64, _ now: Moment
    ) {
        guard let round = open[who]?[number] else {
            return complain("\(who) collects \(number), which is not open")
        }
        if reported > chosen { complain("\(who) has \(reported) of \(chosen) chosen in \(number)") }
        let sum = round.members.values.reduce(0) { $0 + ($1 ?? 0) }
        if sum != reported { complain("\(who) reports \(reported) and accepted \(sum) in \(number)") }
        // Who was asked before a restart and did not come back since is not known by name.
        if tree.aggregators[position].children.isEmpty, !mortal.contains(who),
            UInt64(round.members.count) != round.chosen
        {
            complain("\(who) knows of \(round.members.count) of \(round.chosen) members in \(number)")
        }
        // A round that goes on after a restart has all of its time again.
        if now - round.begin > deadline, !unpunctual.contains(who), !mortal.contains(who) {
            complain("\(who) collects \(number) \((now - round.begin).seconds) s after it opened")
        }
        open[who]?[number]?.collected = reported
    }

    private func closed(_ who: NodeName, _ number: RoundNumber, _ outcome: RoundClosed.Outcome) {
        guard let round = open[who]?.removeValue(forKey: number) else {
            return complain("\(who) closes \(number), which is not open")
        }
        guard case .committed(let count) = outcome, tree.aggregators[tree.position(who)].parent == nil else { return }
        if count != round.collected { complain("\(who) commits \(count) of \(round.collected ?? 0) in \(number)") }
    }
}

extension DeadlineRule {
    fileprivate var longest: Duration {
        if case .fixed(let duration) = self { duration } else { .zero }
    }
}

extension Tree {
    fileprivate func position(_ name: NodeName) -> Int {
        if case .aggregator(let position)? = node(named: name) { position } else { Tree.root }
    }
}
