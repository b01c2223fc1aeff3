// SPDX-License-Identifier: MIT
// The dashboard as it is sent. Written by cmake/dashboard/embed.cmake from the files beside it:
// change those, then `cmake --build --preset dev --target embed-dashboard`.
#pragma once

#include <string>
#include <string_view>

namespace fusebox::detail {

/// What the page may do: run and look as the hashes say, and ask its own server; texts never become
/// markup.
inline constexpr std::string_view kDashboardPolicy =
    "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'; "
    "style-src 'sha256-Kuehxz/VEwIKqEFGal6QNTfCaAnBdeAAaTMdP72keZw='; "
    "script-src 'sha256-FcKQumj/GZahGqTdDH/NGV45y4yyFeAa7QQ3Sus5ujs='";

/// The page, of UTF-8.
[[nodiscard]] inline std::string dashboardPage() {
    std::string page{R"page(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Fusebox</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Crect width='24' height='24' rx='6' fill='%23274bdb'/%3E%3Cpath d='M3 16h5l8-8M16 16h5' fill='none' stroke='%23fff' stroke-width='2.4' stroke-linecap='round'/%3E%3C/svg%3E">
<style>)page"};
    page += R"page(
:root {
  color-scheme: light dark;
  --ground: #f4f5f7;
  --surface: #ffffff;
  --raised: #f9fafb;
  --ink: #161b22;
  --muted: #586171;
  --line: #dde1e7;
  --accent: #274bdb;
  --on-accent: #ffffff;
  --open: #b42318;
  --on-open: #ffffff;
  --open-soft: #fdf1ef;
  --half: #8f5b00;
  --half-soft: #fdf6e7;
  --closed: #27724a;
  --hand: #6b3fb5;
  --radius: 8px;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1116;
    --surface: #161a21;
    --raised: #1b2029;
    --ink: #e7eaef;
    --muted: #9ba5b4;
    --line: #2a303b;
    --accent: #8ea6ff;
    --on-accent: #0e1330;
    --open: #ff8a7d;
    --on-open: #33100b;
    --open-soft: #2a1917;
    --half: #f0b95c;
    --half-soft: #262015;
    --closed: #6cc795;
    --hand: #c2a3f7;
  }
}

* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0;
  background: var(--ground);
  color: var(--ink);
  font: 14px/1.4 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, p, dl, dd, ol, fieldset { margin: 0; padding: 0; border: 0; }
ol { list-style: none; }
b { font-weight: 600; }
button, input, select { font: inherit; color: inherit; }
button, select {
  padding: 5px 11px;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
  cursor: pointer;
}
button:hover, select:hover { border-color: var(--muted); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
input {
  padding: 6px 10px;
  border: 1px solid var(--line);
  border-radius: var(--radius);
  background: var(--surface);
}
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.small, .why, .probe { color: var(--muted); font-size: 12px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.shapes { position: absolute; width: 0; height: 0; }
.shape {
  width: 24px;
  height: 12px;
  flex: none;
  fill: var(--surface);
  stroke: currentColor;
  stroke-width: 1.6;
  stroke-linecap: round;
}

/* The frame. */
.top, main, footer { max-width: 1360px; margin: 0 auto; padding: 0 24px; }
.top { display: flex; align-items: center; gap: 16px; padding-top: 18px; padding-bottom: 14px; }
h1 { display: flex; align-items: center; gap: 10px; margin-right: auto; font-size: 18px; font-weight: 650; }
h1 .shape { width: 32px; height: 16px; color: var(--accent); fill: var(--ground); }
#host { color: var(--muted); font-size: 14px; font-weight: 400; }
.link { display: flex; align-items: center; gap: 8px; color: var(--muted); }
.dot { width: 9px; height: 9px; border: 2px solid var(--muted); border-radius: 50%; }
[data-link="live"] .dot { border-color: var(--closed); background: var(--closed); }
[data-link="lost"] .dot { border-color: var(--open); border-radius: 0; transform: rotate(45deg); }
[data-link="lost"] { color: var(--open); }
.lost {
  display: flex;
  align-items: center;
  gap: 16px;
  margin-bottom: 14px;
  padding: 10px 14px;
  border: 1px solid var(--open);
  border-left-width: 5px;
  border-radius: var(--radius);
  background: var(--open-soft);
}
.lost p { flex: 1; }
.stale table { opacity: 0.75; }

/* What to show. */
.tools { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: center; }
.states { display: flex; flex-wrap: wrap; gap: 6px; }
.states button { display: inline-flex; align-items: center; gap: 7px; }
.states button .shape { color: var(--muted); }
.states [data-show="open"].some .shape { color: var(--open); }
.states [data-show="half"].some .shape { color: var(--half); }
.states [data-show="closed"] .shape { color: var(--closed); }
.states [aria-pressed="true"] {
  border-color: var(--accent);
  box-shadow: inset 0 0 0 1px var(--accent);
}
.find { flex: 1; min-width: 180px; }
.find input { width: 100%; }
.order { color: var(--muted); white-space: nowrap; }
.order select { margin-left: 4px; color: var(--ink); }
.news { display: flex; gap: 14px; min-height: 36px; padding: 8px 0; color: var(--muted); }
#news { margin-left: auto; text-align: right; overflow: hidden; text-overflow: ellipsis; }

/* The breakers. */
table, thead, tbody { display: block; }
table { border: 1px solid var(--line); border-radius: var(--radius); background: var(--surface); overflow: clip; }
thead tr, .row {
  display: grid;
  grid-template-columns: 148px minmax(190px, 1.5fr) 132px 176px minmax(150px, 1fr) 108px;
  gap: 0 18px;
  align-items: center;
  padding: 0 18px 0 14px;
  border-left: 4px solid transparent;
}
thead tr { border-bottom: 1px solid var(--line); background: var(--raised); }
th, td { padding: 0; text-align: left; font-weight: inherit; min-width: 0; }
thead button {
  margin-left: -6px;
  padding: 7px 6px;
  border: 0;
  background: none;
  color: var(--muted);
  font-size: 12px;
  white-space: nowrap;
}
thead button:hover { color: var(--ink); }
[aria-sort] button { color: var(--ink); font-weight: 600; }
[aria-sort="ascending"] button::after { content: " ↑"; }
[aria-sort="descending"] button::after { content: " ↓"; }

.row {
  min-height: 50px;
  border-bottom: 1px solid var(--line);
  cursor: pointer;
  content-visibility: auto;
  contain-intrinsic-size: auto 50px;
}
.row:hover { background: var(--raised); }
tbody tr:last-child { border-bottom: 0; }
.row[data-is="open"] { border-left-color: var(--open); background: var(--open-soft); }
.row[data-is="half"] { border-left-color: var(--half); background: var(--half-soft); }
.row[data-hand] { border-left-color: var(--hand); border-left-style: double; }

.state { display: flex; flex-direction: column; align-items: flex-start; gap: 1px; }
.chip {
  display: inline-flex;
  align-items: center;
  gap: 6px;
  padding: 1px 8px 1px 5px;
  border: 1px solid transparent;
  border-radius: 5px;
  font-weight: 600;
  font-size: 13px;
  white-space: nowrap;
}
[data-is="closed"] .chip { color: var(--closed); font-weight: 500; }
[data-is="half"] .chip { color: var(--half); border: 1px dashed var(--half); }
[data-is="open"] .chip { background: var(--open); color: var(--on-open); }
[data-is="open"] .chip .shape { fill: var(--open); }
[data-hand] .chip { border: 1px solid var(--hand); }
.probe:empty { display: none; }
.probe { padding-left: 5px; white-space: nowrap; }
[data-is="open"] .probe, [data-is="half"] .probe { color: var(--ink); }

.name { display: flex; flex-direction: column; }
.name button {
  max-width: 100%;
  width: fit-content;
  margin: 0 -4px;
  padding: 0 4px;
  border: 0;
  background: none;
  font-weight: 600;
  text-align: left;
  overflow: hidden;
  text-overflow: ellipsis;
  white-space: nowrap;
}
.name button:focus-visible { outline-offset: -1px; }
.name button[aria-expanded="true"]::before { content: "▾ "; color: var(--muted); }
.why { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }

.rate { display: grid; grid-template-columns: 52px 1fr; align-items: center; gap: 0 8px; }
.rate .number { text-align: right; }
.rate .small { grid-column: 1 / -1; padding-left: 8px; }
.label { display: none; }
.meter { height: 5px; border-radius: 3px; background: var(--line); overflow: hidden; }
.meter i { display: block; width: 0; height: 100%; background: var(--muted); }
.meter i.much { background: var(--open); }
.latency { display: flex; align-items: center; gap: 10px; }
.latency .spark { flex: 1; min-width: 0; height: 24px; }
.latency .number { width: 64px; text-align: right; white-space: nowrap; }
.spark path { vector-effect: non-scaling-stroke; }
.spark .line { fill: none; stroke: var(--accent); stroke-width: 1.4; stroke-linejoin: round; stroke-linecap: round; }
.spark .area { fill: var(--accent); opacity: 0.12; }
.past {
  display: block;
  width: 100%;
  height: 24px;
  /* A line for what is not known, a mark for each quarter of an hour. */
  background:
    linear-gradient(var(--line) 0 0) 0 17px / 100% 1px no-repeat,
    repeating-linear-gradient(90deg, var(--line) 0 1px, transparent 1px 25%) 0 12px / 100% 12px no-repeat;
}
.past .closed { fill: var(--closed); opacity: 0.65; }
.past .half { fill: var(--half); }
.past .open { fill: var(--open); }
.past .hand { fill: var(--hand); }
.traffic { display: flex; flex-direction: column; align-items: flex-end; text-align: right; white-space: nowrap; }
.traffic .small { color: var(--open); }
thead th:last-child { text-align: right; }
.empty { padding: 40px 0; color: var(--muted); text-align: center; }

/* One breaker, opened. */
.details { display: block; border-bottom: 1px solid var(--line); background: var(--raised); }
.details > td {
  display: grid;
  grid-template-columns: minmax(0, 1.3fr) minmax(0, 1fr) minmax(0, 0.9fr);
  gap: 18px 36px;
  padding: 16px 22px 18px 26px;
}
.details h2 { margin-bottom: 6px; color: var(--muted); font-size: 12px; font-weight: 600; }
.details .lead { font-size: 15px; }
.details dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 14px; }
.details dt { color: var(--muted); }
.details dd { overflow-wrap: anywhere; }
.figures dd { text-align: right; }
.calls { display: flex; flex-wrap: wrap; gap: 3px; margin: 9px 0; }
.calls li {
  width: 19px;
  height: 19px;
  border: 1px solid currentColor;
  border-radius: 4px;
  font-size: 12px;
  line-height: 17px;
  text-align: center;
}
.calls .SUCCESS { color: var(--closed); }
.calls .FAILURE, .calls .TIMEOUT { background: var(--open); border-color: var(--open); color: var(--on-open); }
.calls .IGNORED { color: var(--muted); border-style: dashed; }
.calls .slow { text-decoration: underline; border-bottom-width: 3px; }
.graphs .spark { display: block; width: 100%; height: 64px; border-bottom: 1px solid var(--line); }
.graphs .scale { float: right; font-weight: 400; }
.axis { display: flex; justify-content: space-between; margin-bottom: 12px; color: var(--muted); font-size: 12px; }
.changes li { display: grid; grid-template-columns: 68px 1fr; gap: 10px; }
.changes time { color: var(--muted); }
.control {
  display: flex;
  flex-wrap: wrap;
  gap: 10px 32px;
  grid-column: 1 / -1;
  padding-top: 14px;
  border-top: 1px solid var(--line);
}
.control div { display: flex; flex-wrap: wrap; align-items: center; gap: 6px; }
.control span { color: var(--muted); margin-right: 4px; }
.control [aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); font-weight: 600; }
.control [aria-pressed="true"]::before { content: "✓ "; }

footer { display: flex; flex-wrap: wrap; gap: 6px 32px; padding-top: 14px; padding-bottom: 28px; color: var(--muted); font-size: 12px; }
kbd { padding: 0 5px; border: 1px solid var(--line); border-radius: 4px; background: var(--surface); font: inherit; }
kbd:not(:first-child) { margin-left: 6px; }
kbd + kbd { margin-left: 0 !important; }
.legend { margin-left: auto; }
.legend span { margin-left: 10px; }
.legend span::before { content: ""; display: inline-block; width: 12px; margin-right: 5px; background: var(--closed); height: 3px; }
.legend [data-is="half"]::before { height: 7px; background: var(--half); }
.legend [data-is="open"]::before { height: 11px; background: var(--open); }
.legend [data-is="hand"]::before { height: 2px; background: var(--hand); vertical-align: -2px; }

dialog {
  width: min(460px, calc(100vw - 32px));
  padding: 22px 24px;
  border: 1px solid var(--line);
  border-radius: 12px;
  background: var(--surface);
  color: var(--ink);
  box-shadow: 0 18px 50px rgb(0 0 0 / 25%);
}
dialog::backdrop { background: rgb(10 14 20 / 45%); }
dialog h2 { margin-bottom: 6px; font-size: 17px; overflow-wrap: anywhere; }
dialog fieldset { display: grid; gap: 8px; margin-top: 16px; padding-top: 12px; border-top: 1px solid var(--line); min-width: 0; }
dialog legend { float: left; width: 100%; font-weight: 600; }
dialog label { display: grid; grid-template-columns: 128px 1fr; align-items: center; gap: 10px; clear: both; }
dialog input { min-width: 0; width: 100%; }
.error { margin-top: 10px; padding: 8px 12px; border-left: 4px solid var(--open); background: var(--open-soft); overflow-wrap: anywhere; }
.error:empty { display: none; }
.answers { display: flex; justify-content: flex-end; gap: 10px; margin-top: 18px; }

/* A tablet, half a window. */
@media (max-width: 1080px) {
  thead tr, .row { grid-template-columns: 140px minmax(150px, 1.4fr) 104px 140px minmax(90px, 1fr); gap: 0 14px; }
  .traffic, thead th:last-child { display: none; }
  .details > td { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .details .trip { grid-column: 1 / -1; }
}
/* A phone: a breaker is a card. */
@media (max-width: 720px) {
  .top, main, footer { padding-left: 12px; padding-right: 12px; }
  .top { flex-wrap: wrap; gap: 8px 12px; padding-bottom: 10px; }
  #host { display: none; }
  .states { flex-wrap: nowrap; width: 100%; overflow-x: auto; padding: 3px; margin: -3px; scrollbar-width: none; }
  .states button { white-space: nowrap; padding: 7px 10px; }
  .find, .order { flex: 1 1 45%; }
  .find { min-width: 0; }
  .order { position: relative; font-size: 0; }
  .order select { width: 100%; margin: 0; font-size: 14px; padding: 7px 8px; }
  .news { flex-direction: column; gap: 0; }
  #news { margin: 0; text-align: left; }
  thead { display: none; }
  .row {
    grid-template:
      "name name state" auto
      "rate latency latency" auto
      "hour hour hour" auto / auto minmax(0, 1fr) auto;
    gap: 7px 14px;
    padding: 11px 12px 10px 10px;
    contain-intrinsic-size: auto 122px;
    align-items: start;
  }
  .name { grid-area: name; }
  .name button { padding: 2px 4px; }
  .state { grid-area: state; align-items: flex-end; }
  .probe { padding: 0; }
  .rate { grid-area: rate; display: flex; gap: 5px; min-width: 84px; min-height: 24px; white-space: nowrap; }
  .meter { display: none; }
  .label { display: inline; color: var(--muted); font-size: 12px; }
  .rate .small { display: none; }
  .latency { grid-area: latency; }
  .hour { grid-area: hour; }
  .control { order: -1; padding: 0 0 14px; border: 0; border-bottom: 1px solid var(--line); }
  .details > td { grid-template-columns: minmax(0, 1fr); padding: 14px; }
  .control button { padding: 8px 12px; }
  dialog label { grid-template-columns: 1fr; gap: 2px; }
  .legend { margin-left: 0; }
  .legend span { display: inline-block; margin: 0 10px 0 0; }
  footer p:first-child { display: none; }
}
@media (forced-colors: active) {
  .past path, .meter i { fill: CanvasText; background: CanvasText; forced-color-adjust: none; }
}
)page";
    page += R"page(</style>
</head>
<body>
<svg class="shapes" aria-hidden="true">
  <symbol id="shape-closed" viewBox="0 0 24 12"><path d="M2 8h20" /><circle cx="7.5" cy="8" r="2" /><circle cx="16.5" cy="8" r="2" /></symbol>
  <symbol id="shape-open" viewBox="0 0 24 12"><path d="M2 8h5.5L14 2M16.5 8H22" /><circle cx="7.5" cy="8" r="2" /><circle cx="16.5" cy="8" r="2" /></symbol>
  <symbol id="shape-half" viewBox="0 0 24 12"><path d="M2 8h5.5l6.5-3M16.5 8H22" stroke-dasharray="3 1.6" /><circle cx="7.5" cy="8" r="2" /><circle cx="16.5" cy="8" r="2" /></symbol>
</svg>

<header class="top">
  <h1><svg class="shape" aria-hidden="true"><use href="#shape-open" /></svg>Fusebox <span id="host"></span></h1>
  <p id="link" class="link" data-link="waiting"><span class="dot" aria-hidden="true"></span><span id="link-text">Connecting …</span></p>
  <button id="key" type="button">Authorize …</button>
</header>

<main>
  <div id="lost" class="lost" role="alert" hidden>
    <p id="lost-text"></p>
    <button id="retry" type="button">Try now</button>
  </div>

