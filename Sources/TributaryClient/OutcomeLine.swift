// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import TributaryCore
import TributaryProtocol
import TributaryTelemetry

/// What became of an update, as a line of JSON for people and programs: `Documentation/reference.md` has its keys.
enum OutcomeLine {
    /// The beginning of a key's line, which no other key's line has.
    static func head(of key: UpdateKey) -> String {
        "{\"node\":\(JSONText.quoted(key.node.value)),\"sequence\":\(key.sequence)"
    }

    /// The beginning of a line; `nil` for a line of another form.
    static func head(ofLine line: String) -> String? {
        let parts = line.split(separator: ",", maxSplits: 2)
        return parts.count == 3 ? "\(parts[0]),\(parts[1])" : nil
    }

    static func text(of record: UnsettledUpdate, _ outcome: RoundClosed.Outcome) -> String {
        let update = record.update
        var fields = [("run", JSONText.quoted(record.run?.value ?? ""))]
        fields += [("round", "\(update.number.round)"), ("edge_round", "\(update.number.edgeRound)")]
        switch outcome {
        case .committed(let count): fields += [("outcome", "\"committed\""), ("contributors", "\(count)")]
        case .failed(let reason):
            fields += [("outcome", "\"failed\""), ("reason", JSONText.quoted(reason.rawValue))]
        }
        switch record.receipt {
        case .disk?: fields.append(("receipt", "\"disk\""))
        case .memory?: fields.append(("receipt", "\"memory\""))
        case nil: break
        }
        if let parent = record.holders.last ?? record.parent {
            fields.append(("parent", JSONText.quoted(parent.value)))
        }
        fields.append(("time", JSONText.quoted(timestamp())))
        return head(of: update.key) + fields.map { ",\"\($0.0)\":\($0.1)" }.joined() + "}"
    }

    /// This moment in UTC, for example `2026-03-01T12:00:00Z`.
    private static func timestamp() -> String {
        var seconds = time(nil)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "" }
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
