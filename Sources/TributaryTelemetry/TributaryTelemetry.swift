// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// Telemetry: what a node's events look like to people and programs.
//
// One mapping from an event to its name and fields; both the JSON line and the text line come from it. Pure: who
// writes the line, and where to, is decided above. May import Core.
