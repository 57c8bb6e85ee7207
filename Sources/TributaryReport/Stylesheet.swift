// Copyright (c) 2026 the Tributary authors
// SPDX-License-Identifier: Apache-2.0

/// How a page looks: light and dark, narrow and wide, on paper.
enum Stylesheet {
    // The six colours of curves keep a contrast of 3:1 to their ground, and differ for every common colour vision.
    // After M. Okabe, K. Ito, "Color Universal Design", 2008, https://jfly.uni-koeln.de/color/, darkened and lightened.
    static let text: StaticString = """
        :root{--ground:#f5f6f8;--paper:#fff;--ink:#1a1f27;--soft:#586273;--line:#dfe3e9;--grid:#e9ecf1;--heat:0 94 158;\
        --heat-ink:#fff;--warn:#fff4e0;--warn-line:#b26a00;--fault:#c4500026;--fault-line:#c45000;\
        --c0:#005e9e;--c1:#c45000;--c2:#00805c;--c3:#a3407a;--c4:#8a6a00;--c5:#4f5a6b}
        @media (prefers-color-scheme:dark){:root{--ground:#101318;--paper:#191e26;--ink:#e8ebf0;--soft:#a2acbb;\
        --line:#2f3743;--grid:#272e38;--heat:110 184 245;--heat-ink:#0d1117;--warn:#33270f;--warn-line:#e0a030;\
        --fault:#ff935433;--fault-line:#ff9354;\
        --c0:#6eb8f5;--c1:#ff9354;--c2:#45cfa0;--c3:#ea9ccb;--c4:#e2c04a;--c5:#b3bdca}}
        *{box-sizing:border-box}
        html{-webkit-text-size-adjust:100%}
        body{margin:0;background:var(--ground);color:var(--ink);\
        font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans","DejaVu Sans",sans-serif;\
        font-variant-numeric:tabular-nums}
        main{max-width:1560px;margin:0 auto;padding:28px 24px 48px}
        header{margin-bottom:20px}
        h1{font-size:28px;line-height:1.2;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}
        h2{font-size:15px;margin:0 0 10px;font-weight:650}
        .about{color:var(--soft);margin:6px 0 0;overflow-wrap:anywhere}
        .state{display:inline-block;font-size:12.5px;font-weight:600;padding:2px 10px;border-radius:99px;\
        border:1px solid currentColor;color:var(--c2);vertical-align:4px;margin-left:10px;letter-spacing:0}
        .state.cut{color:var(--warn-line)}
        .warning{background:var(--warn);border-left:4px solid var(--warn-line);padding:10px 14px;border-radius:6px;\
        margin:16px 0 0}
        .tiles{display:flex;flex-wrap:wrap;gap:1px;margin:0 0 18px;\
        background:var(--line);border:1px solid var(--line);border-radius:10px;overflow:hidden}
        .tiles div{background:var(--paper);padding:12px 13px;flex:1 1 132px}
        dt{color:var(--soft);font-size:12.5px}
        dd{margin:2px 0 0;font-size:19px;font-weight:600;letter-spacing:-.01em;overflow-wrap:anywhere}
        dd.long{font-size:13px;line-height:28px}
        .grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,430px),1fr));gap:18px}
        .card{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px 18px;min-width:0}
        .row{grid-column:1/-1}
        @media (min-width:960px){.two{grid-column:span 2}}
        .note{color:var(--soft);font-size:13px;margin:8px 0 0}
        svg{display:block;width:100%;height:auto;overflow:visible}
        svg text{font-size:12px;fill:var(--ink);font-family:inherit}
        .tick,.axis-title{fill:var(--soft)}
        .tier-name,.node-name,.bar-name{font-weight:600}
        .grid-line,.grid line,line.grid{stroke:var(--grid);stroke-width:1}
        line.axis{stroke:var(--soft);stroke-width:1}
        .s0{--c:var(--c0)}.s1{--c:var(--c1)}.s2{--c:var(--c2)}.s3{--c:var(--c3)}.s4{--c:var(--c4)}.s5{--c:var(--c5)}
        .line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
        .second{stroke-dasharray:5 5}
        .over{stroke-dasharray:9 7}
        .mark{fill:var(--c);stroke:var(--paper);stroke-width:1}
        .tip{fill:transparent}
        .bar{fill:var(--c)}
        .level{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 3;fill:none}
        .fault{fill:var(--fault);stroke:var(--fault-line);stroke-width:1;stroke-dasharray:3 3}
        .failed{fill:none;stroke:var(--fault-line);stroke-width:2}
        .link{fill:none;stroke:var(--line);stroke-width:1.5}
        .node{fill:var(--c0);stroke:var(--paper);stroke-width:1.5}
        .node.stepping{fill:var(--paper);stroke:var(--c1);stroke-width:3}
        .tree{overflow-x:auto}
        .tree svg{width:var(--tree-width);max-width:none}
        .legend{list-style:none;display:flex;flex-wrap:wrap;gap:2px 16px;margin:0 0 8px;padding:0;font-size:13px}
        .legend li{display:flex;align-items:center;gap:6px;min-width:0;overflow-wrap:anywhere}
        .swatch{width:28px;height:14px;flex:none}
        details{margin-top:10px}
        summary{cursor:pointer;color:var(--soft);font-size:13px}
        summary:hover{color:var(--ink)}
        .scroll{overflow:auto;max-height:420px;margin-top:8px}
        table{border-collapse:collapse;font-size:13px;width:100%}
        th,td{padding:4px 10px;border-bottom:1px solid var(--line);vertical-align:top}
        thead th{position:sticky;top:0;background:var(--paper);color:var(--soft);font-weight:600;white-space:nowrap}
        tbody th{font-weight:500}
        .word{text-align:left;overflow-wrap:break-word;min-width:9ch}
        .number{text-align:right;white-space:nowrap}
        .scroll.whole{max-height:none}
        .heat{width:auto;border-spacing:2px;border-collapse:separate}
        .heat td{text-align:center;white-space:nowrap;min-width:52px;border:0;border-radius:4px;\
        background:rgb(var(--heat)/var(--share))}
        .heat td.strong{color:var(--heat-ink)}
        @media (prefers-color-scheme:dark){.heat td.firm{color:var(--heat-ink)}}
        .heat th{border:0}
        .differs{font-weight:650}
        footer{color:var(--soft);font-size:12.5px;margin-top:22px}
        code{font:13px/1.4 ui-monospace,"Liberation Mono","DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
        @media (max-width:560px){main{padding:16px 12px 32px}h1{font-size:22px}.card{padding:14px 12px}\
        .tiles div{padding:10px 12px}dd{font-size:16px}\
        .card>svg text{font-size:15px}}
        @media print{:root{--ground:#fff}main{max-width:none;padding:0}.card{break-inside:avoid}\
        .scroll{max-height:none;overflow:visible}.grid{grid-template-columns:1fr 1fr}.two{grid-column:1/-1}\
        *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
        """
}
