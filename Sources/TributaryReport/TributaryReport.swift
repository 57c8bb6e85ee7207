// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Reports: what people and programs are shown of a run.
//
// A run record goes in, text or bytes come out: JSON, a page of HTML that needs nothing but itself, TensorBoard events,
// and what differs between runs. Pure: who writes the result, and where to, is decided above. May import Core, and
// Topology for its documents.
