// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryCore
import TributaryRing
import TributaryTopology
import TributaryWire

/// What a node and its parent say to each other about one plan: frames and their bytes, in order.
package struct Dialogue: Hashable, Sendable {
    /// A message, or an object with the requests that pull it; the next step waits for it.
    package struct Step: Hashable, Sendable {
        /// From the node to its parent.
        package let isUp: Bool
        package let isTransfer: Bool
        /// Bytes of the frames that go the step's way.
        package let byteCount: Double
        /// Bytes of the requests that go the other way; 0 for a message.
        package let requestByteCount: Double
    }

    /// What the end of the plan waits for; the node's own work lies between the model and the first step upwards.
    package private(set) var steps: [Step] = []
    /// Bytes of messages that nobody waits for: working, receipt, round closed.
    private var asideUp = 0.0
    private var asideDown = 0.0

    /// Bytes from the node to its parent.
    package var bytesUp: Double {
        steps.reduce(asideUp) { $0 + ($1.isUp ? $1.byteCount : $1.requestByteCount) }
    }

    /// Bytes from the parent to the node.
    package var bytesDown: Double {
        steps.reduce(asideDown) { $0 + ($1.isUp ? $1.requestByteCount : $1.byteCount) }
    }

    /// The dialogue until the answer is offered, without the transfer of its body.
    var offer: Dialogue {
        var dialogue = self
        dialogue.steps.removeLast()
        return dialogue
    }

    init() {}

    mutating func message(_ byteCount: Double, up: Bool) {
        steps.append(Step(isUp: up, isTransfer: false, byteCount: byteCount, requestByteCount: 0))
    }

    mutating func transfer(_ size: Wire.TransferSize, up: Bool) {
        steps.append(
            Step(
                isUp: up, isTransfer: true, byteCount: Double(size.chunks), requestByteCount: Double(size.requests)))
    }

    mutating func aside(_ byteCount: Double, up: Bool) {
        if up { asideUp += byteCount } else { asideDown += byteCount }
    }
}

/// Writes dialogues: typical messages, whose sizes are the wire's own.
struct DialogueWriter {
    let tree: Tree
    let workload: Workload
    private var sizes: [[Int]: Wire.TransferSize] = [:]
    private let number: RoundNumber
    private let run: RunID

    init(_ tree: Tree, _ workload: Workload) {
        self.tree = tree
        self.workload = workload
        number = RoundNumber(round: tree.topology.rounds)
        run = RunID(tree.topology.federation)
    }

    /// What a sum stands for, on average.
    struct SumLoad: Hashable {
        /// Contributions by name.
        var names: Double
        /// Clients.
        var contributors: Double
        /// How often the node says how far it has come.
        var workings: Double
    }

    /// A device's dialogue with the aggregator at `parent`.
    mutating func device(below parent: Int) -> Dialogue {
        let name = tree.deviceName(ClientIndex(tree.deviceCount / 2))
        return voice(of: name, below: parent, weight: workload.exampleCountMean, workings: 1)
    }

    /// An aggregator's dialogue with its parent.
    mutating func aggregator(_ position: Int, _ load: SumLoad) -> Dialogue {
        let node = tree.aggregators[position]
        guard let parent = node.parent else { return Dialogue() }
        let weight = load.contributors * workload.exampleCountMean
        switch tree.topology.uplink(ofTier: node.tier) {
        case .float32:
            let contributors = UInt64(max(1, load.contributors.rounded()))
            return voice(
                of: node.name, below: parent, weight: weight, workings: load.workings,
                Update.Voice(chosenCount: contributors, contributorCount: contributors))
        case .exact: return sum(of: position, below: parent, weight: weight, load)
        }
    }

    /// The part that all plans begin with.
    private mutating func opening(below parent: Int) -> Dialogue {
        let topology = tree.topology
        var dialogue = Dialogue()
        let model = ObjectReference(digest: Self.digest, byteCount: UInt64(workload.layout.byteCount))
        let ring = tree.ringParameters(forSegmentOf: parent)
        let groups = workload.layout.groups.compactMap { group in
            ring.map {
                GroupPlan(
                    name: group.name, parameterCount: UInt64(group.range.count), ring: $0, encoding: .float32,
                    normaliser: .weight)
            }
        }
        let open = topology.timesOpen
        let plan = RoundPlan(
            number: number, kind: .train(topology.training.settings),
            model: ModelReference(digest: Self.digest, sources: [.init(object: model, encoding: .float32)]),
            groups: groups, selection: topology.selection,
            timeLeft: open[min(tree.aggregators[parent].tier, open.count - 1)], seed: topology.seed)
        dialogue.message(size(.plan(plan)), up: false)
        dialogue.transfer(transfer(workload.layout.byteCount, below: parent), up: false)
        return dialogue
    }

    private mutating func voice(
        of name: NodeName, below parent: Int, weight: Double, workings: Double, _ voice: Update.Voice? = nil
    ) -> Dialogue {
        var dialogue = opening(below: parent)
        let key = UpdateKey(node: name, sequence: UInt64(tree.topology.rounds))
        let body = ObjectReference(digest: Self.digest, byteCount: UInt64(workload.layout.byteCount))
        let weight = UInt64(max(1, min(weight, 0x1p52)))
        let update = Update(
            key: key, number: number, base: Self.digest,
            groups: workload.layout.groups.map {
                .init(weight: weight, encoding: .float32, byteCount: UInt64($0.range.count * 4))
            }, metrics: Self.metrics(weight), body: body, voice: voice, signature: .blank(epoch: TopologyEpoch(1)))
        dialogue.message(size(.update(update)), up: true)
        dialogue.transfer(transfer(workload.layout.byteCount, below: parent), up: true)
        end(&dialogue, .update(key), clients: tree.aggregators[parent].clients.count, workings: workings)
        return dialogue
    }

