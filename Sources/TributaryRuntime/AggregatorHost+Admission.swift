// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import TributaryBus
import TributaryClient
import TributaryCore
import TributaryTelemetry

// Who may connect: the key directory is followed while the node runs, and who has a token is enrolled.

extension AggregatorHost {
    /// Looks at the keys when it is time, and acts on what was found.
    func followKeys() {
        keyWatch.tick(Bus.now())
        for outcome in keyWatch.takeOutcomes() {
            switch outcome {
            case .looked(let list, let trouble):
                tell(trouble)
                apply(list)
            case .enrolled(let peer, let result, let list):
                apply(list)
                answer(peer, result)
            }
        }
    }

    func joining(_ peer: Peer, _ key: CurvePublicKey, _ join: Join) {
        keyWatch.enrol(join, key, from: peer, endpoint: advertised)
    }

    private func answer(_ peer: Peer, _ result: Result<Joined, Registrar.Refusal>) {
        switch result {
        case .success(let joined):
            report(
                EventRecord(
                    node: node, name: "joined", fields: [("child", .text(joined.node.value))]))
            bus.welcome(peer, joined)
        case .failure(let refusal):
            note(NodeName("unknown"), refusal.reason, refusal.text)
            bus.turnAway(peer, refusal.reason, refusal.text)
        }
    }

    /// Puts a list in force: new keys may connect, those that are gone are cut off at once.
    private func apply(_ list: AllowList) {
        let old = admitted.list
        guard list != old else { return }
        let revoked = old.keys.keys.filter { list.keys[$0]?.curve != old.keys[$0]?.curve }
        let added = list.keys.keys.filter { old.keys[$0] == nil }
        admitted.replace(list)
        revokedNames.formUnion(revoked.filter { children[$0] != nil })
        bus.admit(list.admission { isChild($0) })
        report(
            EventRecord(
                node: node, name: "keys-changed",
                fields: [
                    ("admitted", .integer(Int64(list.keys.count))), ("added", .integer(Int64(added.count))),
                    ("revoked", .integer(Int64(revoked.count))),
                ]))
    }

    /// Says once what cannot be read; each look that cannot is counted.
    private func tell(_ trouble: [String]) {
        defer { keyTrouble = trouble }
        guard let first = trouble.first else {
            if !keyTrouble.isEmpty { report(EventRecord(node: node, name: "keys-readable", fields: [])) }
            return
        }
        refusals[.unreadableKeys, default: 0] += 1
        guard trouble != keyTrouble else { return }
        let more = trouble.count > 1 ? " (and \(trouble.count - 1) more)" : ""
        report(
            EventRecord(
                node: node, name: "keys-unreadable", level: .warning,
                fields: [
                    ("reason", .text(ReasonCode.unreadableKeys.rawValue)),
                    ("text", .text("\(first)\(more); what the keys said before stays in force")),
                ]))
    }
}
