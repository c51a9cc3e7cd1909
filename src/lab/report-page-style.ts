/** The look of the report's page: light and dark, wide and narrow. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --line: #dfe3e8; --text: #1c2430; --quiet: #67717f;
  --good: #17803d; --bad: #c81e1e; --good-back: #e2f5e8; --bad-back: #fde6e6;
  --master: #9ed3ae; --backup: #c9d8ee; --fault: #f3b4b4; --gone: #e4e6ea; --hold: #17803d; --outage: #c81e1e22; --step: #b45309; --band-text: #1c2430;
  --s0: #2563eb; --s1: #0d9488; --s2: #9333ea; --s3: #b7791f; --s4: #4b5563; --s5: #be185d; --s6: #0284c7; --s7: #65a30d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --line: #303945; --text: #e6eaf0; --quiet: #97a3b3;
    --good: #5fd38a; --bad: #ff7b7b; --good-back: #173626; --bad-back: #44201f;
    --master: #2f6b45; --backup: #2c425f; --fault: #7a3434; --gone: #2a313b; --hold: #5fd38a; --outage: #ff7b7b2e; --step: #f5b44d; --band-text: #e6eaf0;
    --s0: #6ea8fe; --s1: #3fd0c0; --s2: #c792ff; --s3: #e8b84f; --s4: #a9b4c2; --s5: #ff85b8; --s6: #5ec4f7; --s7: #b3dc5a;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.15rem; margin: 0 0 0.4rem; }
p { margin: 0.4rem 0; }
header p, .quiet, .drill > p { color: var(--quiet); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; padding: 1rem; margin: 1rem 0; }
.notes { background: none; border: 0; padding: 0 0.2rem; color: var(--quiet); font-size: 0.9rem; }
.notes h2 { color: var(--text); font-size: 1rem; margin-top: 1rem; }
a { color: inherit; text-decoration-color: var(--quiet); text-underline-offset: 0.15em; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { text-align: right; font-weight: 600; color: var(--quiet); font-size: 0.85rem; padding: 0.2rem 0.6rem; }
td { text-align: right; padding: 0.35rem 0.6rem; border-top: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; white-space: normal; padding-left: 0; }
.good { color: var(--good); } .bad { color: var(--bad); }
.chip { font-size: 0.8rem; font-weight: 600; border-radius: 1rem; padding: 0.1rem 0.6rem; vertical-align: 0.1em; white-space: nowrap; }
.chip.good { background: var(--good-back); } .chip.bad { background: var(--bad-back); }
.figures { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; margin: 0.7rem 0; }
.figure b { display: block; font-size: 1.25rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.figure span { font-size: 0.8rem; color: var(--quiet); }
.figure.bad b { color: var(--bad); }
small { color: var(--quiet); font-weight: 400; }
.drill > p.reason { color: var(--bad); font-size: 0.9rem; }
canvas { display: block; width: 100%; height: 20rem; margin-top: 0.5rem; touch-action: pan-y; }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; font-size: 0.8rem; color: var(--quiet); }
.legend i { display: inline-block; width: 0.6rem; height: 0.6rem; border-radius: 50%; margin-right: 0.35rem; }
.legend i.cross { border-radius: 0; background: none; color: var(--bad); font-style: normal; font-weight: 700; line-height: 0.6rem; }
details { margin-top: 0.6rem; font-size: 0.9rem; }
summary { cursor: pointer; color: var(--quiet); }
ol { list-style: none; margin: 0.5rem 0 0; padding: 0; font-variant-numeric: tabular-nums; }
li time { color: var(--quiet); display: inline-block; min-width: 4.5rem; }
li.step { color: var(--step); } li.problem { color: var(--bad); }
#tip { position: fixed; pointer-events: none; background: var(--text); color: var(--card); border-radius: 0.4rem; padding: 0.2rem 0.5rem; font-size: 0.8rem; max-width: 16rem; }
@media (max-width: 40rem) {
  main { padding: 0.5rem 0.6rem 3rem; }
  section { padding: 0.8rem; }
  .overview { font-size: 0.85rem; }
  .overview :is(th, td):nth-child(3) { display: none; }
  th, td { padding-left: 0.3rem; padding-right: 0.3rem; }
  .figures { display: grid; grid-template-columns: 1fr 1fr; gap: 0.5rem 1rem; }
  canvas { height: 17rem; }
}
`;