  <div class="tools">
    <div class="states" role="group" aria-label="Show only">
      <button type="button" data-show="all" aria-pressed="true">All <b></b></button>
      <button type="button" data-show="open" aria-pressed="false"><svg class="shape" aria-hidden="true"><use href="#shape-open" /></svg>Open <b></b></button>
      <button type="button" data-show="half" aria-pressed="false"><svg class="shape" aria-hidden="true"><use href="#shape-half" /></svg>Half-open <b></b></button>
      <button type="button" data-show="closed" aria-pressed="false"><svg class="shape" aria-hidden="true"><use href="#shape-closed" /></svg>Closed <b></b></button>
      <button type="button" data-show="overridden" aria-pressed="false">Overridden <b></b></button>
    </div>
    <label class="find"><span class="unseen">Filter by name or tag</span><input id="find" type="search" placeholder="Filter by name or tag" autocomplete="off" spellcheck="false"></label>
    <label class="order">Sort by
      <select id="order">
        <option value="attention">needs attention</option>
        <option value="name">name</option>
        <option value="rate">failure rate</option>
        <option value="latency">latency</option>
        <option value="traffic">traffic</option>
        <option value="trip">last trip</option>
      </select>
    </label>
  </div>
  <p class="news"><span id="count"></span><span id="news" role="status"></span></p>

