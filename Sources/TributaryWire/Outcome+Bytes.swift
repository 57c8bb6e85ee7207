// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CTributaryWire
internal import TributaryCore

// Receipt, RoundClosed and Refuse, written and read.

extension MessageArena {
    func receipt(_ value: Receipt) -> UnsafeMutablePointer<Tributary__V1__Receipt> {
        let receipt = make(tributary__v1__receipt__init)
        switch value.subject {
        case .update(let subject):
            receipt.pointee.subject_case = TRIBUTARY__V1__RECEIPT__SUBJECT_UPDATE
            receipt.pointee.update = key(subject)
        case .sum(let subject):
            receipt.pointee.subject_case = TRIBUTARY__V1__RECEIPT__SUBJECT_SUM
            receipt.pointee.sum = key(subject)
        }
        receipt.pointee.durability = Tributary__V1__Durability(UInt32(value.durability.rawValue))
        return receipt
    }

    func roundClosed(_ value: RoundClosed) -> UnsafeMutablePointer<Tributary__V1__RoundClosed> {
        let closed = make(tributary__v1__round_closed__init)
        closed.pointee.number = number(value.number)
        closed.pointee.without_names = names(value.without)
        switch value.outcome {
        case .committed(let contributorCount):
            let committed = make(tributary__v1__committed__init)
            committed.pointee.contributor_count = contributorCount
            closed.pointee.outcome_case = TRIBUTARY__V1__ROUND_CLOSED__OUTCOME_COMMITTED
            closed.pointee.committed = committed
        case .failed(let reason):
            closed.pointee.outcome_case = TRIBUTARY__V1__ROUND_CLOSED__OUTCOME_FAILED
            closed.pointee.failed = text(reason.rawValue)
        }
        return closed
    }

    func refuse(_ value: Refuse) -> UnsafeMutablePointer<Tributary__V1__Refuse> {
        let refuse = make(tributary__v1__refuse__init)
        switch value.subject {
        case .connection:
            refuse.pointee.subject_case = TRIBUTARY__V1__REFUSE__SUBJECT_CONNECTION
            refuse.pointee.connection = make(tributary__v1__connection_subject__init)
        case .update(let subject):
            refuse.pointee.subject_case = TRIBUTARY__V1__REFUSE__SUBJECT_UPDATE
            refuse.pointee.update = key(subject)
        case .sum(let subject):
            refuse.pointee.subject_case = TRIBUTARY__V1__REFUSE__SUBJECT_SUM
            refuse.pointee.sum = key(subject)
        case .object(let subject):
            refuse.pointee.subject_case = TRIBUTARY__V1__REFUSE__SUBJECT_OBJECT_DIGEST
            refuse.pointee.object_digest = digest(subject)
        }
        refuse.pointee.reason = text(value.reason.rawValue)
        refuse.pointee.text = text(Self.cut(value.text, byteCountMax: Limits.textByteCountMax))
        return refuse
    }

    /// The longest leading part of a text, in whole characters, that fits.
    private static func cut(_ text: String, byteCountMax: Int) -> String {
        guard text.utf8.count > byteCountMax else { return text }
        var kept = ""
        var byteCount = 0
        for scalar in text.unicodeScalars {
            byteCount += UTF8.width(scalar)
            if byteCount > byteCountMax { break }
            kept.unicodeScalars.append(scalar)
        }
        return kept
    }
}

extension Field {
    static func receipt(_ item: Tributary__V1__Receipt) throws(WireError) -> Receipt {
        guard let durability = UInt8(exactly: item.durability.rawValue).flatMap(Receipt.Durability.init) else {
            throw .malformed("receipt.durability is \(item.durability.rawValue), which is not known")
        }
        switch item.subject_case {
        case TRIBUTARY__V1__RECEIPT__SUBJECT_UPDATE:
            return Receipt(subject: .update(try key(item.update, "receipt.update")), durability: durability)
        case TRIBUTARY__V1__RECEIPT__SUBJECT_SUM:
            return Receipt(subject: .sum(try key(item.sum, "receipt.sum")), durability: durability)
        default: throw .malformed("receipt.subject is missing")
        }
    }

    static func roundClosed(_ item: Tributary__V1__RoundClosed) throws(WireError) -> RoundClosed {
        let outcome: RoundClosed.Outcome
        switch item.outcome_case {
        case TRIBUTARY__V1__ROUND_CLOSED__OUTCOME_COMMITTED:
            let count = try present(item.committed, "round_closed.committed").contributor_count
            outcome = .committed(
                contributorCount: try atMost(count, Limits.clientCountMax, "committed.contributor_count"))
        case TRIBUTARY__V1__ROUND_CLOSED__OUTCOME_FAILED:
            outcome = .failed(try reason(item.failed, "round_closed.failed"))
        default: throw .malformed("round_closed.outcome is missing")
        }
        return RoundClosed(
            number: try number(item.number, "round_closed.number"), outcome: outcome,
            without: try names(item.without_names, "round_closed.without_names"))
    }

    static func refuse(_ item: Tributary__V1__Refuse) throws(WireError) -> Refuse {
        let subject: Refuse.Subject
        switch item.subject_case {
        case TRIBUTARY__V1__REFUSE__SUBJECT_CONNECTION: subject = .connection
        case TRIBUTARY__V1__REFUSE__SUBJECT_UPDATE: subject = .update(try key(item.update, "refuse.update"))
        case TRIBUTARY__V1__REFUSE__SUBJECT_SUM: subject = .sum(try key(item.sum, "refuse.sum"))
        case TRIBUTARY__V1__REFUSE__SUBJECT_OBJECT_DIGEST:
            subject = .object(try digest(item.object_digest, "refuse.object_digest"))
        default: throw .malformed("refuse.subject is missing")
        }
        return Refuse(
            subject: subject,
            reason: try reason(item.reason, "refuse.reason"),
            text: try text(item.text, "refuse.text", byteCountMax: Limits.textByteCountMax))
    }
}
