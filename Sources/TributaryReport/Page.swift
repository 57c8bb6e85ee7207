// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// A page of HTML under construction: numbered pictures, cards, tables.
///
/// It loads nothing and needs no script.
struct Page {
    /// A table: its columns' titles and its rows; all but the first column stand right.
    struct Table {
        var titles: [String]
        var rows: [[String]]
        /// How many leading columns hold words.
        var wordColumns = 1

        /// Of a long table, so many rows are shown.
        static let rowCountMax = 400
    }

    /// How much of a row a card takes.
    enum Width: String {
        case one
        case two
        case row
    }

    private var pictureCount = 0

    /// A name for the next picture.
    mutating func nextID() -> String {
        pictureCount += 1
        return "p\(pictureCount)"
    }

    /// A titled box with a picture, a sentence under it, and the same numbers as a folded table.
    func card(
        _ title: String, _ content: Markup, note: String = "", table: Table? = nil, width: Width = .one
    ) -> Markup {
        var parts: [Markup] = [.element("h2", text: title), content]
        if !note.isEmpty { parts.append(.element("p", ["class": "note"], text: note)) }
        if let table { parts.append(fold("As a table", table)) }
        return .element("section", ["class": "card \(width.rawValue)"], parts)
    }

    func fold(_ title: String, _ table: Table) -> Markup {
        .element("details", [:], [.element("summary", text: title), self.table(table)])
    }

    /// A real table that scrolls by itself where it is wider than the page.
    func table(_ table: Table) -> Markup {
        let head = table.titles.enumerated().map { cell("th", $0, $1, table, scope: "col") }
        let shown = Self.thinned(table.rows)
        let body = shown.map { row in
            Markup.element(
                "tr", [:],
                row.enumerated().map { $0 == 0 ? cell("th", $0, $1, table, scope: "row") : cell("td", $0, $1, table) })
        }
        var parts: [Markup] = [
            .element("table", [:], [.element("thead", [:], [.element("tr", [:], head)]), .element("tbody", [:], body)])
        ]
        if shown.count < table.rows.count {
            parts.append(
                .element(
                    "p", ["class": "note"],
                    text: "\(shown.count) of \(table.rows.count) rows, evenly spaced; run.json holds all of them."))
        }
        return .element("div", ["class": "scroll", "tabindex": "0"], parts)
    }

    private func cell(
        _ name: StaticString, _ column: Int, _ text: String, _ table: Table, scope: String? = nil
    ) -> Markup {
        let kind = column < table.wordColumns ? "word" : "number"
        guard let scope else { return .element(name, ["class": kind], text: text) }
        return .element(name, ["class": kind, "scope": scope], text: text)
    }

    private static func thinned(_ rows: [[String]]) -> [[String]] {
        guard rows.count > Table.rowCountMax else { return rows }
        return (0..<Table.rowCountMax).map { rows[$0 * (rows.count - 1) / (Table.rowCountMax - 1)] }
    }

    /// Names and values in a grid of tiles; the first one is the largest.
    func tiles(_ facts: [(name: String, value: String)]) -> Markup {
        .element(
            "dl", ["class": "tiles"],
            facts.map { fact in
                .element(
                    "div", [:],
                    [
                        .element("dt", text: fact.name),
                        .element("dd", ["class": fact.value.count > 8 ? "long" : "short"], text: fact.value),
                    ])
            })
    }

    /// The whole document.
    static func document(title: String, _ content: [Markup]) -> String {
        let head = Markup.element(
            "head", [:],
            [
                .literal("<meta charset=\"utf-8\"/>"),
                .literal("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>"),
                .literal("<meta name=\"color-scheme\" content=\"light dark\"/>"),
                .element("title", text: title), .element("style", [:], [.literal(Stylesheet.text)]),
            ])
        let body = Markup.element("body", [:], [.element("main", [:], content)])
        return "<!DOCTYPE html>\n" + Markup.element("html", ["lang": "en"], [head, body]).html + "\n"
    }
}