  <table id="table" role="table" aria-label="Circuit breakers">
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" data-order="attention"><button type="button">State</button></th>
        <th role="columnheader" data-order="name"><button type="button">Breaker</button></th>
        <th role="columnheader" data-order="rate"><button type="button">Failure rate</button></th>
        <th role="columnheader" data-order="latency"><button type="button">Latency, mean</button></th>
        <th role="columnheader" data-order="trip"><button type="button">Last hour</button></th>
        <th role="columnheader" data-order="traffic"><button type="button">Traffic</button></th>
      </tr>
    </thead>
    <tbody id="rows" role="rowgroup"></tbody>
  </table>
  <p id="empty" class="empty" hidden></p>
  <noscript><p class="empty">This page needs JavaScript. The same is told by <code>circuit-breakers</code> and <code>health</code>, as JSON.</p></noscript>
</main>

<footer>
  <p><kbd>/</kbd> filter <kbd>↑</kbd> <kbd>↓</kbd> from breaker to breaker <kbd>Enter</kbd> details <kbd>Esc</kbd> close</p>
  <p class="legend">Last hour: <span data-is="closed">low, closed</span> <span data-is="half">middle, half-open</span> <span data-is="open">high, open</span> <span data-is="hand">line below, overridden by hand</span></p>
</footer>

<template id="row">
  <tr role="row" class="row">
    <td role="cell" class="state"><span class="chip"><svg class="shape" aria-hidden="true"><use href="#shape-closed" /></svg><span class="word"></span></span><span class="probe"></span></td>
    <th role="rowheader" scope="row" class="name"><button type="button" aria-expanded="false"><bdi></bdi></button><span class="why"></span></th>
    <td role="cell" class="rate"><span class="number"></span><span class="label">failed</span><span class="meter" aria-hidden="true"><i></i></span><span class="small"></span></td>
    <td role="cell" class="latency"><svg class="spark" viewBox="0 0 120 24" preserveAspectRatio="none" role="img"><path class="area" /><path class="line" /></svg><span class="number"></span></td>
    <td role="cell" class="hour"><svg class="past" viewBox="0 0 3600 24" preserveAspectRatio="none" role="img"><path class="closed" /><path class="half" /><path class="open" /><path class="hand" /></svg></td>
    <td role="cell" class="traffic"><span class="number"></span><span class="small"></span></td>
  </tr>
</template>

<template id="details">
  <tr role="row" class="details">
    <td role="cell" colspan="6">
      <section class="trip">
        <h2>Last trip</h2>
        <p class="lead"></p>
        <ol class="calls"></ol>
        <dl></dl>
      </section>
      <section class="graphs">
        <h2>Latency, mean of each 2 s <span class="scale"></span></h2>
        <svg class="spark" viewBox="0 0 120 24" preserveAspectRatio="none" role="img"><path class="area" /><path class="line" /></svg>
        <p class="axis"><span>2 min ago</span><span>now</span></p>
        <h2>Last changes</h2>
        <ol class="changes"></ol>
      </section>
      <section class="figures">
        <h2>Since the beginning, or the last reset</h2>
        <dl></dl>
      </section>
      <section class="control">
        <div role="group" aria-label="Do once"><span>Do once</span>
          <button type="button" data-action="reset">Reset</button>
          <button type="button" data-action="open">Open</button>
          <button type="button" data-action="close">Close</button>
        </div>
        <div role="group" aria-label="Mode"><span>Mode</span>
          <button type="button" data-action="automatic" data-mode="AUTOMATIC">Automatic</button>
          <button type="button" data-action="force-open" data-mode="FORCED_OPEN">Force open</button>
          <button type="button" data-action="force-closed" data-mode="FORCED_CLOSED">Force closed</button>
          <button type="button" data-action="shadow" data-mode="SHADOW">Shadow</button>
        </div>
      </section>
    </td>
  </tr>
</template>

<dialog id="ask" aria-labelledby="ask-title">
  <form method="dialog">
    <h2 id="ask-title"></h2>
    <p id="ask-text"></p>
    <p id="ask-error" class="error" role="alert"></p>
    <fieldset>
      <legend>Authorization</legend>
      <label>Token <input id="token" type="password" autocomplete="off" spellcheck="false"></label>
      <label>Sent in the header <input id="header" type="text" value="Authorization: Bearer" autocomplete="off" spellcheck="false"></label>
      <p class="small">Kept by this page until it is closed, and sent to this server only.</p>
    </fieldset>
    <div class="answers">
      <button id="ask-no" type="button">Cancel</button>
      <button id="ask-yes" type="submit" class="main"></button>
    </div>
  </form>
</dialog>
<script type="module">)page";
    page += R"page(
