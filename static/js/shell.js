// What every page runs: the stream, the status bar, and whatever live parts its HTML declares.

import "./language.js";
import { paintAges } from "./cells.js";
import { NewestFirst, WorkingOrders } from "./event-table.js";
import { PnlChart } from "./pnl-chart.js";
import { pause, schedule } from "./painting.js";
import { StateTable } from "./state-table.js";
import { followStatus, guardKill } from "./status-bar.js";
import { Stream } from "./stream.js";
import { enliven } from "./tabs.js";

const TEAM_TOPICS = new Set(["strategies", "parents", "positions", "orders", "fills", "denials"]);
const { teams = "", pnlChannel = "" } = document.body.dataset;
const scheme = window.location.protocol === "https:" ? "wss" : "ws";
const stream = new Stream(`${scheme}://${window.location.host}/ws/v1`);

function channelsOf(topic) {
  return TEAM_TOPICS.has(topic) ? teams.split(" ").filter(Boolean).map((team) => `${topic}.${team}`) : [topic];
}

function follow(topic, handler, after = null) {
  for (const channel of channelsOf(topic)) stream.subscribe(channel, handler, after);
}

function updateCount(table) {
  const rows = [...table.querySelectorAll("tbody tr")].filter((row) => !row.hidden);
  const more = "more" in table.dataset || rows.length >= Number(table.dataset.cap ?? Infinity) ? "+" : "";
  for (const count of document.querySelectorAll(`[data-count-of="${table.id}"]`)) count.textContent = `${rows.length}${more}`;
  const unknown = rows.filter((row) => row.dataset.state === "UNKNOWN").length;
  for (const count of document.querySelectorAll(`[data-unknown-of="${table.id}"]`)) {
    count.textContent = `${unknown} UNKNOWN`;
    count.hidden = unknown === 0;
  }
  for (const empty of document.querySelectorAll(`[data-empty-of="${table.id}"]`)) empty.hidden = rows.length > 0;
}

function start() {
  followStatus(stream, pnlChannel);
  for (const table of document.querySelectorAll("[data-live-state]")) {
    follow(table.dataset.liveState, new StateTable(table));
  }
  for (const table of document.querySelectorAll("[data-live-events]")) {
    const kind = table.dataset.liveEvents === "orders" ? WorkingOrders : NewestFirst;
    follow(table.dataset.liveEvents, new kind(table), Number(table.dataset.after ?? 0));
  }
  for (const chart of document.querySelectorAll("[data-pnl-chart]")) {
    follow(chart.dataset.pnlChart, new PnlChart(chart));
  }
  document.addEventListener("painted", (event) => updateCount(event.target));
  document.addEventListener("gap", () => {
    const notice = document.getElementById("stream-gap");
    if (notice) notice.hidden = false;
  });
  stream.addEventListener("ended", () => {
    const notice = document.getElementById("stream-ended");
    if (notice) notice.hidden = false;
  });
  setInterval(() => schedule(paintAges), 1000);
  stream.connect();
}

function startControls() {
  for (const form of document.querySelectorAll("form[data-second-click]")) guardKill(form);
  for (const list of document.querySelectorAll("[role=tablist]")) enliven(list);
  const button = document.querySelector("[data-pause]");
  button?.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Resume" : "Pause";
    pause(on);
  });
  document.querySelector(".rail [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

// A choice that was made before htmx listened, or that the browser kept over a reload, would be shown and not followed.
document.body.addEventListener("htmx:load", (event) => {
  if (event.target !== document.body) return;
  for (const select of document.querySelectorAll("select[hx-get]")) {
    const options = [...select.options];
    const served = options.find((option) => option.defaultSelected) ?? options[0];
    if (served && select.value !== served.value) select.dispatchEvent(new Event("change", { bubbles: true }));
  }
});

startControls();
start();
