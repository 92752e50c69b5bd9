// The bar on every page: mode, engine, feeds, venues, alarms, P&L, age of the stream, and the second click of KILL.

import { paintCell } from "./cells.js";
import { age, words } from "./format.js";
import { schedule } from "./painting.js";

const SECOND_CLICK_WITHIN = 4000;
const FEED_SILENT_AFTER = 5000;

class Rows {
  constructor(paint) {
    this.rows = new Map();
    this.paint = () => paint(this.rows);
  }

  snapshot(channel, entries) {
    this.rows = new Map(entries);
    schedule(this.paint);
  }

  delta(channel, updates, gone) {
    for (const [key, row] of updates) this.rows.set(key, { ...this.rows.get(key), ...row });
    for (const key of gone) this.rows.delete(key);
    schedule(this.paint);
  }
}

function item(name) {
  return document.querySelector(`[data-status="${name}"]`);
}

function badge(element, text, style) {
  const mark = document.createElement("span");
  mark.className = `badge ${style}`;
  mark.textContent = text;
  element.replaceChildren(mark);
}

export function followStatus(stream, pnlChannel) {
  const engine = new Rows((rows) => paintEngine(rows.get("engine") ?? {}, stream.engineIsSilent()));
  stream.subscribe("engine", engine);
  stream.subscribe("feeds", new Rows(paintFeeds));
  stream.subscribe("venues", new Rows(paintVenues));
  stream.subscribe("alarms", new Rows(paintAlarms));
  if (pnlChannel) {
    stream.subscribe(pnlChannel, new Rows((rows) => paintCell(item("pnl"), rows.get("pnl")?.today ?? null)));
  }
  stream.addEventListener("state", () => {
    paintStream(stream);
    schedule(engine.paint);
  });
  stream.addEventListener("tick", () => paintStream(stream));
}

function paintEngine(engine, isSilent) {
  const mode = engine.mode ?? null;
  if (mode) badge(item("mode"), mode, mode === "LIVE" ? "danger" : "busy plain");
  if (isSilent) badge(item("engine"), "Not answering", "danger");
  else paintCell(item("engine"), engine.engine_state);
  const limits = item("limits");
  if (limits) limits.textContent = engine.limits_version ? `v${engine.limits_version}` : "none";
  const killed = document.querySelector("[data-kill-count]");
  if (killed) {
    killed.hidden = !engine.kills?.length;
    killed.textContent = `${engine.kills?.length ?? 0} kill${engine.kills?.length === 1 ? "" : "s"} active`;
  }
}

function paintFeeds(rows) {
  const lines = [...rows.values()].filter((feed) => feed.line === "A" || feed.line === "B");
  const now = Date.now() * 1e6;
  const silent = lines.filter((feed) => !feed.last_heard_ns || now - feed.last_heard_ns > FEED_SILENT_AFTER * 1e6);
  const lost = lines.reduce((sum, feed) => sum + (feed.lost ?? 0), 0);
  const dirty = lines.some((feed) => feed.dirty);
  if (lines.length === 0) badge(item("feeds"), "None", "warn");
  else if (silent.length) badge(item("feeds"), `${lines.length - silent.length} of ${lines.length} lines`, "warn");
  else if (lost || dirty) badge(item("feeds"), `${lines.length} lines, ${lost} lost`, "warn");
  else badge(item("feeds"), `${lines.length} lines, no loss`, "on");
}

function paintAlarms(rows) {
  const mark = document.querySelector("[data-alarms]");
  const alarms = [...rows.values()];
  mark.hidden = alarms.length === 0;
  mark.textContent = alarms.length === 1 ? words(alarms[0].name) : `${alarms.length} alarms`;
  mark.title = alarms.map((alarm) => alarm.sentence).join("\n");
}

function paintVenues(rows) {
  const venues = [...rows.values()];
  const up = venues.filter((venue) => venue.session === "UP");
  if (venues.length === 0) badge(item("venues"), "None", "warn");
  else if (venues.length <= 2) {
    const text = venues.map((venue) => `${venue.name} ${words(venue.session).toLowerCase()}`).join(", ");
    badge(item("venues"), text, up.length === venues.length ? "on" : "warn");
  } else badge(item("venues"), `${up.length} of ${venues.length} up`, up.length === venues.length ? "on" : "warn");
}

function paintStream(stream) {
  document.body.dataset.stream = stream.state;
  const element = item("stream");
  const engineSilent = stream.engineIsSilent();
  if (stream.state === "live") badge(element, age(stream.age()), "on");
  else if (stream.state === "connecting") badge(element, "Connecting", "busy");
  else if (stream.state === "down") badge(element, `Reconnecting, ${age(stream.silence())}`, "warn");
  else badge(element, engineSilent ? `Engine silent ${age(stream.age())}` : `Stale ${age(stream.age())}`, "warn");
  const notice = document.getElementById("engine-unreachable");
  if (notice) notice.hidden = !(stream.state === "stale" && engineSilent);
}

// With scripts, KILL wants a second click in the same place; without, the form does it at once.
export function guardKill(form) {
  const button = form.querySelector("button");
  const label = button.textContent;
  let armed = 0;
  form.addEventListener("submit", (event) => {
    if (performance.now() < armed) return;
    event.preventDefault();
    armed = performance.now() + SECOND_CLICK_WITHIN;
    button.textContent = button.dataset.again;
    setTimeout(() => {
      button.textContent = label;
    }, SECOND_CLICK_WITHIN);
  });
}
