"""How the report looks: light or dark as the reader's device is, on a phone as on a desk."""

STYLE = """
:root { --ink:#1b1f24; --dim:#626b76; --paper:#fbfbfa; --card:#fff; --rule:#e3e5e8;
  --c0:#2563c9; --c1:#c4620a; --c2:#16815a; --c3:#8b45b5; --good:#16815a; --bad:#c23b3b }
@media (prefers-color-scheme: dark) { :root { --ink:#e7e9ec; --dim:#9aa3ae; --paper:#14171a;
  --card:#1c2024; --rule:#30363d; --c0:#6ea8fe; --c1:#f0a050; --c2:#4cc38a; --c3:#c792ea;
  --good:#4cc38a; --bad:#f47067 } }
* { box-sizing: border-box }
body { margin:0 auto; max-width:68rem; padding:1.2rem 1rem 4rem; background:var(--paper);
  color:var(--ink); font:16px/1.5 system-ui, sans-serif; overflow-wrap:anywhere }
h1 { font-size:1.5rem; line-height:1.25; margin:.4rem 0 }
h2 { font-size:1.05rem; margin:0 0 .2rem }
p { margin:.3rem 0 } .dim, figcaption { color:var(--dim); font-size:.9rem }
.big { display:flex; flex-wrap:wrap; gap:.4rem 2.2rem; margin:1rem 0 }
.big div { min-width:6.5rem } .big b { display:block; font-size:1.9rem; line-height:1.15;
  font-variant-numeric:tabular-nums } .big small { color:var(--dim) }
.cards { display:grid; grid-template-columns:repeat(auto-fit, minmax(min(100%, 21rem), 1fr));
  gap:1rem; margin:1rem 0 }
.card, details { background:var(--card); border:1px solid var(--rule); border-radius:10px;
  padding:.9rem 1rem; margin:0 } figcaption { margin-bottom:.5rem }
svg { display:block; width:100%; height:auto; max-width:34rem }
ul.advice { list-style:none; padding:0; margin:0 } ul.advice li { padding:.45rem 0;
  border-top:1px solid var(--rule) } ul.advice li:first-child { border:0 }
ul.advice b { display:inline-block; min-width:5.2rem; color:var(--c0) }
.after { margin-top:1.2rem } .scroll { overflow-x:auto }
table { border-collapse:collapse; width:100%; font-size:.92rem;
  font-variant-numeric:tabular-nums } th, td { text-align:right; padding:.3rem .6rem;
  border-bottom:1px solid var(--rule); white-space:nowrap } th:first-child, td:first-child {
  text-align:left; padding-left:0 } th { color:var(--dim); font-weight:500 }
td small { color:var(--dim); display:block }
details { margin:.5rem 0; padding:.55rem .9rem } summary { cursor:pointer }
summary b { font-variant-numeric:tabular-nums; color:var(--bad); margin-right:.5rem }
details table td:first-child { white-space:normal } details ol { padding-left:1.2rem }
details li { margin:.35rem 0 } code { font-size:.88em; background:var(--paper);
  padding:.1em .3em; border-radius:4px }
.legend { font-size:.9rem; display:flex; flex-wrap:wrap; gap:.2rem 1rem }
.c0 { color:var(--c0) } .c1 { color:var(--c1) } .c2 { color:var(--c2) } .c3 { color:var(--c3) }
.good { color:var(--good) } .bad { color:var(--bad) }
svg .t { font:11px system-ui, sans-serif; fill:var(--ink) } svg .t.dim { fill:var(--dim);
  font-size:10px } svg .t.num { font-variant-numeric:tabular-nums }
svg .grid { stroke:var(--rule); stroke-width:1 } svg .axis { stroke:var(--dim) }
svg .fill { fill:currentColor } svg .stroke { fill:none; stroke:currentColor; stroke-width:2;
  stroke-linejoin:round } svg .span { stroke:currentColor; stroke-width:3; stroke-linecap:round;
  opacity:.55 } svg .band { fill:currentColor; opacity:.13 }
svg .mark { stroke:var(--ink); stroke-width:1.3 } svg .dashed { stroke-dasharray:3 3 }
"""