    private mutating func sum(of position: Int, below parent: Int, weight: Double, _ load: SumLoad) -> Dialogue {
        var dialogue = opening(below: parent)
        let key = SumKey(node: tree.aggregators[position].name, number: number, revision: 1)
        let contributors = UInt64(max(1, load.contributors.rounded()))
        let contributions = UInt64(max(1, load.names.rounded()))
        let names = Int(contributions) * ContributionName.byteCount
        let offer = SumOffer(
            key: key, names: ObjectReference(digest: Self.digest, byteCount: UInt64(names)),
            chosenCount: contributors, contributorCount: contributors, contributionCount: contributions, reason: nil)
        let groups = workload.layout.groups.map { group in
            let exponent = tree.ringParameters(forSegmentOf: parent)?.exponent ?? RingParameters.exponentMin
            return Sum.Group(
                totalWeight: UInt64(max(1, min(weight, 0x1p61))),
                byteCount: SumSize.byteCountExpected(
                    parameterCount: group.range.count, exponent: exponent, weight: weight))
        }
        let byteCount = groups.reduce(0) { $0 + $1.byteCount }
        let sum = Sum(
            key: key, base: Self.digest, contributorCount: contributors, contributionCount: contributions,
            groups: groups, metrics: Self.metrics(groups.first?.totalWeight ?? 1),
            body: ObjectReference(digest: Self.digest, byteCount: byteCount))
        dialogue.message(size(.sumOffer(offer)), up: true)
        dialogue.transfer(transfer(names, below: parent), up: true)
        dialogue.message(size(.sumGrant(SumGrant(key: key, exclude: []))), up: false)
        dialogue.message(size(.sum(sum)), up: true)
        dialogue.transfer(transfer(Int(byteCount), below: parent), up: true)
        end(&dialogue, .sum(key), clients: tree.aggregators[position].clients.count, workings: load.workings)
        return dialogue
    }

    private func end(_ dialogue: inout Dialogue, _ subject: Receipt.Subject, clients: UInt64, workings: Double) {
        let working = Working(number: number, chosenCount: clients, reportedCount: clients, permille: 0)
        dialogue.aside(workings * size(.working(working)), up: true)
        dialogue.aside(size(.receipt(Receipt(subject: subject, durability: .memory))), up: false)
        let outcome = RoundClosed.Outcome.committed(contributorCount: tree.deviceCount)
        dialogue.aside(size(.roundClosed(RoundClosed(number: number, outcome: outcome))), up: false)
    }

    private func size(_ message: Message) -> Double {
        Double(Wire.byteCount(of: Envelope(run: run, epoch: TopologyEpoch(1), message: message)))
    }

    private mutating func transfer(_ byteCount: Int, below parent: Int) -> Wire.TransferSize {
        let chunk =
            tree.aggregators[parent].devices.isEmpty ? Limits.aggregatorChunkByteCount : Limits.deviceChunkByteCount
        if let known = sizes[[byteCount, chunk]] { return known }
        let size = Wire.transferSize(objectByteCount: UInt64(byteCount), chunkByteCount: chunk)
        sizes[[byteCount, chunk]] = size
        return size
    }

    private static let digest = Digest(words: 0, 0, 0, 0)

    /// The metrics that devices send, over so many examples.
    private static func metrics(_ count: UInt64) -> [MetricCounter] {
        let numerator = Int64(Double(count) * MetricCounter.scale / 2)
        return ["train.loss", "train.accuracy", "train.examples"].map {
            MetricCounter(name: $0, numerator: numerator, denominator: Int64(count))
        }
    }
}

/// How many bytes a ring sum takes on a link between aggregators.
package enum SumSize {
    /// The largest magnitude of a value of the mean delta in a block of 1024, as assumed where nothing else is known.
    ///
    /// Four times more or less changes a sum by a twentieth: two bits of about forty.
    package static let magnitudeAssumed = 1.0 / 16

    /// The bytes of `parameterCount` sums of deltas of the assumed magnitude with a total weight.
    ///
    /// A block's width holds the zigzag code of its largest value, `2 x weight x delta x 2^exponent`.
    package static func byteCountExpected(parameterCount: Int, exponent: Int, weight: Double) -> UInt64 {
        let count = UInt64(max(0, parameterCount))
        let bits = SpecialFunctions.log(max(1, weight) * magnitudeAssumed) / SpecialFunctions.log(2)
        // Half a bit more than the magnitude has on average, because a width is whole.
        let width = min(64, max(1, bits + Double(exponent) + 1.5))
        let blocks = RingPacking.byteCountMin(count: count)
        return blocks + UInt64((Double(count) * width / 8).rounded(.up))
    }

    /// The most bytes that so many sums can take.
    package static func byteCountMax(parameterCount: Int) -> UInt64 {
        RingPacking.byteCountMax(count: UInt64(max(0, parameterCount))) ?? .max
    }
}
