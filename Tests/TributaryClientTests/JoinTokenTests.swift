// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import TributaryBus
import TributaryCore

@testable import TributaryClient

struct JoinTokenTests {
    private static func token(_ endpoint: String?) throws -> JoinToken {
        JoinToken(
            expiry: 1_764_060_000, parentKey: try #require(CurvePublicKey(bytes: (0..<32).map { UInt8($0) })),
            secret: (100..<124).map { UInt8($0) }, endpoint: endpoint)
    }

    /// Made by Python from Proto/README.md's table.
    @Test func isWrittenAsTheProtocolSays() throws {
        let expected =
            "tributary1_AAAAAGkla2AAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eH2RlZmdoaWprbG1ub3BxcnN0dXZ"
            + "3eHl6e3RjcDovLzEwLjAuMC43OjcyMDAYpCMq"
        #expect(try Self.token("tcp://10.0.0.7:7200").text == expected)
        #expect(try JoinToken(expected) == Self.token("tcp://10.0.0.7:7200"))
    }

    @Test(arguments: [nil, "tcp://edge.example:7200", "tcp://[::1]:1"])
    func comesBackAsItWas(endpoint: String?) throws {
        let token = try Self.token(endpoint)
        #expect(try JoinToken(token.text) == token)
        #expect(token.text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
    }

    @Test func anyWrongOrMissingCharacterIsNoticed() throws {
        let text = Array(try Self.token("tcp://10.0.0.7:7200").text)
        for position in text.indices.dropFirst("tributary1_".count) {
            var wrong = text
            wrong[position] = wrong[position] == "A" ? "B" : "A"
            #expect(throws: JoinToken.Flaw.damaged) { try JoinToken(String(wrong)) }
            #expect(throws: JoinToken.Flaw.damaged) { try JoinToken(String(text[..<position])) }
        }
        #expect(throws: JoinToken.Flaw.damaged) { try JoinToken(String(text) + "A") }
        #expect(throws: JoinToken.Flaw.damaged) { try JoinToken(String(text) + " ") }
    }

    @Test func otherTextsAreNamed() {
        #expect(throws: JoinToken.Flaw.notAToken) { try JoinToken("") }
        #expect(throws: JoinToken.Flaw.notAToken) { try JoinToken("secret") }
        #expect(throws: JoinToken.Flaw.otherVersion) { try JoinToken("tributary2_AAAA") }
        #expect(throws: JoinToken.Flaw.damaged) { try JoinToken("tributary1_") }
    }
}
