// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

internal import CZeroMQ
internal import TributaryCore

// What one turn of `poll` does: wait, timers, sockets with news.

extension Bus {
    /// Frames taken from one socket before the others have their turn.
    static let frameCountPerTurn = 256
    /// How soon after a sign of it libzmq is asked whether a child is gone; the sign comes a little early.
    static let suspicionPauses: [Duration] = [.zero, .milliseconds(20), .milliseconds(200)]
    /// When full pipes are tried again at the latest.
    static let blockedPause = Duration.milliseconds(20)

    func wait(_ timeout: Duration?) {
        reactor.wait(timeout) { token in
            switch token {
            case Token.waker: if waker.take() { events.append(.woken) }
            case Token.bell:
                if bell.take() {
                    unblock { _ in true }
                    takeRefusals()
                }
            default: touched.insert(token)
            }
        }
    }

    /// The next moment at which something is to be done without news.
    func due() -> Moment? {
        let blockedDue = blocked.isEmpty ? nil : Bus.now() + Bus.blockedPause
        return [linksDue, receiver.due(), suspects.map(\.at).min(), blockedDue, cuts.map(\.at).min(), gatesDue]
            .compactMap { $0 }.min()
    }

    func runTimers(_ now: Moment) {
        if let linksDue, now >= linksDue {
            self.linksDue = nil
            for link in links.values {
                guard let due = link.due else { continue }
                if now >= due { runTimer(of: link, now) }
                schedule(link)
            }
        }
        if !suspects.isEmpty {
            let asked = suspects.filter { $0.at <= now }
            suspects.removeAll { $0.at <= now }
            for suspect in asked { probe(suspect.peer) }
        }
        runCuts(now)
        if let due = receiver.due(), now >= due {
            receiver.tick(now: now)
            takeFromReceiver()
        }
        if !blocked.isEmpty { unblock { _ in true } }
    }

    func serviceTouched(_ now: Moment) {
        let tokens = touched
        touched.removeAll(keepingCapacity: true)
        for token in tokens {
            let number = Token.socket(of: token)
            if let listener = listeners[number] {
                Token.isMonitor(token) ? watch(listener, now) : service(listener, now)
            } else if let link = links[number], let session = linkPeers[number] {
                Token.isMonitor(token) ? watch(link, session, now) : service(link, session, now)
            }
        }
    }

    /// Lets sessions with full pipes try again.
    func unblock(where isMeant: (Session) -> Bool) {
        guard !blocked.isEmpty else { return }
        let retried = blocked.filter(isMeant)
        blocked.removeAll(where: isMeant)
        for session in retried {
            session.isInLine = false
            flushOutbox(of: session)
            enterLine(session)
        }
    }

    private func takeRefusals() {
        for listener in listeners.values {
            let refused = AdmissionDesk.shared.takeRefusals(of: listener.domain)
            guard refused.count > 0 else { continue }
            refusals[.unknownKey, default: 0] += refused.count
            for notice in refused.notices {
                let text = "\(notice.address) came with the unknown key \(notice.key)"
                events.append(.violation(nil, node: nil, .unknownKey, text))
            }
        }
    }

    /// Sends and tells what the receiving side decided.
    func takeFromReceiver() {
        // Sending can end a session, which makes the receiver decide anew.
        while true {
            events += receiver.takeEvents()
            let requests = receiver.takeRequests()
            if requests.isEmpty { return }
            for request in requests { send(.fetch(request.fetch), to: request.peer) }
        }
    }
}