// Shows what `events` tells. Text of breakers reaches the page as text nodes only: a content
// security policy with trusted types refuses everything else.

const byId = (id) => document.getElementById(id);
const find = (selector, root = document) => root.querySelector(selector);
const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

const kEvery = 2000; // Milliseconds between figures.
const kSilence = 10_000; // Without news for so long, the connection is taken for lost.
const kSamples = 60; // Of latency: two minutes.
const kHour = 3_600_000;
const kMostPast = 512; // Changes that are kept of a breaker, of the last hour.

const breakers = new Map(); // By name.
let opened = null; // The breaker whose details are shown.
let wanted = { show: 'all', text: '', order: 'attention', descending: true };
let clockSkew = 0; // The server's clock less ours, in milliseconds.

// ---- Words and numbers.

const kStateWords = { CLOSED: 'Closed', OPEN: 'Open', HALF_OPEN: 'Half-open' };
const kStateKinds = { CLOSED: 'closed', OPEN: 'open', HALF_OPEN: 'half' };
const kReasonWords = {
  POLICY_TRIPPED: 'its policy tripped it',
  PROBE_FAILED: 'a probe failed',
  PROBE_LOST: 'a probe never came back',
  WAIT_ELAPSED: 'the wait is over',
  PROBES_SUCCEEDED: 'the probes succeeded',
  MANUAL: 'by hand',
  RESET: 'reset',
};
const kOutcomes = {
  SUCCESS: ['✓', 'success'],
  FAILURE: ['✕', 'failure'],
  TIMEOUT: ['◷', 'timeout'],
  IGNORED: ['–', 'ignored'],
};
const kActions = {
  reset: ['Reset', 'Closes it, and forgets its statistics and its last trip. Its mode stays.'],
  open: ['Open', 'Rejects every call for its recovery time; then probes decide.'],
  close: ['Close', 'Lets every call through, and begins a new window.'],
  'force-open': ['Force open', 'Rejects every call until someone sets another mode.'],
  'force-closed': ['Force closed', 'Lets every call through, whatever fails, until someone sets another mode.'],
  shadow: ['Shadow', 'Lets every call through, and only counts what it would have rejected.'],
  automatic: ['Automatic', 'Hands it back to its policy.'],
};

function stateWords(figures) {
  if (figures.mode === 'FORCED_OPEN') return 'Forced open';
  if (figures.mode === 'FORCED_CLOSED') return 'Forced closed';
  const word = kStateWords[figures.state] ?? figures.state;
  return figures.mode === 'SHADOW' ? `Shadow: ${word.toLowerCase()}` : word;
}
const kindOf = (state) => kStateKinds[state] ?? 'closed';

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const percent = (rate) => (rate === null ? '–' : `${rate >= 0.1 ? Math.round(rate * 100) : plain.format(rate * 100)} %`);

/** A latency: three digits or so. */
function latencyText(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms >= 1000) return `${(ms / 1000).toPrecision(3)} s`;
  if (ms >= 0.1) return `${ms.toPrecision(ms >= 100 ? 3 : 2)} ms`;
  return `${(ms * 1000).toPrecision(2)} µs`;
}
/** A wait or an age: two units at most. */
function spanText(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}
function rateText(perSecond) {
  if (perSecond === null) return '–';
  return `${perSecond >= 1000 ? compact.format(perSecond) : plain.format(perSecond)}/s`;
}
const timesText = (count) => (count === 1 ? 'once' : `${plain.format(count)} times`);
const clockText = (time) => new Date(time).toLocaleTimeString('en-GB');
const serverNow = () => Date.now() + clockSkew;

/** A name in which nothing hides: what cannot be seen, or turns the direction of what follows, is
    shown as its code. */
