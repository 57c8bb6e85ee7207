// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryCore
import TributaryProtocol
import TributaryRing
import TributaryTopology

/// A round with as many members as one node may have children.
///
/// It takes seconds; it would take many minutes if an event cost something for every member.
struct LargeRoundTests {
    /// One pass-through node with many clients, its parent played by the test; messages arrive in order.
    private struct Edge {
        struct Directory: ChildDirectory {
            func role(of name: NodeName) -> Hello.Role? {
                UInt64(name.value.dropFirst(2)).map { .client(ClientIndex($0)) }
            }
        }

        enum Delivery {
            case up(Int, Envelope)
            case down(Int, Envelope)
            case fromParent(Message)
            case work(RoundWorkResult)
            case client(Int, ClientEvent)
        }

        let run = RunID("test")
        let now = Moment(nanoseconds: 0)
        var edge: AggregatorMachine
        var clients: [ClientMachine]
        var queue: [Delivery] = []
        /// What the parent heard.
        var progress: [Working] = []
        var offers: [SumOffer] = []
        var sums: [Sum] = []
        var names: [ContributionName] = []
        /// Events that the machines handled.
        var eventCount = 0

        init(clientCount: Int, selection: Selection) throws {
            let configuration = AggregatorConfiguration(
                node: NodeName("edge"), root: nil, stepping: nil, quorum: 1, expectedClientCount: UInt64(clientCount),
                children: Directory(), topology: nil)
            let declared = ClientSet(0..<UInt64(clientCount))
            edge = AggregatorMachine(configuration: configuration, clients: ConnectedClients(declared: declared))
            clients = (0..<clientCount).map {
                ClientMachine(node: NodeName("d-\($0)"), client: ClientIndex(UInt64($0)), topology: nil, sequence: 0)
            }
            let welcome = Welcome(wireVersion: WireVersion.current, layout: try MemoryTree.layout())
            queue.append(.fromParent(.welcome(welcome)))
            for client in clients.indices { queue.append(.client(client, .connected)) }
            let ring = try RingParameters(deltaBound: 8, weightMax: 1024, cohortMax: 1 << 20)
            let train = TrainSettings(
                work: .epochs(1), batch: 8, optimizer: .sgd(learningRate: 0.1, momentum: 0))
            let group = GroupPlan(
                name: "body", parameterCount: 4, ring: ring, encoding: .float32, normaliser: .weight)
            deliver()
            let plan = RoundPlan(
                number: RoundNumber(round: 1), kind: .train(train), model: RetryTests.model, groups: [group],
                selection: selection, timeLeft: .seconds(600), seed: 1)
            queue.append(.fromParent(.plan(plan)))
            eventCount = 0
        }

        mutating func deliver() {
            var position = 0
            while position < queue.count {
                eventCount += 1
                switch queue[position] {
                case .up(let client, let envelope):
                    perform(edge.handle(.fromChild(clients[client].node, envelope), at: now))
                case .down(let client, let envelope):
                    perform(clients[client].handle(.message(envelope), at: now), at: client)
                case .fromParent(let message):
                    let envelope = Envelope(run: run, epoch: TopologyEpoch(1), message: message)
                    perform(edge.handle(.fromParent(envelope), at: now))
                case .work(let result): perform(edge.handle(.completed(run, result), at: now))
                case .client(let client, let event): perform(clients[client].handle(event, at: now), at: client)
                }
                position += 1
            }
            queue = []
        }

        private mutating func perform(_ actions: [ClientAction], at client: Int) {
            for action in actions {
                switch action {
                case .send(let envelope): queue.append(.up(client, envelope))
                case .fetch(let object): queue.append(.client(client, .fetched(object.digest)))
                case .train(let job, let plan):
                    let outcome = TrainOutcome(
                        report: TrainReport(exampleCount: 1, metrics: []),
                        groups: plan.groups.map { _ in Update.Group(weight: 1, encoding: .float32, byteCount: 16) },
                        body: ObjectReference(digest: RetryTests.model.digest, byteCount: 16))
                    queue.append(.client(client, .trained(job.number, outcome)))
                case .store, .release, .report, .finish: break
                }
            }
        }

        private mutating func perform(_ actions: [AggregatorAction]) {
            for action in actions {
                switch action {
                case .send(let envelope, .child(let name)):
                    guard let client = Int(name.value.dropFirst(2)) else { continue }
                    queue.append(.down(client, envelope))
                case .send(let envelope, .parent): hear(envelope.message)
                case .work(_, .fetch(let object, let neighbour)):
                    queue.append(.work(.fetched(object.digest, from: neighbour)))
                case .work(_, .fold(let update)): queue.append(.work(.folded(update.key, nil)))
                case .work(_, .journal(let record)): queue.append(.work(.journaled(record.key)))
                case .work(_, .sealNames(let key, let list)):
                    names = list
                    let object = ObjectReference(
                        digest: MemoryTree.digest("names"), byteCount: UInt64(16 * list.count))
                    queue.append(.work(.namesSealed(key, object)))
                case .work(_, .sealSum(let key)):
                    queue.append(.work(.sumSealed(key, groups: [], metrics: [], body: nil)))
                case .work, .report, .finish: break
                }
            }
        }

        private mutating func hear(_ message: Message) {
            switch message {
            case .working(let working): progress.append(working)
            case .sumOffer(let offer):
                offers.append(offer)
                queue.append(.fromParent(.sumGrant(SumGrant(key: offer.key, exclude: []))))
            case .sum(let sum):
                sums.append(sum)
                let closed = RoundClosed(
                    number: sum.key.number, outcome: .committed(contributorCount: sum.contributorCount))
                queue.append(.fromParent(.roundClosed(closed)))
            default: break
            }
        }
    }

    @Test("twenty thousand updates reach one sum, with ten events each and few words of progress")
    func twentyThousandMembers() throws {
        let count = Limits.childCountMax
        var edge = try Edge(clientCount: count, selection: .all)
        edge.deliver()
        #expect(edge.sums.map(\.contributorCount) == [UInt64(count)])
        #expect(edge.offers.map(\.chosenCount) == [UInt64(count)])
        #expect(edge.names.count == count)
        #expect(zip(edge.names, edge.names.dropFirst()).allSatisfy { $0 < $1 })
        #expect(edge.progress.last?.reportedCount == UInt64(count))
        // No time passes here: one word at the start, one at the end.
        #expect(edge.progress.count == 2)
        // Per client: plan, model, progress, result, offer, body, fold, record, receipt, end; and a few for the sum.
        #expect((10 * count...10 * count + 12).contains(edge.eventCount))
    }

    @Test("a count of a large population costs the count")
    func fewOfManyMembers() throws {
        var edge = try Edge(clientCount: Limits.childCountMax, selection: .count(100, overSelect: 1))
        edge.deliver()
        #expect(edge.sums.map(\.contributorCount) == [100])
        #expect((1000...1012).contains(edge.eventCount))
    }
}
