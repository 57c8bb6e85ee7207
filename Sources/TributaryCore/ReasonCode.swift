// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// Why something was refused, dropped or failed; the same word in messages, logs, counters and documents.
package enum ReasonCode: String, Hashable, Sendable, CaseIterable {
    // Admission.
    case unknownKey = "admission.unknown_key"
    case wrongIdentity = "admission.wrong_identity"
    case wrongTopology = "admission.wrong_topology"
    case tooManyChildren = "admission.too_many_children"
    case revokedKey = "admission.revoked_key"
    case unreadableKeys = "admission.unreadable_keys"
    case wrongToken = "admission.wrong_token"
    case expiredToken = "admission.expired_token"
    case usedToken = "admission.used_token"
    case nameTaken = "admission.name_taken"
    case noVacancy = "admission.no_vacancy"
    case joinOnce = "admission.join_once"
    // The wire.
    case wireVersion = "wire.version"
    case malformed = "wire.malformed"
    case unknownKind = "wire.unknown_kind"
    case oversized = "wire.oversized"
    case unexpected = "wire.unexpected"
    // Objects.
    case unknownObject = "object.unknown"
    case wrongDigest = "object.wrong_digest"
    case wrongSize = "object.wrong_size"
    case storage = "object.storage"
    case storageFull = "storage.full"
    // Updates and sums.
    case wrongRun = "update.wrong_run"
    case staleRound = "update.stale_round"
    case wrongBase = "update.wrong_base"
    case wrongShape = "update.wrong_shape"
    case wrongEncoding = "update.wrong_encoding"
    case wrongWeight = "update.wrong_weight"
    case wrongSignature = "update.wrong_signature"
    case notFinite = "update.not_finite"
    case outOfBound = "update.out_of_bound"
    case duplicate = "update.duplicate"
    case notInCohort = "update.not_in_cohort"
    case late = "update.late"
    case surplus = "update.surplus"
    // Clients and rounds.
    case trainingFailed = "client.training_failed"
    case lost = "client.lost"
    case left = "client.left"
    case belowQuorum = "round.below_quorum"
    case deadline = "round.deadline"
    case parentLost = "parent.lost"
    case parentLate = "parent.late"
    case roundFailed = "round.failed"
    case cohortAbandoned = "cohort.abandoned"
    case stopped = "run.stopped"
}