function nameText(name) {
  const hidden = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;
  return name.replace(hidden, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`) || '(no name)';
}

/** Why it opened, short. */
function tripText(trip) {
  if (trip.reason !== 'POLICY_TRIPPED') return `Opened: ${kReasonWords[trip.reason] ?? trip.reason}`;
  if (trip.failureRate !== null && trip.windowFailures > 0) {
    return `${trip.windowFailures} of ${trip.windowCalls} calls failed (${percent(trip.failureRate)})`;
  }
  if (trip.windowSlow > 0) return `${trip.windowSlow} of ${trip.windowCalls} calls were slow`;
  return `${trip.consecutiveFailures || trip.windowFailures} failures in a row`;
}

// ---- Nodes.

function element(tag, text, properties = {}) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  return Object.assign(node, properties);
}
/** Touches the page only if something changed. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}
/** Terms and what belongs to them; empty ones are left out. */
function setTerms(list, terms) {
  list.replaceChildren(
    ...terms.filter(([, text]) => text).flatMap(([term, text]) => [element('dt', term), element('dd', text)]),
  );
}

// ---- A breaker, and its row.

const onScreen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const breaker = entry.target.breaker;
    breaker.isOnScreen = entry.isIntersecting;
    if (entry.isIntersecting) drawRow(breaker);
  }
}, { rootMargin: '200px' });

function makeBreaker(stats) {
  const row = byId('row').content.firstElementChild.cloneNode(true);
  const breaker = {
    name: stats.name,
    stats,
    figures: stats,
    past: [{ time: serverNow(), state: stats.state, mode: stats.mode, reason: null }],
    samples: [],
    sampled: null,
    callsPerSecond: null,
    rejectedPerSecond: null,
    isOnScreen: false,
    row,
    parts: {
      shape: find('.chip use', row),
      word: find('.word', row),
      probe: find('.probe', row),
      toggle: find('.name button', row),
      name: find('bdi', row),
      why: find('.why', row),
      rate: find('.rate .number', row),
      meter: find('.meter i', row),
      window: find('.rate .small', row),
      spark: find('.spark', row),
      mean: find('.latency .number', row),
      past: find('.past', row),
      traffic: find('.traffic .number', row),
      rejected: find('.traffic .small', row),
    },
  };
  row.breaker = breaker;
  setText(breaker.parts.name, nameText(breaker.name));
  breaker.parts.toggle.title = nameText(breaker.name);
  onScreen.observe(row);
  setStats(breaker, stats);
  setFigures(breaker, stats);
  return breaker;
}

function setStats(breaker, stats) {
  breaker.stats = stats;
  const tags = Object.entries(stats.tags).map(([key, value]) => `${key}=${value}`);
  breaker.tags = tags.join(' ');
  breaker.searched = `${breaker.name} ${breaker.tags}`.toLowerCase();
}

function setFigures(breaker, figures) {
  breaker.figures = figures;
  noteState(breaker, figures.state, figures.mode, serverNow(), figures.state === 'HALF_OPEN' ? 'WAIT_ELAPSED' : null);
  const rest = figures.retryAfterMs;
  breaker.probeAt = rest === null || figures.state !== 'OPEN' ? null : performance.now() + rest;
}

/** Into the past, if it is a change; `reason` may be null. */
function noteState(breaker, state, mode, time, reason) {
  const last = breaker.past.at(-1);
  if (last.state === state && last.mode === mode) {
    if (breaker.past.length > 1) last.reason ??= reason;
    return;
  }
  breaker.past.push({ time, state, mode, reason });
  const isOver = () => breaker.past[1].time < serverNow() - kHour || breaker.past.length > kMostPast;
  while (breaker.past.length > 1 && isOver()) breaker.past.shift();
}

/** What happened since the last sample; a breaker that was reset begins again. */
function sample(breaker, now) {
  const { measuredCalls, measuredMs, totalCalls, totalRejected } = breaker.figures;
  const then = breaker.sampled;
  if (then && now - then.now < kEvery * 0.9) return;
  breaker.sampled = { now, measuredCalls, measuredMs, totalCalls, totalRejected };
  if (!then) return;
  const seconds = (now - then.now) / 1000;
  const since = (after, before) => (after >= before ? after - before : after);
  const calls = since(measuredCalls, then.measuredCalls);
  breaker.samples.push(calls > 0 ? since(measuredMs, then.measuredMs) / calls : null);
  if (breaker.samples.length > kSamples) breaker.samples.shift();
  breaker.callsPerSecond = since(totalCalls, then.totalCalls) / seconds;
  breaker.rejectedPerSecond = since(totalRejected, then.totalRejected) / seconds;
}

function meanLatency(breaker) {
  return breaker.samples.findLast((mean) => mean !== null) ?? null;
}

function probeText(breaker) {
  const { state, mode } = breaker.figures;
  if (mode === 'FORCED_OPEN') return 'rejects until changed';
  if (mode === 'FORCED_CLOSED') return 'lets all through';
  if (state === 'HALF_OPEN') return 'next call probes';
  if (state !== 'OPEN') return '';
  if (breaker.probeAt === null) return 'no probe planned';
  const rest = breaker.probeAt - performance.now();
  return rest > 0 ? `probe in ${spanText(rest)}` : 'next call probes';
}

function whyText(breaker) {
  const { state, lastError } = breaker.figures;
  const trip = breaker.stats.lastTrip;
  if (state !== 'CLOSED' && trip) return lastError ? `${tripText(trip)}: ${lastError}` : tripText(trip);
  return breaker.tags || breaker.stats.policy;
}

function drawRow(breaker) {
  const { figures, parts, row } = breaker;
  const kind = kindOf(figures.state);
  setAttribute(row, 'data-is', kind);
  setAttribute(row, 'data-hand', figures.mode === 'AUTOMATIC' ? null : figures.mode);
  if (!breaker.isOnScreen) return;
  setAttribute(parts.shape, 'href', `#shape-${kind}`);
  setText(parts.word, stateWords(figures));
  setText(parts.probe, probeText(breaker));
  setText(parts.why, whyText(breaker));
  setText(parts.rate, percent(figures.failureRate));
  parts.meter.style.width = `${100 * (figures.failureRate ?? 0)}%`;
  setAttribute(parts.meter, 'class', kind === 'closed' ? null : 'much');
  setText(parts.window, figures.windowCalls ? `${compact.format(figures.windowFailures)} of ${compact.format(figures.windowCalls)}` : '');
  const mean = meanLatency(breaker);
  setText(parts.mean, latencyText(mean));
  drawSamples(parts.spark, breaker.samples);
  drawPast(parts.past, breaker);
  setText(parts.traffic, rateText(breaker.callsPerSecond));
  setText(parts.rejected, breaker.rejectedPerSecond > 0 ? `${rateText(breaker.rejectedPerSecond)} rejected` : '');
}

/** The newest at the right; the highest touches the top. Returns what that is. */
function drawSamples(svg, samples) {
  const now = samples.findLast((mean) => mean !== null);
  setAttribute(svg, 'aria-label', now === undefined
    ? 'Latency: nothing measured yet' : `Latency of two minutes, now ${latencyText(now)}`);
  const highest = Math.max(...samples.map((mean) => mean ?? 0), 0) || 1;
  let line = '';
  let area = '';
  let begin = null;
  samples.forEach((mean, i) => {
    if (mean === null) return;
    const x = (120 * (i + kSamples - samples.length + 1)) / kSamples;
    const y = 23 - (21 * mean) / highest;
    if (begin === null) begin = x;
    line += `${begin === x ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    area += `${begin === x ? `M${x.toFixed(1)} 24L` : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    if ((samples[i + 1] ?? null) !== null) return;
    if (begin === x) line += 'h0.8'; // Else one alone would not be seen.
    area += `L${x.toFixed(1)} 24Z`;
    begin = null;
  });
  setAttribute(find('.line', svg), 'd', line);
  setAttribute(find('.area', svg), 'd', area);
  return highest;
}

/** The last hour, a second a unit: told by height as well as by colour. */
function drawPast(svg, breaker) {
  const now = serverNow();
  const paths = { closed: '', half: '', open: '', hand: '' };
  const totals = { openings: 0, open: 0 };
  breaker.past.forEach((entry, i) => {
    const end = breaker.past[i + 1]?.time ?? now;
    const from = Math.max(0, (entry.time - now + kHour) / 1000);
    const to = Math.max(from, (end - now + kHour) / 1000);
    const kind = kindOf(entry.state);
    // What is short must still be seen: at least a pixel or two.
    const width = Math.max(to - from, kind === 'closed' ? 0 : 22);
    const left = Math.min(from, 3600 - width).toFixed(0);
    const top = { closed: 15, half: 8, open: 1 }[kind];
    paths[kind] += `M${left} ${top}h${width.toFixed(0)}V19H${left}Z`;
    if (entry.mode !== 'AUTOMATIC') paths.hand += `M${left} 21.5h${width.toFixed(0)}V24H${left}Z`;
    if (kind !== 'open' || to <= 0) return;
    totals.openings += 1;
    totals.open += 1000 * (to - from);
  });
  for (const kind of Object.keys(paths)) setAttribute(find(`.${kind}`, svg), 'd', paths[kind]);
  setAttribute(svg, 'aria-label', totals.openings
    ? `Last hour: open ${timesText(totals.openings)}, for ${spanText(totals.open)}` : 'Last hour: never open');
}

// ---- The details of one breaker.

const details = byId('details').content.firstElementChild;

function drawDetails() {
  if (!opened) return;
  const { stats, figures, past } = opened;
  drawTrip(stats.lastTrip);
  const highest = drawSamples(find('.spark', details), opened.samples);
  setText(find('.scale', details), opened.samples.some((mean) => mean !== null) ? `top ${latencyText(highest)}` : '');
  find('.changes', details).replaceChildren(...past.slice(-7).reverse().map((entry, i) => {
    const isFirst = past.length - 1 - i === 0;
    const line = element('li');
    const reason = isFirst ? 'when first seen' : (kReasonWords[entry.reason] ?? '');
    line.append(element('time', clockText(entry.time)),
      element('span', reason ? `${stateWords(entry)}: ${reason}` : stateWords(entry)));
    return line;
  }));
  const latency = figures.latencyMs;
  setTerms(find('.figures dl', details), [
    ['Calls', plain.format(figures.totalCalls)],
    ['Failed, timed out', `${plain.format(figures.totalFailures)}, ${plain.format(figures.totalTimeouts)}`],
    ['Slow', plain.format(figures.totalSlow)],
    ['Rejected', plain.format(figures.totalRejected)],
    ['Rejected in shadow', figures.totalShadowRejected ? plain.format(figures.totalShadowRejected) : ''],
    ['Failures in a row', plain.format(figures.consecutiveFailures)],
    ['In flight', figures.inFlight === null ? '' : plain.format(figures.inFlight)],
    ['Policy score', figures.policyScore === null ? '' : percent(figures.policyScore)],
    ['Latency p50, p99', `${latencyText(latency.p50)}, ${latencyText(latency.p99)}`],
    ['Longest', latencyText(latency.max)],
    ['Opened', `${timesText(stats.timesOpened)}, for ${spanText(figures.timeOpenMs ?? 0)}`],
    ['Last error', figures.lastError],
  ]);
  for (const button of findAll('[data-mode]', details)) {
    setAttribute(button, 'aria-pressed', String(button.dataset.mode === figures.mode));
  }
}

function drawTrip(trip) {
  const list = find('.trip dl', details);
  if (!trip) {
    setText(find('.trip .lead', details), 'It has not opened since the beginning, or the last reset.');
    find('.calls', details).replaceChildren();
    return setTerms(list, [['Policy', opened.stats.policy], ['Options', opened.stats.options]]);
  }
  setText(find('.trip .lead', details), `${tripText(trip)}.`);
  find('.calls', details).replaceChildren(...trip.lastOutcomes.map(({ outcome, slow }) => {
    const [sign, word] = kOutcomes[outcome] ?? ['?', outcome];
    const words = slow ? `${word}, slow` : word;
    const item = element('li', sign, { className: slow ? `${outcome} slow` : outcome, title: words });
    item.setAttribute('aria-label', words);
    return item;
  }));
  const ago = spanText(serverNow() - Date.parse(trip.time));
  setTerms(list, [
    ['Opened', `${clockText(Date.parse(trip.time))}, ${ago} ago: ${kReasonWords[trip.reason] ?? trip.reason}`],
    ['Failures', `${trip.windowFailures} of ${trip.windowCalls} calls in the window, ${trip.consecutiveFailures} in a row`],
    ['Slow', trip.windowSlow ? `${trip.windowSlow} of ${trip.windowCalls}` : ''],
    ['Last error', trip.lastError],
    ['Rejects for', trip.waitMs === null ? 'until changed' : trip.waitMs < 1000 ? latencyText(trip.waitMs) : spanText(trip.waitMs)],
    ['Policy', trip.policy],
    ['Options', opened.stats.options],
  ]);
}

function toggle(breaker) {
  const before = opened;
  if (before) setAttribute(before.parts.toggle, 'aria-expanded', 'false');
  details.remove();
  opened = before === breaker ? null : breaker;
  if (opened) {
    setAttribute(opened.parts.toggle, 'aria-expanded', 'true');
    drawDetails();
    opened.row.after(details);
  }
  arrange();
}

// ---- Which breakers, in which order.

const isOverridden = (breaker) => breaker.figures.mode !== 'AUTOMATIC';

function isWanted(breaker) {
  if (!breaker.searched.includes(wanted.text)) return false;
  if (wanted.show === 'all') return true;
  return wanted.show === 'overridden' ? isOverridden(breaker) : kindOf(breaker.figures.state) === wanted.show;
}

/** Failure rates count in steps of a tenth, or closed breakers would never rest. */
function attention({ figures }) {
  const state = { OPEN: 40, HALF_OPEN: 20, CLOSED: 0 }[figures.state] ?? 0;
  return state + Math.floor(10 * (figures.failureRate ?? 0)) + (figures.mode === 'AUTOMATIC' ? 0 : 0.5);
}
const kKeys = {
  attention,
  name: () => 0,
  rate: ({ figures }) => figures.failureRate ?? -1,
  latency: (breaker) => meanLatency(breaker) ?? -1,
  traffic: (breaker) => breaker.callsPerSecond ?? -1,
  trip: ({ stats }) => (stats.lastTrip ? Date.parse(stats.lastTrip.time) : 0),
};
const byName = new Intl.Collator('en', { numeric: true });

function ordered(list) {
  const key = kKeys[wanted.order];
  const sign = wanted.descending ? -1 : 1;
  const keyed = list.map((breaker) => ({ breaker, key: key(breaker) }));
  keyed.sort((a, b) => sign * (a.key - b.key) ||
    (wanted.order === 'name' ? sign : 1) * byName.compare(a.breaker.name, b.breaker.name));
  return keyed.map(({ breaker }) => breaker);
}

let arranged = [];

/** Puts the rows of those that are wanted in their order. While details are open nothing moves under
    the reader's hand: rows come and go, at the end. */
function arrange() {
  const list = ordered([...breakers.values()].filter(isWanted));
  if (opened && !list.includes(opened)) return toggle(opened);
  if (opened && arranged.includes(opened)) {
    const stay = arranged.filter((breaker) => list.includes(breaker));
    const come = list.filter((breaker) => !stay.includes(breaker));
    list.splice(0, list.length, ...stay, ...come);
  }
  const focused = document.activeElement;
  const rows = byId('rows');
  for (const breaker of arranged) {
    if (!list.includes(breaker)) breaker.row.remove();
  }
  let next = rows.firstElementChild;
  for (const { row } of list) {
    if (next === details) next = next.nextElementSibling;
    if (row === next) next = next.nextElementSibling;
    else rows.insertBefore(row, next);
  }
  if (opened) opened.row.after(details);
  if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
  arranged = list;
  describe(list.length);
}

function describe(shown) {
  const all = [...breakers.values()];
  const count = { all: all.length, open: 0, half: 0, closed: 0, overridden: 0 };
  for (const breaker of all) {
    count[kindOf(breaker.figures.state)] += 1;
    if (isOverridden(breaker)) count.overridden += 1;
  }
  for (const button of findAll('[data-show]')) {
    setText(find('b', button), String(count[button.dataset.show]));
    button.classList.toggle('some', count[button.dataset.show] > 0);
  }
  setText(byId('count'), shown === all.length ? `${shown} breakers` : `${shown} of ${all.length} breakers`);
  document.title = count.open ? `(${count.open} open) Fusebox` : 'Fusebox';
  const empty = byId('empty');
  empty.hidden = shown > 0 || !isLive;
  setText(empty, all.length ? 'No breaker is like that.' : 'The registry has no breakers yet.');
}

function want(change) {
  const turned = change.order === wanted.order && change.turn;
  const descending = turned ? !wanted.descending : (change.order ?? wanted.order) !== 'name';
  wanted = { ...wanted, ...change, descending: change.order ? descending : wanted.descending };
  for (const button of findAll('[data-show]')) {
    setAttribute(button, 'aria-pressed', String(button.dataset.show === wanted.show));
  }
  for (const head of findAll('[data-order]')) {
    const isOrder = head.dataset.order === wanted.order;
    setAttribute(head, 'aria-sort', isOrder ? (wanted.descending ? 'descending' : 'ascending') : null);
  }
  byId('order').value = wanted.order;
  arrange();
  drawSoon();
}

// ---- Drawing, at most once a frame.

let isDrawing = false;
function drawSoon() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    for (const breaker of breakers.values()) drawRow(breaker);
    drawDetails();
  });
}
function announce(text) {
  setText(byId('news'), `${clockText(serverNow())}  ${text}`);
}

