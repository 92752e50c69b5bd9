// A table (or a single block) of a STATE channel, kept row by row by key.

import { paintRow } from "./cells.js";
import { schedule } from "./painting.js";

export class StateTable {
  // `body` holds the rows (data-row); a <template data-row-template> in the table makes new ones, without it rows are fixed.
  constructor(table) {
    this.table = table;
    this.body = table.tBodies?.[0] ?? table;
    this.template = table.querySelector("template[data-row-template]");
    this.only = table.dataset.onlyColumn ? [table.dataset.onlyColumn, table.dataset.onlyValue] : null;
    this.hideFlat = "hideFlat" in table.dataset;
    this.values = new Map();
    this.channels = new Map();
    this.dirty = new Set();
    this.rows = new Map([...table.querySelectorAll("[data-row]")].map((row) => [row.dataset.row, row]));
    this.paint = this.paint.bind(this);
  }

  snapshot(channel, entries) {
    const keys = new Set(entries.map(([key]) => key));
    for (const key of this.channels.get(channel) ?? []) if (!keys.has(key)) this.drop(key);
    this.channels.set(channel, keys);
    for (const [key, row] of entries) this.take(key, row);
    schedule(this.paint);
  }

  delta(channel, updates, gone) {
    const keys = this.channels.get(channel);
    for (const [key, row] of updates) {
      keys?.add(key);
      this.take(key, { ...this.values.get(key), ...row });
    }
    for (const key of gone) {
      keys?.delete(key);
      this.drop(key);
    }
    schedule(this.paint);
  }

  take(key, row) {
    if (this.only && String(row[this.only[0]]) !== this.only[1]) return;
    this.values.set(key, row);
    this.dirty.add(key);
  }

  drop(key) {
    this.values.delete(key);
    this.dirty.add(key);
  }

  paint() {
    for (const key of this.dirty) this.paintKey(key, this.values.get(key));
    this.dirty.clear();
    this.table.dispatchEvent(new CustomEvent("painted", { bubbles: true }));
  }

  paintKey(key, values) {
    let row = this.rows.get(key);
    if (!values) {
      if (this.template && row) {
        row.remove();
        this.rows.delete(key);
      }
      return;
    }
    if (!row && this.template) row = this.insert(key, values);
    if (!row) return;
    paintRow(row, values);
    row.dataset.state = values.state ?? "";
    if (this.hideFlat) row.hidden = values.quantity === 0;
  }

  insert(key, values) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    row.dataset.row = key;
    row.dataset.order = `${values.strategy_name ?? ""}\u0000${values.instrument_name ?? key.padStart(6, "0")}`;
    const next = [...this.body.querySelectorAll("[data-order]")].find((other) => other.dataset.order > row.dataset.order);
    this.body.insertBefore(row, next ?? null);
    window.htmx?.process(row); // its forms answer in their place, as those of rows that came with the page do
    this.rows.set(key, row);
    return row;
  }
}
