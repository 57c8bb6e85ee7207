// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import TributaryBus
import TributaryClient
package import TributaryCore
package import TributaryCrypto

/// The keys in force at a node, for whoever checks signatures beside the loop that changes them.
package final class AdmittedKeys: Sendable {
    private let state: Mutex<AllowList>

    package init(_ list: AllowList = AllowList()) { state = Mutex(list) }

    /// The list in force.
    package var list: AllowList { state.withLock { $0 } }

    func replace(_ list: AllowList) { state.withLock { $0 = list } }

    /// The key that a node signs with; `nil` when it is not admitted, or signs nothing.
    package func signingKey(of node: NodeName) -> (isAdmitted: Bool, key: VerifyingKey?) {
        state.withLock { list in
            guard let keys = list.keys[node] else { return (false, nil) }
            return (true, keys.signing)
        }
    }
}

/// Lets a registrar work beside the loop that owns the bus: it looks at the key directory every so often, and enrols.
final class KeyWatch {
    /// What a registrar's work came to.
    enum Outcome: Sendable {
        case looked(AllowList, trouble: [String])
        case enrolled(Peer, Result<Joined, Registrar.Refusal>, AllowList)
    }

    /// How often the directory is looked at: with the time that a cut takes, a key that is taken back is out in 2 s.
    static let interval = Duration.milliseconds(800)

    private let queue: WorkQueue<Registrar, Outcome>
    private var isLooking = false
    /// When the next look is due.
    private(set) var due: Moment

    init(_ registrar: Registrar, label: String, waker: Waker, now: Moment) {
        queue = WorkQueue(label: "\(label).keys", state: registrar, waker: waker)
        due = now + Self.interval
    }

    /// Starts a look when it is time and none is under way.
    func tick(_ now: Moment) {
        guard now >= due else { return }
        due = now + Self.interval
        guard !isLooking else { return }
        isLooking = true
        queue.submit { registrar, emit in
            let look = registrar.look()
            emit(.looked(look.list, trouble: look.trouble))
        }
    }

    func enrol(_ join: Join, _ key: CurvePublicKey, from peer: Peer, endpoint: String) {
        queue.submit { registrar, emit in
            let result = registrar.enrol(join, key, endpoint: endpoint, now: Clock.secondsSince1970())
            emit(.enrolled(peer, result, registrar.list))
        }
    }

    func takeOutcomes() -> [Outcome] {
        let outcomes = queue.takeOutcomes()
        for case .looked in outcomes { isLooking = false }
        return outcomes
    }

    func finish() { queue.finish() }
}