// ---- What the server tells.

const kListeners = {
  SNAPSHOT(data) {
    mirror(data.circuitBreakers, data.circuitBreakers);
  },
  FIGURES(data) {
    clockSkew = Date.parse(data.time) - Date.now();
    mirror(data.figures, data.changed);
    const now = performance.now();
    for (const figures of data.figures) {
      const breaker = breakers.get(figures.name);
      setFigures(breaker, figures);
      sample(breaker, now);
    }
    arrange();
  },
  STATE_CHANGED(event) {
    const breaker = breakers.get(event.breaker);
    if (!breaker) return;
    const { mode } = breaker.figures;
    if (!mode.startsWith('FORCED')) {
      noteState(breaker, event.to, mode, Date.parse(event.time), event.reason);
      breaker.figures = { ...breaker.figures, state: event.to };
      breaker.probeAt = null; // Figures follow.
    }
    announce(`${nameText(event.breaker)}: ${kStateWords[event.to].toLowerCase()}, ${kReasonWords[event.reason]}`);
    arrange();
  },
  MODE_CHANGED(event) {
    announce(`${nameText(event.breaker)}: mode ${event.to.toLowerCase().replace('_', ' ')}`);
  },
  WAS_RESET(event) {
    announce(`${nameText(event.breaker)}: reset`);
  },
};

