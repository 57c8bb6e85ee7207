// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

package import TributaryCore

/// What happens to a client.
package enum ClientEvent: Sendable {
    /// The link to the parent is up, or up again.
    case connected
    case disconnected
    /// From now on the link goes to another parent.
    case moved(to: NodeName)
    case message(Envelope)
    case fetched(Digest)
    case fetchFailed(Digest, ReasonCode)
    case progress(RoundNumber, permille: UInt32)
    indirect case trained(RoundNumber, TrainOutcome)
    case trainingFailed(RoundNumber, text: String)
    /// Time has passed; due at `nextAlarm`.
    case alarm
    /// The operator wants the client to end.
    case stop
}

/// A finished piece of local work, with the encoded delta already in the object store.
package struct TrainOutcome: Hashable, Sendable {
    package var report: TrainReport
    package var groups: [Update.Group]
    package var body: ObjectReference?
    package init(report: TrainReport, groups: [Update.Group], body: ObjectReference?) {
        self.report = report
        self.groups = groups
        self.body = body
    }
}

/// What a client's driver has to do.
package enum ClientAction: Hashable, Sendable {
    case send(Envelope)
    case fetch(ObjectReference)
    /// Do the local work on the model with digest `base`; answered by `trained` or `trainingFailed`.
    indirect case train(TrainJob, plan: RoundPlan)
    /// Write this down before anything that follows is sent.
    case store(ClientRecord)
    /// Nobody needs these objects any more.
    case release([Digest])
    case report(TelemetryEvent)
    /// The client is done; the driver may close the link.
    case finish(ReasonCode)
}
