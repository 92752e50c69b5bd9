// Patches the text of cells marked data-k="column"; data-f names the format. Text only, never HTML.

import * as format from "./format.js";

const FORMATS = {
  text: (value) => (value === null || value === undefined || value === "" ? format.UNKNOWN : String(value)),
  optional: (value) => value ?? "",
  words: (value) => format.words(value),
  money: (value) => format.money(value),
  pnl: (value) => format.money(value, { sign: true }),
  price: (value) => format.price(value),
  quantity: (value) => format.quantity(value),
  signed: (value) => format.quantity(value),
  signal: (value) => format.decimals(value, 2),
  clock: (value) => format.clock(value),
  end: (value) => format.end(value),
  duration: (value) => format.duration(value),
  age: (value) => format.age(value ? Date.now() - value / 1e6 : null),
  flag: (value) => (value ? "Yes" : "No"),
  short: (value) => String(value ?? format.UNKNOWN).slice(0, 12),
};

export function paintCell(cell, value) {
  const name = cell.dataset.f ?? "text";
  if (name === "state") {
    paintState(cell, value);
    return;
  }
  if (name === "age") cell.dataset.at = value ?? "";
  if (name === "order") {
    cell.textContent = value;
    cell.href = `/blotter/orders/${encodeURIComponent(value)}/`;
    return;
  }
  if (name === "parent") {
    cell.textContent = value;
    cell.href = `/blotter/parents/${encodeURIComponent(value)}/`;
    return;
  }
  if (name === "value") {
    cell.value = value;
    return;
  }
  if (name === "width" || name === "x") {
    cell.setAttribute(name, value ?? 0);
    return;
  }
  const text = FORMATS[name](value);
  if (cell.textContent !== text) cell.textContent = text;
  if (name === "pnl" || name === "signed") paintSign(cell, value, name === "pnl");
  if (name === "words" && (value === "BUY" || value === "SELL")) {
    cell.classList.toggle("buy", value === "BUY");
    cell.classList.toggle("sell", value === "SELL");
  }
}

// Ages grow while nothing comes.
export function paintAges() {
  for (const cell of document.querySelectorAll("[data-f=age][data-at]")) {
    if (cell.dataset.at) cell.textContent = format.age(Date.now() - Number(cell.dataset.at) / 1e6);
  }
}

export function paintRow(row, values) {
  for (const cell of row.querySelectorAll("[data-k]")) {
    if (cell.dataset.k in values) paintCell(cell, values[cell.dataset.k]);
  }
}

function paintSign(cell, value, arrow) {
  const number = Number(value ?? 0);
  cell.classList.toggle("gain", number > 0);
  cell.classList.toggle("loss", number < 0);
  cell.classList.toggle("arrow", arrow);
}

function paintState(cell, code) {
  const [text, style] = format.stateOf(code);
  let badge = cell.querySelector(".badge");
  if (!badge) {
    badge = document.createElement("span");
    cell.replaceChildren(badge);
  }
  if (badge.textContent !== text) badge.textContent = text;
  badge.className = `badge ${style}`;
}