/** The breakers are those in `all`; `changed` has the whole statistics of some. */
function mirror(all, changed) {
  for (const stats of changed) {
    const breaker = breakers.get(stats.name);
    if (breaker) setStats(breaker, stats);
    else breakers.set(stats.name, makeBreaker(stats));
  }
  const present = new Set(all.map(({ name }) => name));
  for (const [name, breaker] of breakers) {
    if (present.has(name)) continue;
    if (breaker === opened) toggle(breaker);
    onScreen.unobserve(breaker.row);
    breakers.delete(name);
  }
}

async function readHistory() {
  const answer = await fetch('events/history', { headers: credentials(), cache: 'no-store' });
  if (!answer.ok) return;
  const history = await answer.json();
  for (const { name, changes } of history.circuitBreakers) {
    const breaker = breakers.get(name);
    if (!breaker) continue;
    const told = changes.map((change) => ({ ...change, time: Date.parse(change.time) }));
    const last = told.at(-1)?.time ?? 0;
    // What we saw ourselves goes on from there.
    const seen = breaker.past.slice(1).filter(({ time }) => time > last);
    breaker.past = [...told, ...seen];
    noteState(breaker, breaker.figures.state, breaker.figures.mode, serverNow(), null);
  }
  drawSoon();
}

// ---- The connection.

let isLive = false;
let connection = null; // Of the attempt that is going on.
let lastNews = 0; // When, by performance.now().
let lastLive = 0; // When, by our clock; 0: never.
let wake = null; // Ends the wait for the next attempt.

class Refused extends Error {
  constructor(answer, words) {
    super(words);
    this.status = answer.status;
    this.retryAfter = Number(answer.headers.get('Retry-After')) || 0;
  }
}

/** What the server says of a request that it refused. */
async function refusal(answer) {
  const body = await answer.json().catch(() => null);
  const said = typeof body?.error === 'string' ? body.error : answer.statusText || 'no reason given';
  return new Refused(answer, said);
}

/** The messages of a stream of server-sent events. EventSource would do, but cannot send a token,
    and does not say why it was refused. */
async function* messages(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    lastNews = performance.now();
    text += value;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n');
      text = text.slice(end + 2);
      const field = (name) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      if (field('data')) yield { kind: field('event'), data: JSON.parse(field('data')) };
    }
  }
}

