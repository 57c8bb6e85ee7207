// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

// TributaryTopologyFile: from YAML to a `Topology` and back, with the position of everything.
//
// A file is read with a size cap, scanned for what the format leaves out (anchors, aliases, tags), composed into nodes
// with positions, checked against one table of keys, and built into a value whose own checks are mapped back to
// positions. All errors come out at once. The same table gives the JSON schema for editors.
//
// The room reads the files that it is told to read and writes none. It imports Core, Topology and Yams.
