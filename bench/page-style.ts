/** How the pages of the bench look, light and dark. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1240px; padding: 0 1rem; background: Canvas; color: CanvasText; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
p, li { max-width: 80ch; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
svg { max-width: 100%; height: auto; }
.key { white-space: nowrap; margin-right: 1.2em; } .key svg { vertical-align: middle; margin-right: .4em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .15rem .7rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
code, pre { background: var(--soft); padding: .1rem .3rem; border-radius: 3px; overflow-x: auto; }
.finding { font-weight: 600; }
.warning { border-left: 4px solid #d55e00; padding: .3rem .8rem; background: var(--soft); }
.note { opacity: .8; font-size: .95em; }
`;