async function listen() {
  connection = new AbortController();
  lastNews = performance.now();
  const answer = await fetch(`events?figuresMs=${kEvery}`, {
    headers: credentials(), cache: 'no-store', signal: connection.signal,
  });
  if (!answer.ok) throw await refusal(answer);
  for await (const { kind, data } of messages(answer.body)) {
    if (!isLive) setLive();
    kListeners[kind]?.(data);
    if (kind === 'SNAPSHOT') {
      arrange();
      readHistory().catch(() => {}); // The hour is then what this page has seen.
    }
    drawSoon();
  }
}

function setLive() {
  isLive = true;
  byId('link').dataset.link = 'live';
  setText(byId('link-text'), 'Live');
  byId('lost').hidden = true;
  document.body.classList.remove('stale');
}
function setLost(words) {
  if (isLive) lastLive = Date.now();
  isLive = false;
  setText(byId('lost-text'), lastLive ? `${words} What you see is of ${clockText(lastLive)}.` : words);
  byId('link').dataset.link = 'lost';
  byId('lost').hidden = false;
  document.body.classList.toggle('stale', breakers.size > 0);
}

/** Waits so many seconds, or until `wake` is called; for ever if null. */
async function pause(seconds) {
  let isAwake = false;
  const woken = new Promise((resolve) => { wake = () => { isAwake = true; resolve(); }; });
  for (let left = seconds ?? Infinity; left > 0 && !isAwake; left -= 1) {
    setText(byId('link-text'), seconds === null ? 'Not connected' : `Not connected, next try in ${left} s`);
    await Promise.race([woken, new Promise((resolve) => { setTimeout(resolve, 1000); })]);
  }
}

/** What to tell the reader of a connection that failed or ended, and when to try again: in so many
    seconds, null for not before someone does something. */
function explain(problem, failures) {
  const backoff = Math.min(2 ** failures, 15);
  if (!(problem instanceof Refused)) return { words: 'The connection to the server is lost.', wait: backoff };
  const said = `(${problem.status}): ${problem.message}.`;
  if (![401, 403].includes(problem.status)) {
    return { words: `The server refuses to tell events ${said}`, wait: Math.max(backoff, problem.retryAfter) };
  }
  return { words: `The server does not let this page read ${said} “Authorize …” takes a token.`, wait: null };
}

async function stayConnected() {
  for (let failures = 0; ; failures += 1) {
    const problem = await listen().catch((error) => error);
    if (isLive) failures = 0;
    const { words, wait } = explain(problem, failures);
    setLost(words);
    await pause(wait);
    setText(byId('link-text'), 'Connecting …');
  }
}

// ---- Control.

const ask = byId('ask');
let asked = null; // What the dialog is about: { breaker, action }, or null for the token alone.

/** "Name: prefix" and a token as a header. */
function credentials() {
  const token = byId('token').value.trim();
  if (!token) return {};
  const [name, ...prefix] = byId('header').value.split(':');
  return { [name.trim()]: `${prefix.join(':')} ${token}`.trim() };
}

function openDialog(title, text, yes) {
  setText(byId('ask-title'), title);
  setText(byId('ask-text'), text);
  setText(byId('ask-error'), '');
  setText(byId('ask-yes'), yes);
  ask.showModal();
  (asked ? byId('ask-yes') : byId('token')).focus();
}

async function act({ breaker, action }) {
  const path = `circuit-breakers/${encodeURIComponent(breaker.name)}/${action}`;
  // A browser takes these for folders.
  if (breaker.name === '.' || breaker.name === '..') throw new Error('A browser cannot ask for a breaker of that name.');
  const answer = await fetch(path, { method: 'POST', headers: credentials() });
  if (!answer.ok) throw await refusal(answer);
}

async function answerYes(event) {
  event.preventDefault();
  try {
    new Headers(credentials());
  } catch {
    return setText(byId('ask-error'), 'This cannot be sent as a header, which is a name, a colon, and plain letters.');
  }
  if (!asked) {
    ask.close();
    setText(byId('key'), byId('token').value ? 'Change token …' : 'Authorize …');
    return wake?.();
  }
  const { breaker, action } = asked;
  byId('ask-yes').disabled = true;
  setText(byId('ask-error'), '');
  try {
    await act(asked);
    ask.close();
    announce(`${nameText(breaker.name)}: “${kActions[action][0]}” is done`);
  } catch (error) {
    setText(byId('ask-error'), error instanceof Refused
      ? `Refused (${error.status}): ${error.message}. Nothing was changed.`
      : `It did not work: ${error.message}`);
    if ([401, 403].includes(error.status)) byId('token').focus();
  } finally {
    byId('ask-yes').disabled = false;
  }
}

// ---- Hands.

byId('rows').addEventListener('click', (event) => {
  const action = event.target.closest('[data-action]')?.dataset.action;
  if (action) {
    asked = { breaker: opened, action };
    const [word, text] = kActions[action];
    return openDialog(`${word}: ${nameText(opened.name)}`, text, word);
  }
  const row = event.target.closest('.row');
  if (row && !getSelection().toString()) toggle(row.breaker);
});
byId('key').addEventListener('click', () => {
  asked = null;
  openDialog('Authorization', 'What the server asks of those who read or change breakers.', 'Use it');
});
find('form', ask).addEventListener('submit', answerYes);
byId('ask-no').addEventListener('click', () => ask.close());
byId('retry').addEventListener('click', () => wake?.());
byId('find').addEventListener('input', (event) => want({ text: event.target.value.trim().toLowerCase() }));
byId('order').addEventListener('change', (event) => want({ order: event.target.value }));
for (const button of findAll('[data-show]')) {
  button.addEventListener('click', () => want({ show: button.dataset.show }));
}
for (const head of findAll('[data-order]')) {
  find('button', head).addEventListener('click', () => want({ order: head.dataset.order, turn: true }));
}

document.addEventListener('keydown', (event) => {
  if (ask.open || event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target.matches('input, select');
  if (event.key === '/' && !isTyping) {
    event.preventDefault();
    byId('find').focus();
  } else if (event.key === 'Escape' && opened) {
    const { toggle: button } = opened.parts;
    toggle(opened);
    button.focus();
  } else if (['ArrowUp', 'ArrowDown'].includes(event.key) && (!isTyping || event.target.id === 'find')) {
    moveFocus(event);
  }
});

/** To the breaker above or below; from elsewhere to the first one. */
function moveFocus(event) {
  const buttons = arranged.map(({ parts }) => parts.toggle);
  if (!buttons.length) return;
  const at = buttons.indexOf(document.activeElement);
  if (at < 0 && event.target.id !== 'find') return;
  event.preventDefault();
  const next = event.key === 'ArrowDown' ? at + 1 : at - 1;
  if (next < 0) byId('find').focus();
  else buttons[Math.min(next, buttons.length - 1)].focus();
}

// Times go on without news.
setInterval(() => {
  if (isLive && performance.now() - lastNews > kSilence) connection.abort();
  for (const breaker of breakers.values()) {
    if (breaker.isOnScreen) setText(breaker.parts.probe, probeText(breaker));
  }
}, 500);

setText(byId('host'), location.host);
want({});
stayConnected();
)page";
    page += R"page(</script>
</body>
</html>
)page";
    return page;
}

}  // namespace fusebox::detail
